"""Reads Git objects, and believes none whose content does not hash to its id."""

from collections.abc import Mapping
from hashlib import sha1
from pathlib import Path
from typing import Self

import pygit2
from msgspec import Struct
from pygit2.enums import ObjectType

from freshness.errors import Refused, RepositoryError
from freshness.git.loose import KIND_OF_WORD, Damaged, inflate, list_loose

WORD_OF_KIND = {kind: word for word, kind in KIND_OF_WORD.items()}


class ObjectStore(Struct, frozen=True):
    """A repository's objects: the packed ones through libgit2, the loose ones (id → file) from their files."""

    odb: pygit2.Odb
    loose: Mapping[str, Path]

    @classmethod
    def of(cls, repository: pygit2.Repository) -> Self:
        """The objects that are there now; what is fetched later needs a new store."""
        return cls(repository.odb, list_loose(Path(repository.path)))

    def read(self, object_id: str, expected: ObjectType, path: bytes = b"") -> bytes:
        """The object's content. `path` is where it stands in the tree, for messages.

        Raises `Refused` where content and id do not belong together or the object is not of the `expected` kind, and
        `RepositoryError` where it is missing or unreadable.
        """
        kind, data = self.read_any(object_id, path)
        if kind is not expected:
            raise Refused(
                f"{name_object(object_id, path)} is a {kind.name.lower()}; a {expected.name.lower()} was expected.",
                "The commit is malformed: run `git fsck`, and create it again.",
            )
        return data

    def read_any(self, object_id: str, path: bytes = b"") -> tuple[ObjectType, bytes]:
        """Kind and content of an object whose hash is right, as `read` does, whatever kind it is of."""
        try:
            kind, data = self._read_unverified(object_id)
        except KeyError as error:
            raise RepositoryError(
                f"{name_object(object_id, path)} is not in the repository: the clone is incomplete.",
                "Check out without `filter` and `sparse-checkout`, so that all objects of the commit are there.",
            ) from error
        except (Damaged, OSError, pygit2.GitError) as error:
            raise unreadable(object_id, error, path) from error
        verify_hash(object_id, kind, data, path)
        return kind, data

    def _read_unverified(self, object_id: str) -> tuple[ObjectType, bytes]:
        file = self.loose.get(object_id)
        if file is None:
            return self.odb.read(object_id)
        try:
            with file.open("rb") as opened:
                return inflate(opened)
        except FileNotFoundError:  # packed meanwhile, as by `git gc` in the background
            return self.odb.read(object_id)


def unreadable(object_id: str, why: object, path: bytes = b"") -> RepositoryError:
    """The object is there, and is damaged or closed to us."""
    return RepositoryError(
        f"{name_object(object_id, path)} cannot be read: {why}.",
        "The repository is damaged: run `git fsck`, and check out again.",
    )


def verify_hash(object_id: str, kind: ObjectType, data: bytes, path: bytes) -> None:
    digest = sha1(b"%s %d\0" % (WORD_OF_KIND[kind], len(data)), usedforsecurity=False)
    digest.update(data)
    if digest.hexdigest() != object_id:
        raise Refused(
            f"{name_object(object_id, path)} holds content whose hash is {digest.hexdigest()}.",
            "An object was planted or is damaged: run `git fsck`, and check out again from the server.",
        )


def name_object(object_id: str, path: bytes) -> str:
    return f"{printable(path)} (object {object_id})" if path else f"object {object_id}"


def printable(path: bytes) -> str:
    """The path for a person, on one line: what is not printable text is shown as an escape."""
    text = path.decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
