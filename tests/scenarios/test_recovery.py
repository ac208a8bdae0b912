"""What an interrupted promotion left is recovered and never forgotten, whatever meets the run that recovers it."""

import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from freshness.core.lock import Record, successor_name, to_labels
from tests.scenarios.test_kills import children
from tests.scenarios.test_lock import ELSEWHERE, HOLDER, deployed, lease, lock_name, locks, start, unlock
from tests.support.docker_proxy import Call, docker_proxy
from tests.support.promotions import FIRST, SECOND, SHORT, THIRD, Built, Production
from tests.support.runner import Ended, Running


def cut_while_it_waits(production: Production, image: Built) -> None:
    """A promotion that is killed while its image, which never gets healthy, is production."""
    run = start(production, image)
    run.wait_for("to be healthy")
    run.process.kill()
    run.process.wait()


def cut_with_compose(production: Production, image: Built, call: str) -> None:
    """A promotion that is killed together with its Compose behind this call."""

    def cut(run: Running, _call: Call) -> None:
        compose = children(run, "docker-compose@")
        run.process.kill()
        for process in compose:
            os.kill(process, signal.SIGKILL)

    with docker_proxy(production.sandbox.engine.host) as proxy:
        run = start(production, image, DOCKER_HOST=proxy.host)
        proxy.after(call, partial(cut, run))
        run.process.wait(60)


def refused(production: Production, **variables: str) -> Ended:
    """A promotion that is refused for a reason of its own, once it has mended what there was."""
    return production.start("promote", SOURCE_IMAGE="none", EXPECTED_REVISION=THIRD, **SHORT, **variables).end()


def edit_compose(production: Production, edit: Callable[[str], str]) -> None:
    path = Path(production.app.repo.path / "compose.yaml")
    path.write_text(edit(path.read_text()))


def test_an_interrupt_does_not_cut_the_mending(production_here: Production) -> None:
    """I9. Fails when `interrupts_deferred` in signals.py does not wait for the end of the outer block."""
    running, image = deployed(production_here, {"health": 503})
    cut_while_it_waits(production_here, image)

    run = production_here.start("promote", SOURCE_IMAGE="none", EXPECTED_REVISION=THIRD, **SHORT)
    run.wait_for_child("docker-compose@")
    run.process.send_signal(signal.SIGTERM)
    ended = run.end()

    production_here.assert_serves(running)
    assert (ended.status, ended.outputs["outcome"]) == (143, "error"), ended.log
    assert "was undone" in ended.reason
    assert "Nothing was changed" not in ended.reason
    assert locks(production_here) == []


def test_a_mending_that_fails_is_tried_again_by_the_next(production_here: Production) -> None:
    """I9. Fails when `recover` in recovery.py removes the record before it was recovered."""
    running, image = deployed(production_here, {"health": 503})
    cut_while_it_waits(production_here, image)
    with docker_proxy(production_here.sandbox.engine.host) as proxy:
        proxy.before("GET /images/sha256*/json", Call.drop)
        failed = refused(production_here, DOCKER_HOST=proxy.host)

    assert failed.status == 3, failed.log
    assert len(locks(production_here)) == 1
    ended = refused(production_here)

    production_here.assert_serves(running)
    assert "was undone" in ended.log
    assert "undone" in ended.reason
    assert locks(production_here) == []


def test_without_a_log_to_show_it_is_mended_all_the_same(production_here: Production) -> None:
    """I9. Fails when `show_container_log` raises, or `_do` in recovery.py goes back for a refusal only."""
    edit_compose(production_here, lambda text: text.replace("    ports:", "    logging: {driver: none}\n    ports:"))
    running, image = deployed(production_here, {"health": 503})
    cut_while_it_waits(production_here, image)

    ended = refused(production_here)

    production_here.assert_serves(running)
    assert ended.status == 1, ended.log
    assert "was undone" in ended.log


def test_a_lock_that_is_lost_while_it_waits_for_health_is_no_refusal(production_here: Production) -> None:
    """I8. Fails when `_take_back` in execute.py swallows that the lock was lost: exit 1 says nothing was changed."""
    _, image = deployed(production_here, {"health": 503})
    run = start(production_here, image, **SHORT)
    run.wait_for("to be healthy")

    unlock(production_here, "--force")
    ended = run.end()

    assert (ended.status, ended.outputs["outcome"]) == (3, "error"), ended.log
    assert "the run that took over" in ended.reason


def test_two_dead_holders_of_one_lock_are_taken_over(production_here: Production) -> None:
    """Fails when `_hold` in engine/lock.py lets a dead rival stand in the way.

    As after three kills: of a promotion, of its follower, and of a third that had taken one of the two volumes away.
    """
    running, image = deployed(production_here)
    name = lock_name(production_here)
    record = Record(tag=production_here.tag, previous=running.id, candidate=image.id, tagged=running.id, kept=())
    lease(production_here, replace(HOLDER, token="a" * 32, seconds=0, record=record))
    last = to_labels(name, replace(HOLDER, token="c" * 32, seconds=0, record=record))
    options = {"type": "tmpfs", "device": "tmpfs"}
    production_here.sandbox.docker.volumes.create(successor_name(name, "b" * 32), driver_opts=options, labels=last)

    ended = refused(production_here)

    assert "was undone" in ended.log
    assert locks(production_here) == []


