"""Signals, child processes and private folders."""
