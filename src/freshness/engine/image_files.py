"""Reads files of an image or a container through the Engine; containers made for that are never started."""

import base64
import json
import tarfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from hashlib import blake2b
from http import HTTPStatus
from io import RawIOBase
from typing import IO, Any, cast

import docker
from docker.types import Mount as EngineMount
from msgspec import Struct

from freshness.core.mounts import normal
from freshness.engine.client import Engine, engine_call
from freshness.errors import EngineError

INSPECTION_LABEL = "freshness.files"
"""The label of every container that was made for reading."""
LONGEST = "600s"
PIECE = 1 << 20
Identify = Callable[[tarfile.TarFile, tarfile.TarInfo], object]
MANAGED = frozenset({"/.dockerenv", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/mtab"})
"""What the Engine puts into every container by itself."""


class Files(Struct, frozen=True, kw_only=True):
    """The files of one container, running or not."""

    engine: Engine
    container: str

    def stat(self, path: str) -> Mapping[str, Any] | None:
        """What the Engine says of the path, symbolic links in its folders followed; None where nothing is."""
        api = self.engine.client.api
        with engine_call(f"reading {path} in {self.container[:12]}"):
            url = f"{api.base_url}/v{api.api_version}/containers/{self.container}/archive"
            answer = api.head(url, params={"path": path})
            if answer.status_code == HTTPStatus.NOT_FOUND:
                return None
            answer.raise_for_status()
        found: Mapping[str, Any] = json.loads(base64.b64decode(answer.headers["X-Docker-Container-Path-Stat"]))
        return found

    def resolve(self, path: str) -> str:
        """The path without symbolic links, as far as it exists."""
        here = "/"
        for part in normal(path).strip("/").split("/"):
            here = normal(f"{here}/{part}")
            found = self.stat(here)
            if found and found["linkTarget"]:
                here = normal(found["linkTarget"])
        return here

    def under(self, path: str) -> Generator[tuple[str, object], None, None]:
        """Each file and link at the path or below it: its absolute path, and what tells it from any other bytes.

        Folders do not count. Whoever stops early reads no more from the Engine.
        """
        return self._found(path, _identity)

    def _found(self, path: str, identify: Identify) -> Generator[tuple[str, object], None, None]:
        place = self.resolve(path)
        with engine_call(f"reading {place} in {self.container[:12]}"):
            try:
                pieces, _ = self.engine.client.api.get_archive(self.container, place, chunk_size=PIECE)
            except docker.errors.NotFound:
                return
            with closing(pieces):
                yield from _read(pieces, place, identify)

    def first(self, path: str) -> str | None:
        """Some file at the path or below it, or None."""
        with closing(self._found(path, lambda _archive, _member: None)) as found:
            return next((where for where, _ in found), None)


def _read(pieces: Iterable[bytes], place: str, identify: Identify) -> Iterator[tuple[str, object]]:
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", _Stream(pieces)), mode="r|") as archive:
            for member in archive:
                where = normal(f"{place}/{member.name.partition('/')[2]}")
                if not (member.isdir() or where in MANAGED):
                    yield where, identify(archive, member)
    except tarfile.TarError as error:  # files that change while they are read
        raise EngineError(f"{place} cannot be read from the Engine: {error}.", "Run again.") from error


class _Stream(RawIOBase):
    """The pieces of an answer as a file that is read once."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size and (piece := next(self._pieces, b"")):
            self._rest += piece
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


def _identity(archive: tarfile.TarFile, member: tarfile.TarInfo) -> object:
    """Its kind, mode, and bytes or target; no times, which copying changes."""
    digest = blake2b()
    file = archive.extractfile(member) if member.isreg() else None
    while file and (piece := file.read(PIECE)):
        digest.update(piece)
    return member.type, member.mode, member.linkname, digest.digest()


@contextmanager
def files_of(engine: Engine, image_id: str, mounts: tuple[EngineMount, ...] = ()) -> Iterator[Files]:
    """The files of a container that is made from the image, with these mounts, is never started, and goes again."""
    api = engine.client.api
    with engine_call(f"reading the image {image_id}"):
        with suppress(docker.errors.APIError):  # what killed runs left; another prune may be at work
            api.prune_containers({"label": INSPECTION_LABEL, "until": LONGEST})  # type: ignore[no-untyped-call]
        host = api.create_host_config(mounts=list(mounts), network_mode="none")
        # A command, since an image need not have one.
        made = api.create_container(image_id, ["none"], labels={INSPECTION_LABEL: "1"}, host_config=host)["Id"]
    try:
        yield Files(engine=engine, container=made)
    finally:
        with engine_call(f"removing the container {made[:12]}"), suppress(docker.errors.NotFound):
            api.remove_container(made, v=True, force=True)
