"""Reads Git objects, and believes none whose content does not hash to its id."""

from hashlib import sha1

import pygit2
from pygit2.enums import ObjectType

from freshness.errors import Refused, RepositoryError

KINDS = {ObjectType.COMMIT: b"commit", ObjectType.TREE: b"tree", ObjectType.BLOB: b"blob", ObjectType.TAG: b"tag"}


def read_object(odb: pygit2.Odb, object_id: str, expected: ObjectType, path: bytes = b"") -> bytes:
    """The object's content. `path` is where it stands in the tree, for messages.

    Raises `Refused` where content and id do not belong together or the object is not of the `expected` kind, and
    `RepositoryError` where it is missing or unreadable.
    """
    kind, data = read_any(odb, object_id, path)
    if kind is not expected:
        raise Refused(
            f"{name_object(object_id, path)} is a {kind.name.lower()}; a {expected.name.lower()} was expected.",
            "The commit is malformed: run `git fsck`, and make it anew.",
        )
    return data


def read_any(odb: pygit2.Odb, object_id: str, path: bytes = b"") -> tuple[ObjectType, bytes]:
    """Kind and content of an object whose hash is right, as `read_object` does, whatever kind it is of."""
    try:
        kind, data = odb.read(object_id)
    except KeyError as error:
        raise RepositoryError(
            f"{name_object(object_id, path)} is not in the repository: the clone is incomplete.",
            "Check out without `filter` and `sparse-checkout`, so that all objects of the commit are there.",
        ) from error
    except pygit2.GitError as error:
        raise RepositoryError(
            f"{name_object(object_id, path)} cannot be read: {error}.",
            "The repository is damaged: run `git fsck`, and check out anew.",
        ) from error
    verify_hash(object_id, kind, data, path)
    return kind, data


def verify_hash(object_id: str, kind: ObjectType, data: bytes, path: bytes) -> None:
    digest = sha1(b"%s %d\0" % (KINDS[kind], len(data)), usedforsecurity=False)
    digest.update(data)
    if digest.hexdigest() != object_id:
        raise Refused(
            f"{name_object(object_id, path)} holds content whose hash is {digest.hexdigest()}.",
            "An object was planted or is damaged: run `git fsck`, and check out anew from the server.",
        )


def name_object(object_id: str, path: bytes) -> str:
    return f"{printable(path)} (object {object_id})" if path else f"object {object_id}"


def printable(path: bytes) -> str:
    """The path for a person, on one line: what is not printable text is shown as an escape."""
    text = path.decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
