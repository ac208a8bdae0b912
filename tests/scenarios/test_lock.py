"""One run at a time for a target, whoever starts it; a holder that is no more is taken over, aloud."""

import itertools
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from freshness.core.lock import LockOwner, Place, Record, service_lock, tag_lock, to_labels
from freshness.engine.lock_liveness import _machine_id, _machine_name
from tests.support.docker_proxy import Call, docker_proxy
from tests.support.engines import ROOT
from tests.support.promotions import FIRST, LONG, SECOND, SHORT, Built, Production
from tests.support.runner import Running, eventually

ELSEWHERE = Place(host="elsewhere", machine="m", boot="b", pid_namespace="pid:[1]", pid=7, started=9, container="")
HOLDER = LockOwner(
    token="1" * 32, command="freshness promote", revision=SECOND, who="ann", run="", seconds=3600, place=ELSEWHERE
)
SLOW: dict[str, object] = {"start_seconds": 3}


def lock_name(production: Production) -> str:
    return service_lock(production.app.project, production.app.production)


def locks(production: Production) -> list[str]:
    """The volumes of production's lock and of staging's."""
    found = production.sandbox.docker.volumes.list(filters={"name": f"freshness.{production.app.project}."})
    return [volume.name for volume in found]


def lease(production: Production, owner: LockOwner) -> None:
    """Makes the volume that this holder would have made."""
    options = {"type": "tmpfs", "device": "tmpfs"}
    labels = to_labels(lock_name(production), owner)
    production.sandbox.docker.volumes.create(lock_name(production), driver_opts=options, labels=labels)


def start(production: Production, image: Built, **variables: str) -> Running:
    given = {"SOURCE_IMAGE": image.id, "EXPECTED_REVISION": image.revision, "ALLOW_ROLLBACK": "to and fro"}
    return production.start("promote", **{**given, **variables})


def deployed(production: Production, behaviour: dict[str, object] | None = None) -> tuple[Built, Built]:
    """What production runs, and what is to be promoted."""
    running, image = production.build(FIRST), production.build(SECOND, behaviour)
    production.deploy(running)
    return running, image


def test_promotions_at_once_come_one_after_the_other(
    production_here: Production, request: pytest.FixtureRequest
) -> None:
    """Fails when `claim` in engine/lock.py takes what was there already for its own.

    Each end of a tenure is a volume that goes. Production's tag is moved once in a tenure at most.
    """
    count = 20 if request.config.getoption("--under-fire") else 6
    images = deployed(production_here)

    with events_of(production_here) as events:
        runs = [start(production_here, images[number % 2]) for number in range(count)]
        ends = [run.end(300) for run in runs]

    outcomes = Counter(ended.outputs["outcome"] for ended in ends)
    assert set(outcomes) <= {"promoted", "unchanged", "refused"}, [ended.log for ended in ends]
    moves = [index for index, event in enumerate(events) if event == "move"]
    assert len(moves) == outcomes["promoted"] + outcomes["unchanged"]
    for one, other in itertools.pairwise(moves):
        assert "release" in events[one:other], events
    (served,) = (image for image in images if image.id == production_here.sandbox.image_id(production_here.tag))
    production_here.assert_serves(served)
    assert locks(production_here) == []


@contextmanager
def events_of(production: Production) -> Iterator[list[str]]:
    """What the Engine says meanwhile: `move` for production's tag, `release` for a lock that goes."""
    seen: list[str] = []
    listening = production.sandbox.docker.events(decode=True, filters={"event": ["tag", "destroy"]})
    over = f"{production.sandbox.name}-over"

    def note(event: dict[str, Any]) -> bool:
        actor = event["Actor"]
        if event["Action"] == "tag" and actor["Attributes"]["name"].split(":")[0] == production.tag.split(":")[0]:
            seen.extend(["move"] if actor["Attributes"]["name"].endswith("latest") else [])
        if event["Type"] == "volume" and actor["ID"].startswith(lock_name(production)):
            seen.append("release")
        return bool(actor["ID"] == over)

    thread = threading.Thread(target=lambda: any(map(note, listening)))
    thread.start()
    try:
        yield seen
    finally:
        production.sandbox.docker.volumes.create(over).remove()  # the last event that matters
        thread.join(30)
        listening.close()


