"""The tests and what they are built from."""
