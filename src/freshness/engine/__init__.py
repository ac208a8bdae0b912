"""What touches Docker: build, images, Compose targets, health, the staging check."""
