"""What gate and promotion ask of a target before they touch it."""
