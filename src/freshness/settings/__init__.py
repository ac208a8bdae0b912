"""The settings: each declared once, read into frozen values, with all problems at once."""
