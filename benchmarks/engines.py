"""Engines to measure on: private ones, where nobody else uses disk and cache, or else the machine's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.engines import CLASSIC, Engine, machine_engine, private_engine, why_no_private_engine


@contextmanager
def own_engine(host: str, label: str = "own") -> Iterator[Engine]:
    """A new one of the machine's own version; where that cannot be, the machine's, which has to be quiet then."""
    with machine_engine(host) as machine:
        if why_no_private_engine(CLASSIC):
            yield machine
            return
        with private_engine(machine, CLASSIC, label=label) as engine:
            yield engine


@contextmanager
def at(engine: Engine) -> Iterator[None]:
    """What is started in the block reaches this Engine, and the ports that it publishes."""
    before = os.environ.get("DOCKER_HOST")
    os.environ["DOCKER_HOST"] = engine.host
    try:
        with engine.entered():
            yield
    finally:
        os.environ.pop("DOCKER_HOST")
        if before:
            os.environ["DOCKER_HOST"] = before


def written_by(engine: Engine) -> int:
    """Bytes that this process, the children that have ended, and dockerd, where it is ours, sent to a disk till now."""
    files = [Path("/proc/self/io")]
    if engine.daemon:
        files.append(Path(f"/proc/{(engine.daemon.folder / 'pid').read_text().strip()}/io"))
    return sum(int(line.split()[1]) for file in files for line in file.open() if line.startswith("write_bytes"))


def cached_by(engine: Engine) -> int:
    """Bytes that BuildKit keeps."""
    return sum(int(entry["Size"]) for entry in engine.docker.api.df().get("BuildCache") or ())
