"""What the ids of Git objects and of images look like."""

import re

_HEX = re.compile(r"[0-9a-f]*")
SHORTEST = 7
"""Digits of a shortened id that a person may type."""
SHA1, SHA256 = 40, 64
IMAGE = "sha256:"


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
