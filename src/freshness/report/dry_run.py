"""What a run would do, or why nothing, in the log alone."""

from freshness.report.publish import Publisher


def show_ahead(publisher: Publisher, ahead: str, why: str) -> None:
    """Says in the log the plan, or `why` nothing would happen."""
    if why:
        publisher.log.error(f"{publisher.command}: dry run", f"Nothing was written. It would end here. {why}")
        return
    publisher.log.say(f"Dry run: nothing was written. Nothing speaks against it; it would\n{ahead}", loud=True)
