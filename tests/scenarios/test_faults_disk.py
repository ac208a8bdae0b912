"""Full disks: the runner's own, and the Docker host's."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.applications import python_application
from tests.support.docker_proxy import docker_proxy
from tests.support.engines import Engine, Sandbox, new_sandbox, private_engine, why_no_private_engine
from tests.support.faults import daemon_of
from tests.support.promotions import FIRST, SECOND, SHORT, Production, make_history
from tests.support.runner import Runner

MEGABYTES = 700
BIG = 4 << 20
"""Bytes of a file that does not fit on a disk that is full."""


@pytest.fixture(scope="module")
def small_engine(machine: Engine) -> Iterator[Engine]:
    """An Engine whose data root is a small ext4 of its own."""
    if reason := why_no_private_engine():
        pytest.skip(reason)
    with private_engine(machine, label="small", megabytes=MEGABYTES) as engine:
        yield engine


@pytest.fixture
def production_there(
    small_engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    isolated: Path,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> Iterator[Production]:
    monkeypatch.setenv("DOCKER_HOST", small_engine.host)
    sandbox = new_sandbox(small_engine)
    with small_engine.entered():
        app = python_application(tmp_path / "app", sandbox)
        make_history(app.repo)
        yield Production(runner=Runner(sandbox=sandbox, app=app, folder=tmp_path), record=record_property)
        sandbox.clean()


@contextmanager
def full(sandbox: Sandbox) -> Iterator[None]:
    """Not a byte is free on the Engine's disk."""
    filler = daemon_of(sandbox).data / "filler"
    fill(filler)
    try:
        yield
    finally:
        filler.unlink()


def fill(filler: Path) -> None:
    size = 1 << 20
    with filler.open("ab", buffering=0) as file:
        while size:
            try:
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), size)
            except OSError:
                size //= 2


def test_a_runner_whose_disk_is_too_small_for_the_commit_is_an_error(production_here: Production) -> None:
    """I5. Fails when `wrap_unexpected_errors` in steps.py does not know what a full disk is."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    runner, folder = production_here.runner, production_here.runner.folder / "small"
    folder.mkdir(mode=0o700)
    runner.app.repo.commit({"big": os.urandom(BIG)})
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "none", str(folder)], check=True)
    try:
        ended = runner.gate(RUNNER_TEMP=str(folder), XDG_CACHE_HOME=str(folder))
        assert ended.decision == ("closed", "error", 3), ended.log
        assert "No space left on device" in ended.reason
        assert runner.containers(runner.app.staging) == []
        assert [path.name for path in folder.rglob("big")] == []
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    again = runner.gate()
    assert again.decision == ("open", "fresh", 0), again.log


def test_a_runners_disk_that_takes_no_more_during_a_promotion_costs_the_promotion_only(
    production_here: Production,
) -> None:
    """I9. Fails when `finish` in children.py needs a file for what Compose says, or `tell` in publish.py a report."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image, folder = production.build(SECOND, {"health": 503}), production.runner.folder / "small"
    folder.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "none", str(folder)], check=True)
    try:
        temp = {"TMPDIR": str(folder), "RUNNER_TEMP": str(folder)}
        run = production.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND, **temp, **SHORT)
        run.wait_for("to be healthy")
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        ended = run.end()
    finally:
        subprocess.run(["umount", str(folder)], check=True)

    assert (ended.status, ended.outputs["outcome"]) == (4, "rolled-back"), ended.log
    production.assert_serves(running)
    assert "The report cannot be written" in ended.log
    assert "serves again" in ended.log


def test_a_build_on_a_full_disk_closes_the_gate_and_staging_stays(production_there: Production) -> None:
    """I5. Fails when `end` of Building in engine/build.py believes a build that did not end well."""
    runner = production_there.runner
    assert runner.gate().decision == ("open", "fresh", 0)
    before = production_there.state()
    runner.app.repo.commit({"big": os.urandom(BIG)})

    with full(runner.sandbox):
        ended = runner.gate()

    assert ended.outputs["gate"] == "closed", ended.log
    assert ended.outputs["verdict"] in {"build-failed", "error"}
    assert "no space left on device" in ended.log
    assert production_there.state() == before
    again = runner.gate()
    assert again.decision == ("open", "fresh", 0), again.log


def test_a_promotion_on_a_full_disk_leaves_production_as_it_was(production_there: Production) -> None:
    """I8, I9. Fails when the record is taken for written where the Engine could not write it."""
    production, running = production_there, production_there.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND)

    with full(production.sandbox):
        ended = production.promote(image, **SHORT)
        assert ended.end in {(3, "error"), (4, "rolled-back")}, ended.log
        assert ended.answers.revisions == [running.revision]
        production.assert_serves(running)

    assert production.promote(image).end == (0, "promoted")
    production.assert_serves(image)


def test_a_disk_that_fills_while_production_changes_costs_the_promotion_only(production_there: Production) -> None:
    """I9. Fails when the way back needs what cannot be written, or `recreate` takes a failed `up` for a success."""
    production, running = production_there, production_there.build(FIRST)
    production.deploy(running)
    image, filler = production.build(SECOND), daemon_of(production.sandbox).data / "filler"

    with docker_proxy(production.sandbox.engine.host) as proxy:
        proxy.after("POST /volumes/create", lambda _call: fill(filler), nth=3)  # behind lock, owner and plan
        ended = production.promote(image, DOCKER_HOST=proxy.host, **SHORT)
    try:
        assert ended.end == (4, "rolled-back"), ended.log
        production.assert_serves(running)
    finally:
        filler.unlink()

    assert production.promote(image).end == (0, "promoted")
    production.assert_serves(image)
