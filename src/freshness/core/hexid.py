"""What a full Git object id looks like."""

import re

_FULL_ID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


def is_full_id(text: str) -> bool:
    """Whether the text is a whole lowercase id: 40 hex digits (SHA-1) or 64 (SHA-256)."""
    return _FULL_ID.fullmatch(text) is not None
