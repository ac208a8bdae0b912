"""Which comment of a pull request is ours to edit. Nothing else is read from a comment: all of it can be forged."""

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

BOTS = frozenset({"gitea-actions", "forgejo-actions", "github-actions[bot]"})
_UNSAFE = re.compile(r"[^\w./,-]|--+")


class Marker(Struct, frozen=True, kw_only=True):
    """The first line of a comment, which nobody sees: the application, the commit and the run."""

    application: str
    commit: str
    run: str

    @property
    def beginning(self) -> str:
        """What a comment of this application begins with, of whatever commit and run."""
        return f"<!-- freshness {_safe(self.application)} "

    def __str__(self) -> str:
        return f"{self.beginning}commit={_safe(self.commit)} run={_safe(self.run)} -->"


class Ours(Struct, frozen=True, kw_only=True):
    """A comment to edit. `is_of_this`: it is about the same commit, so that no newer head's is written over."""

    id: int
    is_of_this: bool


def find_ours(comments: Iterable[object], marker: Marker, user: str = "") -> Ours | None:
    """The first comment that bears our marker and was written by the forge's bot, or by `user`, who the token is."""
    for comment in comments:
        if not isinstance(comment, Mapping) or not isinstance(comment.get("id"), int):
            continue
        body = comment.get("body")
        if isinstance(body, str) and body.startswith(marker.beginning) and author_of(comment) in {*BOTS, user} - {""}:
            same = body.startswith(f"{marker.beginning}commit={_safe(marker.commit)} ")
            return Ours(id=comment["id"], is_of_this=same)
    return None


def author_of(comment: Mapping[str, object]) -> str:
    """Who wrote it, as the forge says; empty where it does not."""
    user = comment.get("user")
    login = user.get("login") if isinstance(user, Mapping) else None
    return login if isinstance(login, str) else ""


def _safe(text: str) -> str:
    """Text that ends neither a word of the marker nor the marker."""
    return _UNSAFE.sub("_", text)
