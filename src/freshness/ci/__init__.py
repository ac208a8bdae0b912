"""What touches the CI: step outputs, summary, annotations, log, report."""
