"""What `freshness init` writes: decided from Compose's own reading of the files, and rendered as text."""
