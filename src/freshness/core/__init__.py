"""What decides and touches nothing: no Docker, no Git, no environment, no clock."""
