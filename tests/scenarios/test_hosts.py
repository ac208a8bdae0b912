"""A production of several Docker hosts is promoted, taken back and rolled back as one."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.engines import Engine
from tests.support.hosts import DockerHost, DockerHosts, docker_hosts
from tests.support.promotions import FIRST, LONG, SECOND, Built, Production
from tests.support.runner import Ended
from tests.support.ssh_server import why_no_sshd


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """One production on `hosts`; what is promoted was gated on the machine's own Engine, which is the first of them."""

    production: Production
    at: DockerHosts

    @property
    def hosts(self) -> tuple[DockerHost, ...]:
        return self.at.hosts

    def run(self, *words: str, **variables: str) -> Ended:
        return self.production.runner.start(*words, **{**LONG, **self.at.variables, **variables}).end(120)

    def promote(self, image: Built, /, *words: str, **variables: str) -> Ended:
        told = {"SOURCE_IMAGE": image.id, "EXPECTED_REVISION": image.revision}
        return self.run("promote", *words, **{**told, **variables})

    def serves(self) -> list[str]:
        """The revision that each host serves."""
        return [one.get(self.production.app.production_port) for one in self.hosts]

    def volumes(self) -> list[list[str]]:
        """Locks and plans that are still there, on each host."""
        mine = {"name": f"freshness.{self.production.app.project}."}
        return [[volume.name for volume in one.sandbox.docker.volumes.list(filters=mine)] for one in self.hosts]

    def state(self) -> list[object]:
        """What a run may change, on each host."""
        return [
            replace(self.production, runner=replace(self.production.runner, sandbox=one.sandbox)).state()
            for one in self.hosts
        ]


def end_of(ended: Ended) -> tuple[int, str]:
    return ended.status, ended.outputs["outcome"]


@pytest.fixture
def fleet(production_here: Production, machine: Engine, private: Engine, tmp_path: Path) -> Iterator[Fleet]:
    """On two hosts, with both image stores."""
    if reason := why_no_sshd():
        pytest.skip(reason)
    sandbox = production_here.sandbox
    with docker_hosts([machine, private], sandbox, tmp_path / "hosts", os.environ["PATH"]) as at:
        yield Fleet(production=production_here, at=at)


def test_two_hosts_are_promoted_and_rolled_back_as_one(fleet: Fleet) -> None:
    """Fails when a host is left out, or is not proven for itself."""
    first, second = fleet.production.build(FIRST), fleet.production.build(SECOND)

    ended = fleet.promote(first)
    assert end_of(ended) == (0, "promoted"), ended.log
    assert fleet.serves() == [FIRST, FIRST]
    ended = fleet.promote(second)
    assert end_of(ended) == (0, "promoted"), ended.log
    assert fleet.serves() == [SECOND, SECOND]
    assert fleet.volumes() == [[], []]
    print(ended.log)
    ended = fleet.run("rollback")
    assert end_of(ended) == (0, "promoted"), ended.log
    assert fleet.serves() == [FIRST, FIRST]
    assert [one.server.logins for one in fleet.hosts] == [3, 3]