def test_a_promotion_waits_for_the_one_at_work_and_says_so(production_here: Production) -> None:
    """Fails when `wait` in engine/lock.py takes a living process for a dead one."""
    running, image = deployed(production_here, SLOW)
    first = start(production_here, image)
    first.wait_for("to be healthy")

    second = start(production_here, running)
    second.wait_for("Waiting for 'freshness promote' of")
    ends = first.end(), second.end()

    production_here.assert_serves(running)
    assert [ended.outputs["outcome"] for ended in ends] == ["promoted", "promoted"], ends[1].log


def held_production(production: Production) -> tuple[str, Running]:
    return lock_name(production), start(production, production.build(FIRST), LOCK_TIMEOUT="1")


def held_staging(production: Production) -> tuple[str, Running]:
    name = service_lock(production.app.project, production.app.staging)
    return name, production.runner.start_gate(LOCK_TIMEOUT="1")


def held_tag(production: Production) -> tuple[str, Running]:
    image = production.build(FIRST)
    run = start(production, image, RECREATE="false", PROD_IMAGE=production.tag, LOCK_TIMEOUT="1")
    return tag_lock(production.tag), run


@pytest.mark.parametrize("held", [held_production, held_staging, held_tag])
def test_the_command_that_a_refusal_names_leads_to_the_lock_from_anywhere(
    held: Callable[[Production], tuple[str, Running]], production_here: Production, tmp_path: Path
) -> None:
    """Fails when the sentence names `freshness unlock` alone, which finds production's of the settings at hand."""
    name, run = held(production_here)
    options = {"type": "tmpfs", "device": "tmpfs"}
    production_here.sandbox.docker.volumes.create(name, driver_opts=options, labels=to_labels(name, HOLDER))
    ended = run.end()
    assert ended.status == 1, ended.log
    (command,) = re.findall(r"`([^`]*freshness unlock[^`]*)`", ended.reason)

    def typed(more: str) -> subprocess.CompletedProcess[str]:
        program = f"{shlex.quote(sys.executable)} -I {shlex.quote(str(ROOT / 'src'))} "
        return subprocess.run(
            ["sh", "-c", command.replace("freshness ", program) + more],
            cwd=tmp_path, env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    shown, broken = typed(""), typed(" --force")

    assert (shown.returncode, "'ann' on 'elsewhere'" in shown.stdout) == (1, True), shown
    assert (broken.returncode, "The lock is released" in broken.stdout) == (0, True), broken
    assert production_here.sandbox.docker.volumes.list(filters={"name": name}) == []


def test_a_promotion_that_waits_too_long_is_refused_and_names_the_holder(production_here: Production) -> None:
    """Fails when `wait` in engine/lock.py goes on for ever, or ends in silence."""
    running, _ = deployed(production_here)
    lease(production_here, HOLDER)
    before = production_here.state()

    ended = production_here.promote(running, LOCK_TIMEOUT="1")

    assert ended.end == (1, "refused"), ended.log
    assert "'ann' on 'elsewhere'" in ended.reason
    assert "freshness unlock" in ended.reason
    assert production_here.state() == before


DEAD: dict[str, LockOwner] = {
    "its seconds are over": replace(HOLDER, seconds=0),
    "its job's container is gone": replace(HOLDER, place=replace(ELSEWHERE, container="f" * 64)),
    "its machine was started anew": replace(HOLDER, place=replace(ELSEWHERE, machine=_machine_name())),
    "the same, and version 1.0 wrote it": replace(HOLDER, place=replace(ELSEWHERE, machine=_machine_id())),
}


@pytest.mark.parametrize("dead", DEAD.values(), ids=DEAD)
def test_a_holder_that_is_no_more_is_taken_over_aloud(dead: LockOwner, production_here: Production) -> None:
    """Fails when `why_dead` in engine/lock_liveness.py knows nothing but processes of this machine."""
    if not dead.place.machine:
        pytest.skip("this machine has no /etc/machine-id")
    _, image = deployed(production_here)
    lease(production_here, dead)

    ended = production_here.promote(image)

    production_here.assert_serves(image)
    assert ended.end == (0, "promoted"), ended.log
    assert "Taken over: " in ended.log
    assert locks(production_here) == []


def test_a_compose_that_a_killed_promotion_left_at_work_still_holds(production_here: Production) -> None:
    """I8. Fails when `why_dead` in lock_liveness.py looks for the process alone, and not for what it left running."""
    running, image = deployed(production_here)
    with docker_proxy(production_here.sandbox.engine.host) as proxy:
        run = start(production_here, image, DOCKER_HOST=proxy.host)
        left: list[int] = []

        def leave(_call: object) -> None:
            left.append(run.wait_for_child("docker-compose@"))
            os.kill(left[0], signal.SIGSTOP)
            run.process.kill()

        proxy.before("POST /containers/*/stop", leave)
        assert run.process.wait(60) == -signal.SIGKILL
        early = production_here.promote(running, LOCK_TIMEOUT="1")
        os.kill(left[0], signal.SIGCONT)
        ended = start(production_here, running).end()

    assert early.end == (1, "refused"), early.log
    production_here.assert_serves(running)
    assert ended.status == 0, ended.log
    assert locks(production_here) == []


def test_what_a_dead_holder_left_running_holds_for_its_time_alone(production_here: Production) -> None:
    """I8. Fails when `why_dead` asks no clock for what was left running, or `wait` lets that change the host later."""
    running, _ = deployed(production_here)
    boot, namespace = Path("/proc/sys/kernel/random/boot_id").read_text().strip(), Path("/proc/self/ns/pid").readlink()
    here = replace(ELSEWHERE, boot=boot, pid_namespace=str(namespace), pid=2**22 + 1, user=str(os.geteuid()))
    with subprocess.Popen([f"sleep@{HOLDER.token}", "600"], executable="sleep") as left:
        lease(production_here, replace(HOLDER, place=here))
        early = production_here.promote(running, LOCK_TIMEOUT="1")
        production_here.sandbox.docker.volumes.get(lock_name(production_here)).remove()
        lease(production_here, replace(HOLDER, place=here, seconds=0))
        ended = production_here.promote(running)
        assert left.wait(20) == -signal.SIGKILL

    assert early.end == (1, "refused"), early.log
    assert ended.end == (0, "unchanged"), ended.log
    assert "has ended, and its 0 s are over" in ended.log
    assert locks(production_here) == []


def test_a_job_container_that_runs_still_holds(production_here: Production) -> None:
    """Fails when `why_dead` in engine/lock_liveness.py takes every container for an ended one."""
    running, _ = deployed(production_here)
    lease(production_here, replace(HOLDER, place=replace(ELSEWHERE, container=str(production_here.container().id))))

    assert production_here.promote(running, LOCK_TIMEOUT="1").end == (1, "refused")


def test_whoever_lost_the_lock_writes_nothing_any_more(production_here: Production) -> None:
    """Fails when `require` in engine/lock.py is not asked on the way back, or asks for the name alone.

    The candidate is never healthy: the promotion would go back, but somebody broke its lock, and another goes first.
    """
    running, image = deployed(production_here, {"health": 503})
    first = start(production_here, image, **SHORT)
    first.wait_for("to be healthy")

    with first.frozen():
        shown = unlock(production_here)
        assert shown.status == 1, shown.log
        assert "next write: --force." in shown.log
        broken = unlock(production_here, "--force")
        assert broken.status == 0, broken.log
        second = production_here.promote(running, **SHORT)
        lease(production_here, HOLDER)  # a third run, under the very name that the first one's lock had
    ended = first.end()

    production_here.assert_serves(running)
    assert second.end == (0, "unchanged"), second.log
    assert "undone" in second.log
    assert (ended.status, ended.outputs["outcome"]) == (3, "error"), ended.log
    assert "taken over" in ended.reason
    assert locks(production_here) == [lock_name(production_here)]


def unlock(production: Production, *words: str) -> Any:
    return production.runner.start("unlock", *words).end()


def test_unlock_says_that_nothing_is_held(production_here: Production) -> None:
    assert "is not locked" in unlock(production_here).log


def test_unlock_breaks_what_a_dead_holder_left_and_the_next_run_still_undoes_it(production_here: Production) -> None:
    """Fails when `_break` in unlock.py forgets what was begun."""
    running, image = deployed(production_here)
    record = Record(tag=production_here.tag, previous=running.id, candidate=image.id, tagged=running.id, kept=())
    lease(production_here, replace(HOLDER, seconds=0, record=record))
    production_here.sandbox.cli("tag", image.id, production_here.tag)

    shown = unlock(production_here)
    assert shown.status == 0, shown.log
    assert image.id in shown.log
    ended = production_here.promote(running)

    production_here.assert_serves(running)
    assert ended.end == (0, "unchanged"), ended.log
    assert "An interrupted promotion was undone" in ended.log


def test_a_volume_of_that_name_that_is_no_lock_is_refused(production_here: Production) -> None:
    """Fails when `_hold` in engine/lock.py takes a volume without our labels for a free lock, or for a holder."""
    running, _ = deployed(production_here)
    production_here.sandbox.cli("volume", "create", lock_name(production_here))

    ended = production_here.promote(running)

    assert ended.end == (3, "error"), ended.log
    assert "docker volume rm" in ended.reason


def test_what_somebody_deployed_meanwhile_is_left_alone(production_here: Production) -> None:
    """I9. Fails when `recover` undoes a record that has nothing to do with what runs."""
    running, image = deployed(production_here)
    other = production_here.build("0" * 40)
    record = Record(tag=production_here.tag, previous=other.id, candidate=image.id, tagged="", kept=())
    lease(production_here, replace(HOLDER, seconds=0, record=record))

    ended = production_here.promote(running)

    production_here.assert_serves(running)
    assert ended.end == (0, "unchanged"), ended.log
    assert "left alone" in ended.log


def test_two_gates_at_once_come_one_after_the_other(production_here: Production) -> None:
    """Fails when `take` in gate/switch.py does not hold staging to the last look."""
    runner = production_here.runner
    commits = [runner.app.repo.head(), runner.app.repo.commit({"more": "text"})]

    ends = [run.end(120) for run in [runner.start_gate(GIT_SHA=commit) for commit in commits]]

    assert [ended.decision for ended in ends] == [("open", "fresh", 0)] * 2, [ended.log for ended in ends]
    assert locks(production_here) == []


def test_a_killed_gate_gives_way_to_the_next_at_once(production_here: Production) -> None:
    """Fails when `keep_one_container` in `recreate` in gate/switch.py leaves Compose's half-made container.

    With `cancel-in-progress` the next gate starts while the killed one's Compose still recreates staging.
    """
    runner = production_here.runner
    assert runner.gate().decision == ("open", "fresh", 0)
    commit = runner.app.repo.commit({"more": "text"})
    with docker_proxy(production_here.sandbox.engine.host) as proxy:
        run = runner.start_gate(DOCKER_HOST=proxy.host)
        proxy.before("POST /containers/*/stop", lambda _call: run.process.send_signal(signal.SIGKILL))
        assert run.process.wait(60) == -signal.SIGKILL
        ended = runner.gate(GIT_SHA=commit)

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert "Taken over: " in ended.log
    assert runner.staging().name == f"{runner.app.project}-{runner.app.staging}-1"
    eventually(lambda: not locks(production_here), "no lock is left")


def kill(run: Running, _call: Call) -> None:
    run.process.kill()


def test_a_killed_retag_is_taken_up_by_the_next(production_here: Production, request: pytest.FixtureRequest) -> None:
    """I9. Fails when `LeftTag` in left.py does not restore what a cut retag left."""
    production, every = production_here, 1 if request.config.getoption("--under-fire") else 3
    images = [production.build(FIRST), production.build(SECOND)]
    tag = f"{production.sandbox.name}-live:now"
    given = {"RECREATE": "false", "PROD_IMAGE": tag, "ALLOW_ROLLBACK": "to and fro", **LONG}
    production.sandbox.cli("tag", images[0].id, tag)
    with docker_proxy(production.sandbox.engine.host) as proxy:
        for moment in range(1, 100, every):
            run = start(production, images[1], DOCKER_HOST=proxy.host, **given)
            proxy.before(len(proxy.calls) + moment, partial(kill, run))
            killed = run.process.wait(60) != 0
            ended = production.promote(images[1], **{**given, "EXPECTED_REVISION": "0" * 40})
            assert ended.end == (1, "refused"), ended.log
            if production.sandbox.image_id(tag) == images[1].id:
                images.reverse()
            assert production.sandbox.image_id(tag) == images[0].id
            assert locks(production) == []
            if not killed:
                return
    raise AssertionError("it never came to its end")
