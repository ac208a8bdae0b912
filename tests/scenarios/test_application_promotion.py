"""The services of one commit are switched together, after their migration, and taken back together."""

import json
from functools import partial
from pathlib import Path

import pytest

from tests.support.docker_proxy import docker_proxy
from tests.support.engines import Sandbox
from tests.support.promotions import FIRST, SECOND, THIRD
from tests.support.runner import Running, eventually
from tests.support.shop import COMPOSE, SERVICES, Shop, open_shop


@pytest.fixture
def shop(machine_only: Sandbox, tmp_path: Path) -> Shop:
    """On the machine's own Engine."""
    return open_shop(machine_only, tmp_path)


@pytest.fixture
def any_shop(engine: Sandbox, tmp_path: Path) -> Shop:
    """On each Engine in turn."""
    return open_shop(engine, tmp_path)


def kill(run: Running, _call: str) -> None:
    run.process.kill()


def test_all_services_are_switched_together_after_the_migration(any_shop: Shop) -> None:
    """I3. Fails when one of them is left on the old commit, or the job runs after a tag has moved."""
    shop = any_shop
    first, second = shop.build(FIRST), shop.build(SECOND)
    assert shop.promote(first).outputs["outcome"] == "promoted"
    before = shop.state().containers

    ended = shop.promote(second)

    assert (ended.status, ended.outputs["outcome"]) == (0, "promoted"), ended.log
    assert shop.runs() == second.services
    assert json.loads(ended.outputs["images"]) == second.services
    assert f"│ {SECOND}" in ended.log
    names = [check["name"] for check in ended.report["checks"]]
    assert names.count("job") == 1
    assert names.index("job") < names.index("tag") < names.index("recreation") < names.index("health")
    assert names.count("health") == names.count("hold") == len(SERVICES)
    assert names.count("recreation") == 2, "one for each level of depends_on"
    assert not before & shop.state().containers
    assert (shop.one_offs(), shop.left_behind()) == ([], [])
    told = json.loads(shop.runner.start("status", "--json").end().log)
    assert [(one["target"], one["service"], one["revision"]) for one in told][3:] == [
        ("production", name, SECOND) for name in SERVICES
    ]


def test_a_second_run_changes_nothing_and_runs_no_job(shop: Shop) -> None:
    """Fails when what is as it was recorded is recreated, or migrated again."""
    first = shop.build(FIRST)
    begun = shop.promote(first)
    assert begun.status == 0, begun.log
    before = shop.state()

    ended = shop.promote(first)

    assert (ended.status, ended.outputs["outcome"]) == (0, "unchanged"), ended.log
    assert shop.state() == before
    assert "job" not in ended.checks()


def test_a_migration_that_fails_switches_nothing(shop: Shop) -> None:
    """I3. Fails when a tag moves before the job has ended well, or a record stays."""
    first, second = shop.build(FIRST), shop.build(SECOND, status="3")
    assert shop.promote(first).status == 0
    before = shop.state()

    ended = shop.promote(second)

    assert (ended.status, ended.outputs["outcome"]) == (1, "refused"), ended.log
    assert "exit status 3" in ended.reason
    assert "No service was switched" in ended.reason
    assert shop.state() == before
    assert (shop.one_offs(), shop.left_behind()) == ([], [])


def test_what_was_killed_in_the_migration_is_not_finished_without_it(shop: Shop) -> None:
    """I3. Fails when a change of the configuration alone counts as begun before the job has ended."""
    first = shop.build(FIRST, seconds="5")
    assert shop.promote(first).status == 0
    before, file = shop.state(), shop.runner.app.repo.path / "compose.yaml"
    shop.runner.app.repo.commit({"compose.yaml": file.read_text().replace('["sleep", "600"]', '["sleep", "601"]')})
    run = shop.start(first)
    eventually(shop.one_offs, "the job")
    run.process.kill()
    run.process.wait()
    assert shop.promote(first, EXPECTED_REVISION=THIRD).outputs["outcome"] == "refused"
    assert {one for one in shop.state().containers if "migrate" not in one[0]} == before.containers

    ended = shop.promote(first)

    assert (ended.status, ended.outputs["outcome"]) == (0, "promoted"), ended.log
    assert ended.checks()["job"] == "passed"
    assert (shop.one_offs(), shop.left_behind()) == ([], [])


def test_a_job_is_proven_as_the_services_are(shop: Shop) -> None:
    """I3. Fails when the job runs from an image of another commit, or from one that is not there."""
    first, second = shop.build(FIRST), shop.build(SECOND)
    assert shop.promote(first).status == 0
    before = shop.state()

    for image, why in ((first.images["migrate"], "does not prove the commit"), (f"sha256:{'0' * 64}", "has no image")):
        ended = shop.promote(second, SOURCE_IMAGES=json.dumps({**second.images, "migrate": image}))

        assert (ended.status, ended.outputs["outcome"]) == (1, "refused"), ended.log
        assert why in ended.reason
        assert "job" not in ended.checks()
        assert shop.state() == before