def test_a_job_container_that_is_paused_still_holds(production_here: Production) -> None:
    """I8. Fails when `why_dead` in engine/lock_liveness.py takes a paused container for an ended one."""
    running, _ = deployed(production_here)
    job = f"{production_here.sandbox.name}-job"
    container = production_here.sandbox.cli("run", "--detach", "--name", job, "python:3.13-slim", "sleep", "600")
    production_here.sandbox.cli("pause", job)
    lease(production_here, replace(HOLDER, place=replace(ELSEWHERE, container=container)))

    ended = production_here.promote(running, LOCK_TIMEOUT="1")

    production_here.sandbox.cli("unpause", job)
    assert ended.end == (1, "refused"), ended.log


def test_what_somebody_deployed_and_paused_is_left_alone(production_here: Production) -> None:
    """I9. Fails when `_look_at_services` in left.py looks at running containers only."""
    former, image, theirs = (production_here.build(revision) for revision in (FIRST, SECOND, THIRD))
    production_here.deploy(theirs)
    record = Record(tag=production_here.tag, previous=former.id, candidate=image.id, tagged=former.id, kept=())
    lease(production_here, replace(HOLDER, seconds=0, record=record))
    production_here.container().pause()

    ended = refused(production_here)

    assert "left alone" in ended.log
    assert production_here.container().attrs["Image"] == theirs.id


def test_production_that_is_down_is_brought_back_although_its_tag_is_another_by_now(
    production_here: Production,
) -> None:
    """I9. Fails when `_look_at_services` in left.py leaves a record alone because of its tag."""
    running, image = deployed(production_here)
    cut_with_compose(production_here, image, "POST /containers/*/stop")
    former = f"image: {production_here.app.project}-orchestrator\n"
    edit_compose(production_here, lambda text: text.replace(former, former.replace("\n", ":v2\n")))

    ended = refused(production_here)

    assert "was undone" in ended.log
    (container,) = production_here.runner.containers(production_here.app.production)
    assert (container.status, container.attrs["Image"]) == ("running", running.id)
    assert production_here.sandbox.image_id(production_here.tag) == running.id
    assert production_here.sandbox.image_id(f"{production_here.tag}:v2") == running.id


def test_a_tag_that_somebody_moved_after_a_retag_was_cut_is_left_alone(production_here: Production) -> None:
    """I9. Fails when `LeftTag` in left.py restores whatever the tag names."""
    production, tag = production_here, f"{production_here.sandbox.name}-live:now"
    image = production.build(FIRST)
    given = {"RECREATE": "false", "PROD_IMAGE": tag}
    with docker_proxy(production.sandbox.engine.host) as proxy:
        run = start(production, image, DOCKER_HOST=proxy.host, **given)
        proxy.before("POST /images/*/tag", lambda _call: run.process.kill())
        run.process.wait(60)
    theirs = production.build(THIRD, tag=tag)

    ended = refused(production, **given)

    assert "left alone" in ended.log
    assert production.sandbox.image_id(tag) == theirs.id


def test_a_retag_whose_mending_fails_is_mended_by_the_next(production_here: Production) -> None:
    """I9. Fails when `recover` in recovery.py removes the record before it was recovered."""
    production, tag = production_here, f"{production_here.sandbox.name}-live:now"
    first, second = production.build(FIRST), production.build(SECOND)
    production.sandbox.cli("tag", first.id, tag)
    given = {"RECREATE": "false", "PROD_IMAGE": tag}
    with docker_proxy(production.sandbox.engine.host) as proxy:
        run = start(production, second, DOCKER_HOST=proxy.host, **given)
        proxy.after("POST /images/*/tag", lambda _call: run.process.kill())
        run.process.wait(60)
        proxy.before("POST /images/*/tag", Call.drop)
        failed = refused(production, DOCKER_HOST=proxy.host, **given)

    assert failed.status == 3, failed.log
    ended = refused(production, **given)

    assert "was finished" in ended.log
    assert production.sandbox.image_id(f"{tag.partition(':')[0]}:freshness-previous") == first.id


def test_who_only_looks_after_a_cut_is_told_what_serves_and_what_comes_first(production_here: Production) -> None:
    """Fails when `show_status` shows what Compose left half made, or a dry run judges what a real one mends first."""
    running, image = deployed(production_here)
    cut_with_compose(production_here, image, "POST /containers/create")
    before = sorted(locks(production_here))

    status = production_here.runner.start("status").end()
    dry = production_here.runner.start("promote", "--dry-run", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND).end()

    (commit,) = [line for line in status.log.splitlines() if line.startswith("  commit ")]
    assert FIRST[:12] in commit, status.log
    assert "begun     a promotion" in status.log
    assert dry.status == 0, dry.log
    assert "take over from" in dry.log
    assert f"what was interrupted is undone: production runs {running.id[:19]} again" in dry.log
    assert f"tag {image.id[:19]} as {production_here.tag}" in dry.log
    assert sorted(locks(production_here)) == before
