"""What a run tells: its steps, its log, its summary, its report."""
