"""What the ids of Git objects and of images look like."""

import re

_HEX = re.compile(r"[0-9a-f]*")
SHORTEST = 7
"""Digits of a shortened id that a person may type."""
SHA1, SHA256 = 40, 64
IMAGE = "sha256:"
# What a person types comes first, and a registry's digest, which has no short form: both stay as they are.
_WHOLE = r"`[^`\n]*`|\btype: .*|@sha256:[0-9a-f]{64}"
_ID = re.compile(rf"{_WHOLE}|(?<![0-9a-f])([0-9a-f]{{12}})[0-9a-f]{{28,52}}(?![0-9a-f])", re.DOTALL)


def is_full_id(text: str) -> bool:
    """Whether the text is a whole lowercase id of a Git object: 40 hex digits (SHA-1) or 64 (SHA-256)."""
    return len(text) in {SHA1, SHA256} and is_hex(text)


def is_image_id(text: str) -> bool:
    """Whether it is a whole id of an image, as every Engine says it."""
    return text.startswith(IMAGE) and len(text) == len(IMAGE) + SHA256 and is_hex(text.removeprefix(IMAGE))


def is_shortened(text: str) -> bool:
    """Whether it can be the beginning of an id, or all of it."""
    return SHORTEST <= len(text) <= SHA256 and is_hex(text)


def is_hex(text: str) -> bool:
    """Whether it is nothing but lowercase hex digits."""
    return _HEX.fullmatch(text) is not None


def with_short_ids(text: str) -> str:
    """The first 12 digits of each full id, as Docker prints them; a command to type and a digest are left whole."""
    return _ID.sub(lambda found: found[1] or found[0], text)