def test_one_that_fails_takes_all_of_them_back(any_shop: Shop) -> None:
    """I9. Fails when the services that were healthy stay on the new commit."""
    shop = any_shop
    first, second = shop.build(FIRST), shop.build(SECOND, breaks="yes")
    assert shop.promote(first).status == 0

    ended = shop.promote(second)

    assert (ended.status, ended.outputs["outcome"]) == (4, "rolled-back"), ended.log
    assert shop.runs() == first.services
    assert json.loads(ended.outputs["images"]) == first.services
    assert shop.left_behind() == []


def test_a_first_deployment_that_fails_leaves_nothing(shop: Shop) -> None:
    """I9. Fails when those that were healthy are left behind."""
    ended = shop.promote(shop.build(FIRST, breaks="yes"))

    assert (ended.status, ended.outputs["outcome"]) == (4, "rolled-back"), ended.log
    assert shop.runs() == {}
    assert shop.sandbox.image_id(f"{shop.project}-app:prod") is None


def test_a_rollback_takes_all_of_them_back_and_a_second_one_further(shop: Shop) -> None:
    """I9. Fails when each goes back by its own list: they would serve two commits."""
    releases = [shop.build(revision) for revision in (FIRST, SECOND, THIRD)]
    for release in releases:
        assert shop.promote(release).status == 0

    ended = shop.runner.start("rollback").end()
    assert (ended.status, ended.outputs["outcome"]) == (0, "promoted"), ended.log
    assert shop.runs() == releases[1].services
    assert "job" not in ended.checks()
    assert shop.runner.start("rollback").end().status == 0
    assert shop.runs() == releases[0].services

    to = shop.runner.start("rollback", "--to", THIRD[:10]).end()
    assert to.status == 0, to.log
    assert shop.runs() == releases[2].services
    listed = shop.runner.start("rollback", "--list").end()
    assert [line for line in listed.log.splitlines() if line in SERVICES] == list(SERVICES)


def test_what_one_service_lacks_no_rollback_takes_the_others_to(shop: Shop) -> None:
    """I9. Fails when a service stays where it is while the others go back."""
    first, second = shop.build(FIRST), shop.build(SECOND)
    assert shop.promote(first).status == 0
    assert shop.promote(second).status == 0
    for tag in ("freshness-previous", FIRST[:7]):
        shop.sandbox.cli("rmi", f"{shop.project}-tick:{tag}")

    ended = shop.runner.start("rollback").end()

    assert (ended.status, ended.outputs["outcome"]) == (1, "refused"), ended.log
    assert f"scheduler has no image of {FIRST}" in ended.reason
    assert shop.runs() == second.services


def test_a_dry_run_says_what_becomes_of_each_and_writes_nothing(shop: Shop) -> None:
    """Fails when a dry run takes a lock, runs the job, or leaves a service out."""
    first, second = shop.build(FIRST), shop.build(SECOND)
    assert shop.promote(first).status == 0
    before = shop.state()

    ended = shop.promote(second, "--dry-run")

    assert ended.status == 0, ended.log
    assert "run the job migrate once" in ended.log
    assert "recreate worker and scheduler with Compose" in ended.log
    for name in SERVICES:
        assert f"record that {name} runs {second.images[name][:19]}" in ended.log
    assert shop.state() == before
    assert shop.left_behind() == []


@pytest.mark.timeout(900)
def test_killed_at_any_call_all_end_on_one_commit(shop: Shop, request: pytest.FixtureRequest) -> None:
    """I9. Fails when the records are not written together, or each service is recovered on its own."""
    serving, candidate = shop.build(FIRST), shop.build(SECOND)
    assert shop.promote(serving).status == 0
    every = 1 if request.config.getoption("--under-fire") else 43
    back = {"ALLOW_ROLLBACK": "it goes to and fro"}
    with docker_proxy(shop.sandbox.engine.host) as proxy:
        moment, killed = 1, True
        while killed:
            run = shop.start(candidate, DOCKER_HOST=proxy.host, **back)
            proxy.before(len(proxy.calls) + moment, partial(kill, run))
            killed = run.process.wait(120) != 0
            assert "Traceback" not in run.log, run.log

            after = shop.promote(candidate, EXPECTED_REVISION=THIRD)

            assert (after.status, after.outputs["outcome"]) == (1, "refused"), f"{moment}: {run.log}\n{after.log}"
            runs = shop.runs()
            assert runs in (serving.services, candidate.services), f"{moment}: {runs}\n{run.log}\n{after.log}"
            assert shop.left_behind() == [], f"{moment}: {after.log}"
            if runs == candidate.services:
                serving, candidate = candidate, serving
            moment += every
    assert moment > 100


