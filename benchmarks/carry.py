"""Carries an image from one Engine to another, whole and upon a base that is there; the peer is a person's pipe."""

import io
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

from benchmarks.engines import own_engine
from benchmarks.table import Row
from freshness.engine.carry import carry_image
from freshness.engine.client import connect
from freshness.engine.lock_owner import new_lock
from tests.support.engines import BASE_IMAGE, CLASSIC, Engine, why_no_private_engine

MEGABYTES, ROUNDS = 100, 5
PEER = "docker save | docker load"


def measure(host: str, megabytes: int, rounds: int) -> Iterator[Row]:
    """One row without a common layer, one upon the base image; without ssh, which the pipe would need as well."""
    if reason := why_no_private_engine(CLASSIC):
        print(f"not measured: carrying an image, since {reason}", file=sys.stderr)
        return
    with ExitStack() as stack:
        source, target = (stack.enter_context(own_engine(host, label)) for label in ("source", "target"))
        for base in ("", BASE_IMAGE):
            image = make_image(source, base, megabytes)
            times = [take_turn(source, target, image) for _ in range(rounds + 1)][1:]
            what = f"carry {megabytes} MB to another Engine{' upon a base that is there' if base else ''}"
            ours, theirs = (median(pair[side] for pair in times) for side in (0, 1))
            yield Row(what=what, measured=ours, target=1, peer=PEER, peer_measured=theirs)


def take_turn(source: Engine, target: Engine, image: str) -> tuple[float, float]:
    """Seconds of ours, and of the pipe."""
    return carried(source, target, image), piped(source, target, image)


def carried(source: Engine, target: Engine, image: str) -> float:
    there = connect({**os.environ, "DOCKER_HOST": target.host}, 60)
    lock = new_lock(there, "benchmark", command="benchmark", revision="", seconds=600, env=os.environ, say=print)
    with lock.take(60) as lease:
        before = time.perf_counter()
        carry_image(connect({**os.environ, "DOCKER_HOST": source.host}, 60), lease, image)
        took = time.perf_counter() - before
    target.docker.images.remove(image, force=True)
    return took


def piped(source: Engine, target: Engine, image: str) -> float:
    before = time.perf_counter()
    save = ["docker", "--host", source.host, "save", image]
    with subprocess.Popen(save, stdout=subprocess.PIPE) as saving:
        load = ["docker", "--host", target.host, "load", "--quiet"]
        subprocess.run(load, stdin=saving.stdout, check=True, capture_output=True)
    took = time.perf_counter() - before
    target.docker.images.remove(image, force=True)
    return took


def make_image(engine: Engine, base: str, megabytes: int) -> str:
    """Its ID: upon the base a layer that nobody can compress."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as files:
        member = tarfile.TarInfo("data")
        member.size = megabytes * 1_000_000
        files.addfile(member, io.BytesIO(os.urandom(member.size)))
    archive.seek(0)
    if not base:
        engine.docker.api.import_image_from_data(archive.getvalue(), repository="benchmark", tag="own")
        return str(engine.docker.images.get("benchmark:own").id)
    container = engine.docker.containers.create(base, "true")
    container.put_archive("/", archive)
    image = container.commit("benchmark", "upon")
    container.remove()
    return str(image.id)
