"""How long ago something was, in the one unit that a person needs."""

from datetime import UTC, datetime

_UNITS = (("week", 7 * 86_400), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_SINGLE = 2  # of a unit; below that the next smaller one tells more


def age(moment: str, now: datetime) -> str:
    """From the Engine's own text to `now`, such as `3 hours`; a moment that is yet to come is `0 seconds`."""
    seconds = max(0, round((now - _read(moment)).total_seconds()))
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds >= _SINGLE * size), _UNITS[-1])
    count = seconds // size
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _read(moment: str) -> datetime:
    found = datetime.fromisoformat(moment)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
