"""Leaves out of a saved image the layers that the other Engine has: its classic store takes those by what they are.

Measured with Engine 20.10, 26.1 and 28.5: the classic store opens no layer whose chain it has, and where one is missing
it takes nothing. The containerd store leaves an image behind then that it names and cannot run, so it gets all of them.
"""

import hashlib
import io
import tarfile
from collections.abc import Collection, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from freshness.core.hexid import IMAGE
from freshness.engine.client import Engine, engine_call
from freshness.engine.facts import has_classic_store

_MANY = 20
"""The newest images of the other Engine: what production runs is among them."""
_PIECE = 1 << 20  # bytes
_IN_MEMORY = 16 << 20
_BLOBS, _LEGACY = "blobs/sha256/", "/layer.tar"


def find_shared(target: Engine, layers: Sequence[str]) -> frozenset[str]:
    """Those of the layers, from the base up, that an image there has below it too. Raises EngineError."""
    with engine_call("looking for layers that need not be sent"):
        if not has_classic_store(target):
            return frozenset()
        listed = target.client.api.images()
        newest = sorted(listed, key=lambda one: one["Created"], reverse=True)[:_MANY]
        known = [target.client.api.inspect_image(one["Id"]) for one in newest]  # type: ignore[no-untyped-call]
    others = [(one.get("RootFS") or {}).get("Layers") or () for one in known]
    return frozenset(layers[: max((_count_shared(layers, other) for other in others), default=0)])


def _count_shared(layers: Sequence[str], other: Sequence[str]) -> int:
    pairs = enumerate(zip(layers, other, strict=False))
    return next((number for number, (one, its) in pairs if one != its), min(len(layers), len(other)))


def leave_out(shared: Collection[str], saved: Iterator[bytes]) -> Iterator[bytes]:
    """The archive without these layers. Engines before 25 do not name a layer by its digest: it is read to the end."""
    with tarfile.open(fileobj=io.BufferedReader(_Readable(saved), _PIECE), mode="r|", bufsize=_PIECE) as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is None or not member.name.endswith(_LEGACY):
                if IMAGE + member.name.removeprefix(_BLOBS) not in shared:
                    yield from _pack(member, content)
                continue
            with SpooledTemporaryFile(_IN_MEMORY) as kept:
                if _copy(content, kept) not in shared:
                    kept.seek(0)
                    yield from _pack(member, kept)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _pack(member: tarfile.TarInfo, content: IO[bytes] | None) -> Iterator[bytes]:
    yield member.tobuf(tarfile.PAX_FORMAT)
    if content:
        yield from iter(lambda: content.read(_PIECE), b"")
        yield bytes(-member.size % tarfile.BLOCKSIZE)


def _copy(content: IO[bytes], kept: IO[bytes]) -> str:
    """The digest of all that was copied."""
    digest = hashlib.sha256()
    for piece in iter(lambda: content.read(_PIECE), b""):
        digest.update(piece)
        kept.write(piece)
    return f"{IMAGE}{digest.hexdigest()}"


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
