"""A job in a Swarm: a service of one task from the candidate's image, before any service is updated."""

import pytest

from freshness.core.swarm import STACK_LABEL
from tests.support.promotions import FIRST, SECOND
from tests.support.runner import eventually
from tests.support.swarm_service import Service
from tests.swarm.test_promotion import outcome

SAY = "cat /app/version; echo"


@pytest.fixture
def migrated(service: Service) -> Service:
    """The service, whose settings name a job for a promotion; the job's template is `made` by the test."""
    say_job(service, "timeout = 60")
    service.runner.app.settings["XDG_CONFIG_HOME"] = str(service.runner.folder / "config")
    return service


def say_job(service: Service, *lines: str) -> None:
    own = service.runner.folder / "config/freshness/org/app.toml"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text("\n".join([f"[environments.production.jobs.{job_of(service)}]", *lines]))


def job_of(service: Service) -> str:
    return f"{service.name}-migrate"


def make_template(service: Service, image: str) -> None:
    """As people deploy what is to be a job: with its command, and scaled to nothing."""
    words = ("--detach", "--no-resolve-image", "--replicas=0", "--endpoint-mode=dnsrr", "--name", job_of(service))
    service.sandbox.cli("service", "create", *words, image, "sh", "/app/job")


def services(service: Service) -> set[str]:
    found = service.api.services()
    return {one["Spec"]["Name"] for one in found}


def test_it_runs_once_from_the_candidates_image_before_the_update(migrated: Service) -> None:
    """Fails when it runs from the image that its template names, or something of it stays."""
    service, first = migrated, migrated.build(FIRST, job=f"{SAY} old")
    second = service.build(SECOND, job=f"{SAY} new")
    service.create(first)
    make_template(service, first.image)

    ended = service.promote(second)

    assert outcome(ended) == (0, "promoted"), ended.log
    assert f"{SECOND} new" in ended.log.replace("\n", " ").replace("  ", " ") or f"{SECOND}new" in ended.log
    names = [check["name"] for check in ended.report["checks"]]
    assert names.count("job") == 1
    assert names.index("job") < names.index("rollout")
    service.assert_serves(second)
    assert services(service) == {service.name, job_of(service)}
    assert service.locks() == []


def test_one_that_fails_leaves_the_service_as_it_was(migrated: Service) -> None:
    service, first = migrated, migrated.build(FIRST)
    second = service.build(SECOND, job="exit 3")
    service.create(first)
    make_template(service, first.image)
    before = service.state()

    ended = service.promote(second)

    assert outcome(ended) == (1, "refused"), ended.log
    assert "exit status 3" in ended.reason
    assert service.state() == before
    assert services(service) == {service.name, job_of(service)}
    assert service.locks() == []


def test_one_that_fails_after_the_update_is_told_and_takes_nothing_back(migrated: Service) -> None:
    """Fails when a job of the stage post-deploy decides, runs too early, or is not told of."""
    service, first = migrated, migrated.build(FIRST)
    say_job(service, "timeout = 60", 'stage = "post-deploy"')
    second = service.build(SECOND, job="exit 3")
    service.create(first)
    make_template(service, first.image)

    ended = service.promote(second)

    assert outcome(ended) == (0, "promoted"), ended.log
    names = [check["name"] for check in ended.report["checks"]]
    assert names.index("rollout") < names.index("job")
    assert any("exit status 3" in note for note in ended.report["notes"])
    service.assert_serves(second)
    assert services(service) == {service.name, job_of(service)}
    assert service.locks() == []


def test_one_that_a_killed_run_left_is_waited_for_and_never_doubled(migrated: Service) -> None:
    service, first = migrated, migrated.build(FIRST)
    second = service.build(SECOND, job="sleep 6")
    service.create(first)
    make_template(service, first.image)
    mine = {service.name, job_of(service)}
    run = service.start(second)
    eventually(lambda: services(service) - mine, "the job")
    run.process.kill()
    run.process.wait()
    again = service.start(second)

    seen = set[int]()
    while again.process.poll() is None:
        seen.add(len(services(service) - mine))

    ended = again.end()
    assert outcome(ended) == (0, "promoted"), ended.log
    assert max(seen) == 1
    assert services(service) == mine
    assert service.locks() == []


def test_a_job_has_one_lock_however_the_settings_call_it(service: Service) -> None:
    """The run of the other name removed it in its midst. Fails when the lock has the name that the settings give."""
    stack, cli = service.name, service.sandbox.cli
    first, second = service.build(FIRST), service.build(SECOND, job="sleep 8")
    common = ("--detach", "--no-resolve-image", "--endpoint-mode=dnsrr", f"--label={STACK_LABEL}={stack}")
    for name, words in {"web": (), "worker": (), "migrate": ("sh", "/app/job")}.items():
        replicas = 0 if words else 1
        cli("service", "create", *common, f"--replicas={replicas}", "--name", f"{stack}_{name}", first.image, *words)
    homes = [named_job(service, job, seconds) for job, seconds in (("migrate", 60), (f"{stack}_migrate", 2))]
    mine = services(service)

    run = service.start(second, SWARM_SERVICE=f"{stack}_web", XDG_CONFIG_HOME=homes[0])
    eventually(lambda: services(service) - mine, "the job")
    assert f"freshness-swarm.{stack}_migrate" in service.locks()
    other = service.promote(second, SWARM_SERVICE=f"{stack}_worker", XDG_CONFIG_HOME=homes[1])

    assert outcome(run.end(150)) == (0, "promoted"), run.log
    assert outcome(other) == (1, "refused"), other.log  # within its own two seconds
    assert "did not end within 2 s" in other.reason
    assert service.locks() == []


def named_job(service: Service, job: str, seconds: int) -> str:
    """A folder of settings with that one job."""
    home = service.runner.folder / f"config-{job}"
    own = home / "freshness/org/app.toml"
    own.parent.mkdir(parents=True)
    own.write_text(f"[environments.production.jobs.{job}]\ntimeout = {seconds}\n")
    return str(home)


def test_a_template_that_always_runs_is_refused(migrated: Service) -> None:
    """What the job does would be done without a promotion."""
    service, first, second = migrated, migrated.build(FIRST), migrated.build(SECOND)
    service.create(first)
    make_template(service, first.image)
    service.sandbox.cli("service", "scale", "--detach", f"{job_of(service)}=1")
    before = service.state()

    ended = service.promote(second)

    assert outcome(ended) == (1, "refused"), ended.log
    assert "scale" in ended.reason
    assert service.state() == before
