"""Reads raw tree objects, and refuses the names that no faithful export can have."""

import re
from enum import Enum

from msgspec import Struct

from freshness.errors import Refused
from freshness.git.objects import printable

ID_SIZE = 20
DEEPEST = 256
"""Folders in folders. Whoever removes the export (`shutil.rmtree`) recurses and holds a file descriptor for each."""
LONGEST_NAME, LONGEST_PATH = 255, 3072
"""Bytes that Linux takes for a name, and for a path (4095) less room for the folder that it stands in."""


class EntryKind(Enum):
    """What a tree entry becomes. The values are Git's modes, as its tree objects spell them."""

    FILE = b"100644"
    EXECUTABLE = b"100755"
    LINK = b"120000"
    FOLDER = b"40000"
    SUBMODULE = b"160000"


KIND_OF_MODE = {kind.value: kind for kind in EntryKind} | {b"100664": EntryKind.FILE}  # Git before 2005 wrote 100664

DOT_GIT = re.compile(rb"(?:\.git|git~1)[ .]*(?::.*)?", re.IGNORECASE | re.DOTALL)
"""`.git` and what NTFS takes for it; Git's own `core.protectNTFS` refuses the same."""
IGNORED_BY_HFS = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
"""HFS+ drops these from names, so that `.g\\u200cit` is `.git` to it; Git's `core.protectHFS` knows the same list."""


class Entry(Struct):
    """One name in a folder. `folder` and `path` are from the tree's root. Not frozen: a tree has thousands of them."""

    folder: bytes
    name: bytes
    path: bytes
    kind: EntryKind
    object_id: str


def parse_tree(data: bytes, path: bytes) -> list[Entry]:
    """The entries of the tree object `data`, in its order: `MODE SP NAME NUL ID`, the id as 20 raw bytes."""
    entries, names, position, prefix = [], set(), 0, enter(path)
    while position < len(data):
        space = data.find(b" ", position)
        end = data.find(b"\0", space)
        start, position = position, end + 1 + ID_SIZE
        if space < 0 or end < 0 or position > len(data):
            raise hostile(path, "is a malformed tree object")
        name, kind = data[space + 1 : end], KIND_OF_MODE.get(data[start:space])
        if kind is None:
            raise hostile(prefix + name, f"has the unknown mode {printable(data[start:space])}")
        refuse_hostile_name(name, prefix)
        if name in names:
            raise hostile(prefix + name, "appears twice in its folder")
        names.add(name)
        entries.append(Entry(path, name, prefix + name, kind, data[end + 1 : position].hex()))
    return entries


def enter(path: bytes) -> bytes:
    """What the paths of a folder's entries begin with."""
    if path.count(b"/") >= DEEPEST:
        raise hostile(path, f"is more than {DEEPEST} folders deep")
    return path + b"/" if path else b""


def refuse_hostile_name(name: bytes, prefix: bytes) -> None:
    if len(name) > LONGEST_NAME or len(prefix) + len(name) > LONGEST_PATH:
        raise hostile(prefix + name, "is longer than a file name can be here")
    if name in {b"", b".", b".."} or b"/" in name:
        raise hostile(prefix + name, "has a name that leaves its folder or is invalid")
    if DOT_GIT.fullmatch(name if name.isascii() else without_ignored(name)):
        raise hostile(prefix + name, "has a name that some file systems treat as `.git`")


def without_ignored(name: bytes) -> bytes:
    text = name.decode("utf-8", "surrogateescape")
    return IGNORED_BY_HFS.sub("", text).encode("utf-8", "surrogateescape")


def hostile(path: bytes, what: str) -> Refused:
    return Refused(
        f"`{printable(path)}` in the commit {what}; expected a tree that `git fsck` accepts.",
        "Remove it from the commit with a current Git, and push again.",
    )
