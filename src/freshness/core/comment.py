"""Which comment of a pull request is ours to edit. Nothing else is read from a comment: all of it can be forged."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

BOTS = frozenset({"gitea-actions", "forgejo-actions", "github-actions[bot]"})
_UNSAFE = re.compile(r"[^\w./,-]|--+")
_RUN = re.compile(r" run=(\d{1,18}) ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """The first line of a comment, which nobody sees: the command, the application, the commit and the run."""

    command: str
    application: str
    commit: str
    run: str

    @property
    def beginning(self) -> str:
        """What a comment of this command and application begins with, of whatever commit and run."""
        return f"<!-- {_safe(self.command)} {_safe(self.application)} "

    def __str__(self) -> str:
        return f"{self.beginning}commit={_safe(self.commit)} run={_safe(self.run)} -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """A comment to edit. `is_newer`: a later run than ours wrote it, and it stays."""

    id: int
    is_newer: bool


def find_ours(comments: Iterable[object], marker: Marker, user: str = "") -> Ours | None:
    """The first comment that bears our marker and was written by the forge's bot, or by `user`, who the token is."""
    for comment in comments:
        if not isinstance(comment, Mapping) or not isinstance(comment.get("id"), int):
            continue
        body = comment.get("body")
        if isinstance(body, str) and body.startswith(marker.beginning) and _author(comment) in {*BOTS, user} - {""}:
            run = _RUN.search(body.partition("\n")[0])
            is_newer = bool(run and marker.run.isdigit() and int(run[1]) > int(marker.run))
            return Ours(id=comment["id"], is_newer=is_newer)
    return None


def _author(comment: Mapping[str, object]) -> str:
    user = comment.get("user")
    login = user.get("login") if isinstance(user, Mapping) else None
    return login if isinstance(login, str) else ""


def _safe(text: str) -> str:
    """Text that ends neither a word of the marker nor the marker."""
    return _UNSAFE.sub("_", text)
