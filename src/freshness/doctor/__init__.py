"""Looks at a host and a checkout as a gate and a promotion would, all at once; nothing is written, no lock is taken."""
