"""A value that no message, log or report can show by accident."""

from typing import Final


class Secret:
    """Prints as `[REDACTED]` whichever way it is printed; `reveal()` is the only way to its text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text: Final = text

    def reveal(self) -> str:
        """The text itself, for the one place that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "[REDACTED]"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not copied or stored")
