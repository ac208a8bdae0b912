"""Decides whether a repository is one that the invariant is enforced for."""

import re
from fnmatch import fnmatchcase

_NAME = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_PATTERN = re.compile(r"[A-Za-z0-9_.*?-]+/[A-Za-z0-9_.*?-]+")
_DOTS = re.compile(r"(.*/)?\.{1,2}(/.*)?")


def parse_patterns(text: str) -> tuple[str, ...]:
    """The `owner/name` patterns in `text`, separated by commas or blanks; `*` and `?` stand within one part.

    Raises ValueError with the first malformed pattern. Empty text holds none, text of separators alone is malformed.
    """
    patterns = tuple(re.split(r"[\s,]+", text.strip(", \t\r\n")))
    if patterns == ("",):
        if text.strip():
            raise ValueError(text.strip())
        return ()
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern) or _DOTS.fullmatch(pattern):
            raise ValueError(pattern)
    return patterns


def in_scope(repository: str | None, patterns: tuple[str, ...]) -> bool:
    """Whether the invariant is enforced for `repository`, regardless of case. No pattern means every repository.

    Only a well-formed `owner/name` can be out of scope: a missing or an odd name (act gives a URL) is enforced.
    """
    if not patterns or repository is None or not is_repository_name(repository):
        return True
    return any(_matches(repository.lower(), pattern.lower()) for pattern in patterns)


def is_repository_name(text: str) -> bool:
    """Whether the text is a well-formed `owner/name`."""
    return _NAME.fullmatch(text) is not None and not _DOTS.fullmatch(text)


def _matches(repository: str, pattern: str) -> bool:
    return all(
        fnmatchcase(part, wanted) for part, wanted in zip(repository.split("/"), pattern.split("/"), strict=True)
    )
