"""The promotion: production gets a proven image, or keeps what it has."""
