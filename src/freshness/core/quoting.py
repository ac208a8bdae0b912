"""Shows a value from outside inside one of our own sentences: short, on one line, and printable."""

_LIMIT = 120


def quoted(value: object) -> str:
    """`value` in quotes, everything unprintable escaped, long text cut; anything but text is named by its type."""
    if value is None:
        return "nothing"
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) < 10**18):
        return str(value).lower()
    if not isinstance(value, str):
        return f"a value of the type {type(value).__name__}"
    if len(value) > _LIMIT:
        return f"{value[:_LIMIT]!r}… ({len(value)} characters)"
    return repr(value)
