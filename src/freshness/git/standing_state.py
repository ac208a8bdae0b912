"""What is written down of a standing build context: which tree it holds, and how the file system keeps it."""

import json
import os
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from freshness.git.export import Exported
from freshness.git.seal import Seal

BOOT = Path("/proc/sys/kernel/random/boot_id")
FORMAT = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """One folder of the context: the raw tree object that it was written from, and its seal."""

    tree: bytes
    seal: Seal


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
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


def read_state(file: Path) -> State | None:
    """What `write_state` wrote, unless it is missing, not ours, damaged, of another format or of another boot."""
    try:
        with open(file, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NOFOLLOW)) as opened:
            head, body = opened.readline().split(), opened.read()
            if os.fstat(opened.fileno()).st_uid != os.geteuid():
                return None
        if head[0] != FORMAT.encode() or head[2] != digest(body):
            return None
        state = decode(json.loads(body))
        return state if state.boot == this_boot() else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def write_state(file: Path, state: State) -> None:
    """Whole or not at all. Raises OSError."""
    body = json.dumps(encode(state), separators=(",", ":")).encode()
    new = file.with_name("state.new")
    new.unlink(missing_ok=True)
    with open(new, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as opened:
        opened.write(b"%s %d %s\n%s" % (FORMAT.encode(), state.size, digest(body), body))
    new.rename(file)


def recorded_size(file: Path) -> int | None:
    """The bytes of the context whose state this is; None where that is not told."""
    with suppress(OSError, ValueError, LookupError), file.open("rb") as opened:
        return int(opened.readline(100).split()[1])
    return None


def digest(body: bytes) -> bytes:
    return sha256(body).hexdigest().encode()


def encode(state: State) -> dict[str, object]:
    return {
        "name": state.name,
        "boot": state.boot,
        "generation": state.generation,
        "tree": state.tree,
        "folders": {
            os.fsdecode(path): [b64encode(one.tree).decode(), one.seal.digest, one.seal.files, one.seal.size]
            for path, one in state.folders.items()
        },
        "submodules": list(map(os.fsdecode, state.submodules)),
        "pointers": list(map(os.fsdecode, state.pointers)),
    }


def decode(said: Any) -> State:
    """The state that `encode` gave; what is not of its form raises one of the errors of `read_state`."""
    folders = {
        os.fsencode(path): Folder(tree=b64decode(tree), seal=Seal(digest=seal, files=files, size=size))
        for path, (tree, seal, files, size) in said["folders"].items()
    }
    return State(
        name=said["name"],
        boot=said["boot"],
        generation=said["generation"],
        tree=said["tree"],
        folders=folders,
        submodules=tuple(map(os.fsencode, said["submodules"])),
        pointers=tuple(map(os.fsencode, said["pointers"])),
    )
