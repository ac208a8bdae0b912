"""What touches Git, through pygit2."""
