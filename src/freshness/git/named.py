"""Which commit a person means by HEAD, a branch, a tag or the beginning of an id: as the local clone has it."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

import pygit2
from pygit2.enums import ObjectType, RepositoryOpenFlag

from freshness.core.hexid import SHA1, is_full_id, is_shortened
from freshness.core.quoting import quoted
from freshness.errors import SettingsError
from freshness.git.checkout import open_repository
from freshness.git.commits import subject_of
from freshness.git.local import peel
from freshness.git.objects import ObjectStore

PLACES = ("refs/tags/", "refs/heads/", "refs/remotes/")
"""Where a short name may stand, as Git looks: https://git-scm.com/docs/gitrevisions"""
MOST = 5
"""Names that a refusal shows."""


def find_named(folder: Path, name: str) -> tuple[str, str]:
    """Its full id and its subject, which is empty for a full id that the clone lacks: such a one is not looked up.

    Raises SettingsError with what was found where the name means no commit or several, and RepositoryError.
    """
    repository = open_repository(folder)
    store = ObjectStore.of(repository)
    if len(name) == SHA1 and is_full_id(name):
        return name, _subject(store, name)
    # A linked work tree has a HEAD of its own, which the repository that it is linked to does not know.
    own = pygit2.Repository(str(folder), RepositoryOpenFlag.NO_SEARCH)
    found = {place: commit for place in _places(name) if (commit := peel(own, store, place))}
    found |= {commit: commit for commit in _ids(store, name)}
    commits = sorted(set(found.values()))
    if not commits:
        raise _unknown(own, name)
    if len(commits) > 1:
        raise _ambiguous(store, name, found)
    return commits[0], _subject(store, commits[0])


def _places(name: str) -> Iterable[str]:
    return (name,) if name == "HEAD" or name.startswith("refs/") else (place + name for place in PLACES)


def _ids(store: ObjectStore, name: str) -> Iterator[str]:
    """The commits whose id begins so."""
    if is_shortened(start := name.lower()):
        ids = (object_id for one in store.odb if (object_id := str(one)).startswith(start))
        yield from (one for one in ids if store.read_any(one)[0] is ObjectType.COMMIT)


def _subject(store: ObjectStore, commit: str) -> str:
    return subject_of(store.read_any(commit)[1]) if commit in store.odb else ""


def _ambiguous(store: ObjectStore, name: str, found: dict[str, str]) -> SettingsError:
    each = [
        f"{commit} {quoted(_subject(store, commit))}{'' if place == commit else f' ({place})'}"
        for place, commit in found.items()
    ]
    return SettingsError(
        f"{quoted(name)} means {len(each)} commits: {', '.join(each[:MOST])}; expected one.",
        "Give the full id, or the whole name, such as refs/heads/main.",
    )


def _unknown(repository: pygit2.Repository, name: str) -> SettingsError:
    names = [one.split("/", 2)[2] for one in repository.references if one.startswith(PLACES)]
    near = [one for one in names if one.endswith(f"/{name}")] or get_close_matches(name, names, n=MOST, cutoff=0.5)
    shown = ", ".join(map(quoted, (near or sorted(names))[:MOST])) or "no branch and no tag"
    return SettingsError(
        f"{quoted(name)} is no commit of {repository.path}; expected HEAD, a branch, a tag, or 7 or more digits of"
        f" an id. {'The nearest are' if near else 'It has'} {shown}.",
        "Run `git fetch`, or ask Git: `git rev-parse 'NAME^{commit}'`.",
    )
