"""Reads a checkout's Compose files, and writes what a first deployment needs; nothing that is there is overwritten."""
