"""Leaves out of a saved image the layers that the other Engine has: its classic store takes those by what they are.

Measured with Engine 20.10, 26.1 and 28.5: the classic store opens no layer whose chain it has, and where one is missing
it takes nothing. The containerd store leaves an image behind then that it names and cannot run, so it gets all of them.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from typing import IO, Any

from freshness.core.hexid import IMAGE
from freshness.engine.client import Engine, engine_call
from freshness.engine.facts import has_classic_store

_MANY = 20
"""The newest images of the other Engine: what production runs is among them."""
_PIECE = 1 << 20  # bytes
_BLOBS = "blobs/sha256/"
"""Before a layer's digest, in what Engine 25 and newer save."""


def find_shared(target: Engine, layers: Sequence[str]) -> Sequence[str]:
    """Those of the layers, from the base up, that an image there has below it too. Raises EngineError."""
    with engine_call("looking for layers that need not be sent"):
        if not has_classic_store(target):
            return ()
        listed = target.client.api.images()
        newest = sorted(listed, key=lambda one: one["Created"], reverse=True)[:_MANY]
        known = [target.client.api.inspect_image(one["Id"]) for one in newest]  # type: ignore[no-untyped-call]
    others = [(one.get("RootFS") or {}).get("Layers") or () for one in known]
    return layers[: max((_count_shared(layers, other) for other in others), default=0)]


def _count_shared(layers: Sequence[str], other: Sequence[str]) -> int:
    pairs = enumerate(zip(layers, other, strict=False))
    return next((number for number, (one, its) in pairs if one != its), min(len(layers), len(other)))


def leave_out(shared: Sequence[str], saved: Iterator[bytes]) -> Iterator[bytes]:
    """The archive without these layers, from the base up. Raises tarfile.ReadError where it is cut."""
    names = {_BLOBS + layer.removeprefix(IMAGE) for layer in shared}
    chains, is_whole = _chains(shared), False
    with tarfile.open(fileobj=io.BufferedReader(_Readable(saved), _PIECE), mode="r|", bufsize=_PIECE) as archive:
        for member in archive:
            content: IO[bytes] | None = archive.extractfile(member)
            folder, _, name = member.name.partition("/")
            is_whole |= member.name == "manifest.json"  # behind all layers
            if content and name == "json":
                told = content.read()
                names |= {f"{folder}/layer.tar"} if _is_of(folder, told, chains) else set()
                content = io.BytesIO(told)
            if member.name not in names:
                yield from _pack(member, content)
    if not is_whole:
        raise tarfile.ReadError("the archive ends before its manifest")
    yield bytes(2 * tarfile.BLOCKSIZE)


def _chains(layers: Sequence[str]) -> list[str]:
    """What Docker calls each layer with all below it: https://github.com/opencontainers/image-spec, config.md."""
    found = list[str]()
    for layer in layers:
        found.append(_digest(f"{found[-1]} {layer}".encode()) if found else layer)
    return found


def _is_of(folder: str, told: bytes, chains: Sequence[str]) -> bool:
    """Whether the layer in the folder is one of these: before Engine 25 its name is a hash that its chain is part of.

    See CreateID in image/v1 of Docker 20.10; what the file says besides was added after it.
    """
    said = json.loads(told)
    hashed = {name: value for name, value in said.items() if name not in {"id", "os", "parent"}}
    if said.get("parent"):
        hashed["parent"] = f"{IMAGE}{said['parent']}"
    tried = (dict(sorted((hashed | {"layer_id": chain}).items())) for chain in chains)
    return any(_digest(json.dumps(one, separators=(",", ":")).encode()) == f"{IMAGE}{folder}" for one in tried)


def _digest(content: bytes) -> str:
    return f"{IMAGE}{hashlib.sha256(content).hexdigest()}"


def _pack(member: tarfile.TarInfo, content: IO[bytes] | None) -> Iterator[bytes]:
    yield member.tobuf(tarfile.PAX_FORMAT)
    if content:
        yield from iter(lambda: content.read(_PIECE), b"")
        yield bytes(-member.size % tarfile.BLOCKSIZE)


class _Readable(io.RawIOBase):
    """The pieces as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)