def test_a_run_of_one_service_does_not_recover_what_was_begun_of_all(shop: Shop) -> None:
    """I9. Fails when it finishes or undoes its own service alone; its remedy, typed as it stands, leads out."""
    first, second = shop.build(FIRST), shop.build(SECOND)
    assert shop.promote(first).status == 0
    run = shop.start(second)
    run.wait_for_child("compose", "up")
    run.process.kill()
    run.process.wait()

    alone = shop.promote(second, PROD_SERVICE="scheduler", HEALTH_PATH="running")

    assert (alone.status, alone.outputs["outcome"]) == (1, "refused"), alone.log
    assert "a promotion of scheduler, web, worker was interrupted" in alone.reason
    assert "`service: scheduler web worker`" in alone.reason
    ended = shop.promote(second)
    assert ended.status == 0, ended.log
    assert shop.runs() == second.services
    assert shop.left_behind() == []


def test_a_run_of_one_service_waits_for_a_run_of_all(shop: Shop) -> None:
    """I8. Fails when the application takes another lock than its services have."""
    first, second = shop.build(FIRST), shop.build(SECOND, seconds="6")
    assert shop.promote(first).status == 0
    run = shop.start(second)
    run.wait_for("Job migrate")

    alone = shop.promote(second, PROD_SERVICE="scheduler", HEALTH_PATH="running", LOCK_TIMEOUT="0")

    assert alone.status == 1, alone.log
    assert f"freshness.{shop.project}.migrate is locked" in alone.reason, "the job is the application's too"
    assert run.end().status == 0
    assert shop.runs() == second.services


def test_services_of_one_tag_that_ran_two_images_go_back_to_them(shop: Shop) -> None:
    """I9. Fails when the way back makes both of what the tag names last."""
    first, second, broken = shop.build(FIRST), shop.build(SECOND), shop.build(THIRD, breaks="yes")
    assert shop.promote(first).status == 0
    shop.sandbox.cli("tag", second.images["web"], f"{shop.project}-app:prod")
    shop.runner.compose("--profile", "*", "up", "--detach", "--no-deps", "web")
    before = shop.runs()
    assert before == {**first.services, "web": second.images["web"]}

    ended = shop.promote(broken)

    assert (ended.status, ended.outputs["outcome"]) == (4, "rolled-back"), ended.log
    assert shop.runs() == before


def test_two_images_for_one_tag_are_refused(shop: Shop) -> None:
    """Fails when the second one's tag is moved over the first one's: web would run the worker's image."""
    release = shop.build(FIRST)
    images = json.dumps({**release.images, "worker": release.images["scheduler"]})

    ended = shop.promote(release, SOURCE_IMAGES=images)

    assert (ended.status, ended.outputs["outcome"]) == (1, "refused"), ended.log
    assert "both run" in ended.reason
    assert shop.runs() == {}


BEHIND_A_PROXY = COMPOSE.replace('    ports: ["127.0.0.1:{port}:8000"]\n', '    expose: ["8000"]\n')


def test_start_first_starts_all_beside_the_old_ones(shop: Shop) -> None:
    """Fails when an old container goes before every new one is proven: the services would serve two commits."""
    shop.runner.app.repo.commit({"compose.yaml": BEHIND_A_PROXY.format(project=shop.project)})
    how = {"UPDATE_ORDER": "start-first", "PROD_PORT": "8000", "UPDATE_OVERLAP": "1"}
    first, second, broken = shop.build(FIRST), shop.build(SECOND), shop.build(THIRD, breaks="yes")
    assert shop.promote(first, **how).status == 0

    ended = shop.promote(second, **how)

    assert ended.status == 0, ended.log
    assert shop.runs() == second.services
    names = [check["name"] for check in ended.report["checks"]]
    last_proof = len(names) - names[::-1].index("hold")
    assert names.index("removal") >= last_proof
    before = shop.state().containers
    assert shop.promote(broken, **how).outputs["outcome"] == "rolled-back"
    assert shop.state().containers == before


def test_a_job_after_the_switch_takes_nothing_back(shop: Shop) -> None:
    """Fails when it runs before the proof, or when what it ends with decides."""
    own = Path(shop.runner.app.settings["XDG_CONFIG_HOME"], "freshness/org/app.toml")
    own.write_text(own.read_text() + 'stage = "post-deploy"\n')
    release = shop.build(FIRST, status="3")

    ended = shop.promote(release)

    assert (ended.status, ended.outputs["outcome"]) == (0, "promoted"), ended.log
    assert shop.runs() == release.services
    names = [check["name"] for check in ended.report["checks"]]
    assert names.index("job") > names.index("hold")
    assert any("which decides nothing" in note for note in ended.report["notes"])
