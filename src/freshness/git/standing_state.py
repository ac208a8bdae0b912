"""What is written down of a standing build context: which tree it holds, and how the file system keeps it."""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from msgspec import Struct

from freshness.git.export import Exported
from freshness.git.seal import Seal

BOOT = Path("/proc/sys/kernel/random/boot_id")
FORMAT = 1


class Folder(Struct, frozen=True, kw_only=True):
    """One folder of the context: the raw tree object that it was written from, and its seal."""

    tree: bytes
    seal: Seal


class State(Struct, frozen=True, kw_only=True):
    """`name` is that of the context's folder, `tree` the id of what it holds, `generation` how often it has changed.

    `boot` is the kernel's run: what a power cut left on a disk is not believed.
    """

    name: str
    boot: str
    generation: int = 0
    tree: str | None = None
    folders: dict[bytes, Folder]
    submodules: tuple[bytes, ...] = ()
    pointers: tuple[bytes, ...] = ()

    @property
    def size(self) -> int:
        return sum(folder.seal.size for folder in self.folders.values())

    def exported(self) -> Exported:
        files = sum(folder.seal.files for folder in self.folders.values())
        return Exported.of(files, self.size, self.submodules, self.pointers)


def this_boot() -> str:
    """Raises OSError where the kernel does not say."""
    return BOOT.read_text().strip()


def write_state(file: Path, state: State) -> None:
    """Whole or not at all: a line of JSON, one for each folder, and the digest of all of them. Raises OSError."""
    new, digest = file.with_name("state.new"), sha256()
    new.unlink(missing_ok=True)
    with open(new, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as opened:
        for line in encode(state):
            text = json.dumps(line, separators=(",", ":")).encode() + b"\n"
            digest.update(text)
            opened.write(text)
        opened.write(digest.hexdigest().encode())
    new.rename(file)


def read_state(file: Path) -> State | None:
    """What `write_state` wrote, unless it is missing, not ours, damaged, of another format or of another boot."""
    try:
        with open(file, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NOFOLLOW)) as opened:
            if os.fstat(opened.fileno()).st_uid != os.geteuid():
                return None
            state = decode(read_lines(opened))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return state if state.boot == this_boot() else None


def read_lines(opened: BinaryIO) -> Iterator[Any]:
    """Each line's JSON. Raises ValueError where the digest at the end is another."""
    digest = sha256()
    for line in opened:
        if not line.endswith(b"\n") and line == digest.hexdigest().encode():
            return
        digest.update(line)
        yield json.loads(line)
    raise ValueError("cut short")


def recorded_size(file: Path) -> int | None:
    """The bytes of the context whose state this is; None where that is not told."""
    with suppress(OSError, ValueError, LookupError, TypeError), file.open("rb") as opened:
        return int(json.loads(opened.readline())["size"])
    return None


def encode(state: State) -> Iterator[Any]:
    """A head, then what is written of each folder: one by one, since all of them are 10 MB for 130,000 files."""
    yield {
        "format": FORMAT,
        "size": state.size,
        "name": state.name,
        "boot": state.boot,
        "generation": state.generation,
        "tree": state.tree,
        "submodules": list(map(os.fsdecode, state.submodules)),
        "pointers": list(map(os.fsdecode, state.pointers)),
    }
    for path, one in state.folders.items():
        yield os.fsdecode(path), b64encode(one.tree).decode(), one.seal.digest, one.seal.files, one.seal.size


def decode(lines: Iterator[Any]) -> State:
    """The state that `encode` gave; what is not of its form raises one of the errors of `read_state`."""
    head: dict[str, Any] = next(lines, {})
    if head["format"] != FORMAT:
        raise ValueError(head["format"])
    return State(
        name=head["name"],
        boot=head["boot"],
        generation=head["generation"],
        tree=head["tree"],
        folders={
            os.fsencode(path): Folder(tree=b64decode(tree), seal=Seal(digest=digest, files=files, size=size))
            for path, tree, digest, files, size in lines
        },
        submodules=tuple(map(os.fsencode, head["submodules"])),
        pointers=tuple(map(os.fsencode, head["pointers"])),
    )
