"""Gate, promotion and status on a host with hundreds of other containers, tags and volumes, against an empty one."""

import io
import sys
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from benchmarks.change import THEIRS
from benchmarks.deploys import deployed_on, gate, promote, run
from benchmarks.engines import own_engine
from benchmarks.table import Row
from tests.support.engines import CLASSIC, Engine, why_no_private_engine
from tests.support.runner import Runner

ROUNDS = 7
MOST = 1.5
TAGS_OF_AN_IMAGE = 5
PEER = "on an empty host"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What else is on a host; the containers have ended."""

    containers: int = 300
    tags: int = 1000
    volumes: int = 200


def measure(host: str, rounds: int, *, short: bool) -> Iterator[Row]:
    """One row for each command; none where there can be no Engine of our own to fill."""
    if reason := why_no_private_engine(CLASSIC):
        print(f"not measured: a full host, since {reason}", file=sys.stderr)
        return
    content = Content(containers=3, tags=10, volumes=3) if short else Content()
    with ExitStack() as stack:
        full, empty = (stack.enter_context(own_engine(host, label)) for label in ("full", "empty"))
        fill(full, content)
        runners = [stack.enter_context(deployed_on(engine)) for engine in (full, empty)]
        times = [[take_turn(runner) for runner in runners] for _ in range(rounds + 1)][1:]
    for number, command in enumerate(("gate", "promote", "status")):
        ours, theirs = (median(pair[side][number] for pair in times) for side in (0, 1))
        what = f"{command} on a host of {content.containers} containers, {content.tags} tags, {content.volumes} volumes"
        yield Row(what=what, measured=ours, target=MOST, peer=PEER, peer_measured=theirs)


def take_turn(runner: Runner) -> tuple[float, float, float]:
    """Own seconds of gate, promotion and status, for one more commit."""
    head = runner.app.repo.head()
    runner.app.repo.commit({"other": head})
    gated = gate(runner)
    promoted, status = promote(runner, gated), run(runner, "status")
    return gated.without(*THEIRS, "build"), promoted.without(*THEIRS), status.total


def fill(engine: Engine, content: Content) -> None:
    """Images of one small file each, containers of them, and volumes."""
    api = engine.docker.api
    images = []
    for number in range(-(-content.tags // TAGS_OF_AN_IMAGE)):
        name = f"other/application{number}"
        api.import_image_from_data(one_file(number), repository=name, tag="0")
        images.append(f"{name}:0")
        for tag in range(1, TAGS_OF_AN_IMAGE):
            api.tag(images[-1], name, str(tag))
    for number in range(content.containers):
        labels = {"com.docker.compose.project": f"other{number // 10}", "com.docker.compose.service": f"s{number % 10}"}
        api.create_container(images[number % len(images)], ["/file"], labels=labels, name=f"other-{number}")
    for number in range(content.volumes):
        api.create_volume(f"other{number}", labels={"com.docker.compose.project": f"other{number // 10}"})


def one_file(number: int) -> bytes:
    whole, data = io.BytesIO(), str(number).encode()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        entry = tarfile.TarInfo("file")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return whole.getvalue()
