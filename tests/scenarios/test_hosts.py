"""A production of several Docker hosts is promoted, taken back and rolled back as one."""

import itertools
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.scenarios.test_rollback import edit
from tests.support.docker_proxy import Call, Deed, docker_proxy
from tests.support.engines import BASE_IMAGE, Engine
from tests.support.hosts import DockerHost, DockerHosts, docker_hosts
from tests.support.promotions import FIRST, LONG, SECOND, THIRD, Built, Production
from tests.support.runner import Ended
from tests.support.ssh_server import why_no_sshd

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """One production on `hosts`; what is promoted was gated on the machine's own Engine, which is the first of them."""

    production: Production
    at: DockerHosts

    @property
    def hosts(self) -> tuple[DockerHost, ...]:
        return self.at.hosts

    def run(self, *words: str, **variables: str) -> Ended:
        return self.production.runner.start(*words, **{**LONG, **self.at.variables, **variables}).end(240)

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


@contextmanager
def fleet_on(engines: Sequence[Engine], production: Production, folder: Path) -> Iterator[Fleet]:
    if reason := why_no_sshd():
        pytest.skip(reason)
    with docker_hosts(engines, production.sandbox, folder / "hosts", os.environ["PATH"]) as at:
        yield Fleet(production=production, at=at)


@pytest.fixture
def fleet(fragile_production: Production, private: Engine, tmp_path: Path) -> Iterator[Fleet]:
    """On two hosts that call an image by the same ID; the gate ran on the first of them."""
    with fleet_on([fragile_production.sandbox.engine, private], fragile_production, tmp_path) as found:
        yield found


@pytest.fixture
def large_fleet(
    production_here: Production, machine: Engine, private: Engine, breakable: Engine, tmp_path: Path
) -> Iterator[Fleet]:
    """On three hosts, of which the first, where the gate ran, has the other image store."""
    with fleet_on([machine, private, breakable], production_here, tmp_path) as found:
        yield found


def test_three_hosts_are_promoted_and_rolled_back_as_one(large_fleet: Fleet) -> None:
    """Fails when a host is left out, or is not proven for itself; or when more than one login leads to it."""
    fleet = large_fleet
    first, second = fleet.production.build(FIRST), fleet.production.build(SECOND)

    assert end_of(fleet.promote(first)) == (0, "promoted")
    assert fleet.serves() == [FIRST] * 3
    ended = fleet.promote(second)
    assert end_of(ended) == (0, "promoted"), ended.log
    assert fleet.serves() == [SECOND] * 3
    assert fleet.volumes() == [[]] * 3
    assert [one.server.logins for one in fleet.hosts] == [2] * 3
    assert ended.log.count("transfer: it came") == 2
    ended = fleet.run("rollback")
    assert end_of(ended) == (0, "promoted"), ended.log
    assert fleet.serves() == [FIRST] * 3


@pytest.fixture
def deployed(fleet: Fleet) -> tuple[Built, Built]:
    """Both hosts serve the first image; the second is there to promote."""
    first, second = fleet.production.build(FIRST), fleet.production.build(SECOND)
    ended = fleet.promote(first)
    assert end_of(ended) == (0, "promoted"), ended.log
    return first, second


def crash(host: DockerHost) -> Callable[[Call], None]:
    """Ends every container of the test that runs there, as a host that has no memory left does."""

    def end(_call: Call) -> None:
        for one in host.containers():
            one.kill()

    return end


def test_a_second_host_that_does_not_get_healthy_takes_the_first_back(
    fleet: Fleet, deployed: tuple[Built, Built]
) -> None:
    """I9. Fails when `_went_back` in execute.py rolls back the host alone that failed."""
    _, second = deployed
    fleet.hosts[1].proxy.after("POST /containers/*/start", crash(fleet.hosts[1]))

    ended = fleet.promote(second)

    assert end_of(ended) == (4, "rolled-back"), ended.log
    assert fleet.serves() == [FIRST, FIRST]
    assert fleet.hosts[1].name in ended.reason
    assert fleet.volumes() == [[], []]


def test_the_report_of_a_rollback_has_what_each_host_runs(fleet: Fleet, deployed: tuple[Built, Built]) -> None:
    """Fails when a host that was never switched is said to serve again, or to run what had stopped there."""
    first, second = deployed
    (one, other), service = fleet.hosts, fleet.production.app.production

    one.proxy.after("POST /containers/*/start", crash(one))
    ended = fleet.promote(second)
    for container in other.containers():
        container.stop()
    one.proxy.after("POST /containers/*/start", crash(one))
    again = fleet.promote(second)

    assert [end_of(ended), end_of(again)] == [(4, "rolled-back")] * 2, ended.log + again.log
    assert ended.report["hosts"] == {one.url: {service: first.id}, other.url: {service: first.id}}
    assert again.report["hosts"] == {one.url: {service: first.id}, other.url: {}}
    assert f"{other.url}: nothing was switched there." in again.reason


def test_what_one_host_refuses_is_begun_on_none(fleet: Fleet, deployed: tuple[Built, Built]) -> None:
    """I8. Fails when a host is written to before all of them have passed the preflight."""
    _, second = deployed
    port, other = fleet.production.app.production_port, fleet.hosts[1]
    for one in other.containers():
        one.remove(force=True)
    other.sandbox.docker.containers.run(
        BASE_IMAGE, "sleep 600", name=f"{other.sandbox.name}-theirs", ports={"80": port}, detach=True
    )
    before = fleet.state()

    ended = fleet.promote(second)

    assert end_of(ended) == (1, "refused"), ended.log
    assert f"{other.sandbox.name}-theirs" in ended.reason
    assert fleet.state() == before
    assert fleet.volumes() == [[], []]


def test_a_dry_run_over_hosts_says_each_plan_and_writes_nothing(fleet: Fleet, deployed: tuple[Built, Built]) -> None:
    """Fails when a dry run carries the image, or takes a lock."""
    first, second = deployed
    before = fleet.state()
    ended = fleet.promote(second, "--dry-run")
    assert ended.status == 0, ended.log
    assert "to ssh://host2" in ended.log
    ended = fleet.promote(first, "--dry-run")
    assert ended.status == 0, ended.log
    assert all(f"on {one.url}:\n" in ended.log for one in fleet.hosts)
    assert fleet.state() == before
    assert fleet.volumes() == [[], []]


def test_a_lock_on_the_second_host_keeps_the_run_from_all(fleet: Fleet, deployed: tuple[Built, Built]) -> None:
    """I9. Fails when the locks are taken host by host, as each is switched."""
    _, second = deployed
    app, there = fleet.production.app, fleet.hosts[1]
    alone = {
        "PROD_DOCKER_HOST": there.url,
        "SOURCE_IMAGE": second.id,
        "EXPECTED_REVISION": SECOND,
        "PATH": fleet.at.path,
    }
    reached = threading.Event()
    released = threading.Event()

    def wait(_call: Call) -> None:
        reached.set()
        released.wait(60)

    there.proxy.before("POST /containers/create", wait)
    other = fleet.production.runner.start("promote", **alone, **LONG)
    assert reached.wait(60), other.log
    before = fleet.state()[0]

    ended = fleet.promote(second, LOCK_TIMEOUT="1")

    released.set()
    assert end_of(ended) == (1, "refused"), ended.log
    assert f"freshness.{app.project}.{app.production} is locked by" in ended.reason
    assert fleet.state()[0] == before
    assert other.end(240).status == 0
    assert fleet.volumes() == [[], []]


@pytest.mark.parametrize("call", ["POST /containers/create", "POST /containers/*/start"])
def test_a_host_that_goes_in_the_middle_is_named_and_undone_when_it_is_back(
    call: str, fleet: Fleet, deployed: tuple[Built, Built]
) -> None:
    """I9. Fails when the hosts that are there are settled although one is not."""
    first, second = deployed
    gone = fleet.hosts[1].proxy
    gone.after(call, gone.cut)

    ended = fleet.promote(second, ENGINE_TIMEOUT="5")

    assert end_of(ended) == (5, "stranded"), ended.log
    assert f"{fleet.hosts[0].url}: {first.id}" in ended.reason.replace("\n", " ")
    assert fleet.hosts[1].url in ended.reason
    assert ended.report["hosts"] == {
        fleet.hosts[0].url: {fleet.production.app.production: first.id}, fleet.hosts[1].url: {}
    }  # fmt: skip
    assert fleet.hosts[0].get(fleet.production.app.production_port) == FIRST

    ended = fleet.promote(second, ENGINE_TIMEOUT="5")
    assert end_of(ended) == (3, "error"), ended.log
    assert f"Nothing new is begun, as not all Docker hosts of production can be reached. {fleet.hosts[1].url}" in (
        ended.reason
    )
    assert fleet.hosts[0].get(fleet.production.app.production_port) == FIRST
    alone = fleet.promote(second, PROD_DOCKER_HOST=fleet.hosts[0].url)
    assert end_of(alone) == (1, "refused"), alone.log
    assert f"was interrupted, and this run is about {fleet.hosts[0].url} without {fleet.hosts[1].url}" in alone.reason

    gone.mend()
    ended = fleet.run("promote", SOURCE_IMAGE=second.id, EXPECTED_REVISION=FIRST)
    assert end_of(ended) == (1, "refused"), ended.log
    assert "An interrupted promotion was undone" in ended.reason
    assert fleet.serves() == [FIRST, FIRST]
    assert fleet.volumes() == [[], []]
    assert end_of(fleet.promote(second)) == (0, "promoted")


def test_a_connection_that_is_cut_once_is_made_again_for_the_rollback(
    fleet: Fleet, deployed: tuple[Built, Built]
) -> None:
    """I9. Fails when a lost login to one host leaves the others on the new commit."""
    _, second = deployed
    fleet.hosts[1].proxy.after("POST /containers/create", fleet.hosts[1].server.cut)

    ended = fleet.promote(second)

    assert end_of(ended) == (4, "rolled-back"), ended.log
    assert fleet.serves() == [FIRST, FIRST]
    assert fleet.volumes() == [[], []]


def test_a_host_that_hangs_holds_no_other_up(fleet: Fleet, deployed: tuple[Built, Built]) -> None:
    """Fails when `status` or `rollback --list` asks one host after the other, or says nothing where one is silent."""
    first, _ = deployed
    listed = json.loads(fleet.run("rollback", "--list", "--json").log)
    assert {one["host"] for one in listed} == {one.url for one in fleet.hosts}
    unlocked = fleet.run("unlock")
    assert unlocked.log.count("is not locked") == 2
    fleet.hosts[1].proxy.hang()
    started = time.monotonic()
    found = json.loads(fleet.run("status", "--json").log)
    took = time.monotonic() - started
    silent = fleet.run("rollback", "--list")
    fleet.hosts[1].proxy.mend()
    fleet.hosts[1].proxy.cut()
    dead = fleet.run("rollback", "--list")
    fleet.hosts[1].proxy.mend()
    assert took < 20
    for ended in (silent, dead):
        assert ended.status == 3, ended.log
        assert ended.log.startswith(f"{fleet.hosts[0].url}\nnumber "), ended.log
        assert FIRST[:12] in ended.log
        assert f"{fleet.hosts[1].url} is not in this list. " in ended.log
    production = {one["host"]: one for one in found if one["target"] == "production"}
    assert production[fleet.hosts[0].url]["image_id"] == first.id
    assert production[fleet.hosts[1].url]["status"] == "unreachable"


def test_a_tag_alone_moves_on_both_hosts_and_back(fleet: Fleet) -> None:
    """Fails when one tag stays behind, where something else restarts production."""
    first, second = fleet.production.build(FIRST), fleet.production.build(SECOND)
    alone = {"RECREATE": "false", "PROD_IMAGE": f"{fleet.production.tag}:live"}
    for image in (first, second):
        ended = fleet.promote(image, **alone)
        assert end_of(ended) == (0, "promoted"), ended.log
        assert [one.sandbox.image_id(alone["PROD_IMAGE"]) for one in fleet.hosts] == [image.id] * 2

    assert end_of(fleet.run("rollback", **alone)) == (0, "promoted")
    assert [one.sandbox.image_id(alone["PROD_IMAGE"]) for one in fleet.hosts] == [first.id] * 2
    assert fleet.volumes() == [[], []]


def test_one_engine_by_two_names_is_refused(production_here: Production) -> None:
    """Fails when the locks of one Engine are waited for by the very run that has them."""
    engine = production_here.sandbox.engine.host
    with docker_proxy(engine) as one, docker_proxy(engine) as other:
        ended = production_here.promote(
            PROD_DOCKER_HOST=f"{one.host} {other.host}", EXPECTED_REVISION=FIRST, SOURCE_IMAGE="a"
        )
    assert ended.end == (2, "error"), ended.log
    assert f"names {one.host} and {other.host}, where the same Engine answers" in ended.reason


def test_a_host_that_lacks_what_the_others_go_back_to_is_told_how_it_gets_there(fleet: Fleet) -> None:
    """Fails when a host that was added, or was away, keeps the others on a bad commit: what is told is typed here."""
    first, second = fleet.production.build(FIRST), fleet.production.build(SECOND)
    for image in (first, second):
        assert end_of(fleet.promote(image, PROD_DOCKER_HOST=fleet.hosts[0].url)) == (0, "promoted")
    assert end_of(fleet.promote(second)) == (0, "promoted")

    ended = fleet.run("rollback")

    assert end_of(ended) == (1, "refused"), ended.log
    assert fleet.serves() == [SECOND] * 2
    told = ended.reason.partition("freshness promote ")[2].partition(" REASON")[0]
    typed = fleet.run("promote", *told.split(), "it loses orders", STAGING_DOCKER_HOST="unix:///nowhere.sock")
    assert end_of(typed) == (0, "promoted"), typed.log
    assert fleet.serves() == [FIRST] * 2


def with_a_job(fleet: Fleet, program: str) -> Built:
    """The next commit, whose application runs this program before the switch, and another one after it."""
    app = fleet.production.app
    compose = (app.repo.path / "compose.yaml").read_text()
    command = json.dumps(["python3", "-uc", program])
    job = f"  migrate:\n    image: {app.production_image}\n    command: {command}\n"
    later = f"  tidy:\n    image: {app.production_image}\n    command: echo it ran last\n"
    app.repo.commit({
        "compose.yaml": compose.replace("services:\n", f"services:\n{job}{later}"),
        "freshness.toml": '[jobs.migrate]\n[jobs.tidy]\nstage = "post-deploy"\n',
    })  # fmt: skip
    return fleet.production.build(app.repo.head())


def test_a_job_runs_once_for_all_hosts_whichever_of_them_are_switched(fleet: Fleet) -> None:
    """Fails when each host runs the jobs, or the first one runs none as it needs no switch itself."""
    image = with_a_job(fleet, "print('it ran first')")

    alone = fleet.promote(image, PROD_DOCKER_HOST=fleet.hosts[0].url)
    second, again = fleet.promote(image), fleet.promote(image)

    for ended in (alone, second):
        assert end_of(ended) == (0, "promoted"), ended.log
        assert [ended.log.count(f"it ran {when}") for when in ("first", "last")] == [1, 1], ended.log
    assert end_of(again) == (0, "unchanged"), again.log
    assert "it ran" not in again.log
    assert fleet.serves() == [image.revision] * 2


def test_a_job_that_a_killed_run_left_on_one_host_is_waited_for_before_another_runs_it(fleet: Fleet) -> None:
    """Fails when `run_job` looks for an earlier one on the host alone that is named first now."""
    image = with_a_job(fleet, "import time; print('it began'); time.sleep(15); print('it ended')")
    told = {"SOURCE_IMAGE": image.id, "EXPECTED_REVISION": image.revision}
    run = fleet.production.runner.start("promote", **{**LONG, **fleet.at.variables, **told})
    run.wait_for("│ it began")
    run.process.kill()
    run.process.wait()

    ended = fleet.promote(image, PROD_DOCKER_HOST=" ".join(one.url for one in reversed(fleet.hosts)))

    assert end_of(ended) == (0, "promoted"), ended.log
    said = [line for line in ended.log.splitlines() if line in {"│ it began", "│ it ended"}]
    assert said == ["│ it began", "│ it ended"] * 2, ended.log
    assert fleet.serves() == [image.revision] * 2
    jobs = [
        one.sandbox.docker.containers.list(all=True, filters={"name": f"{fleet.production.app.project}-migrate"})
        for one in fleet.hosts
    ]
    assert jobs == [[], []]


def test_staging_and_production_on_two_machines_need_their_names_and_nothing_else(fleet: Fleet) -> None:
    """Fails when staging's tag is looked up on production's host, or production is made where staging is."""
    app, (staging, production) = fleet.production.app, fleet.hosts
    where = {"STAGING_DOCKER_HOST": staging.url, "PROD_DOCKER_HOST": production.url}
    revision = app.repo.head()
    gated = fleet.run("gate", GIT_SHA=revision, **where)
    assert gated.decision == ("open", "fresh", 0), gated.log

    ended = fleet.run("promote", EXPECTED_REVISION=revision, **where)

    assert end_of(ended) == (0, "promoted"), ended.log
    assert "staging: staging runs" in ended.log
    assert production.get(app.production_port) == revision
    assert staging.get(app.staging_port) == revision
    names = [{one.labels["com.docker.compose.service"] for one in host.containers()} for host in fleet.hosts]
    assert names == [{app.staging}, {app.production}]
    again = fleet.run("deploy", "HEAD", **where)
    assert end_of(again) == (0, "unchanged"), again.log
    found = {one["target"]: one for one in json.loads(fleet.run("status", "--json", **where).log)}
    assert (found["staging"]["host"], found["production"]["host"]) == (staging.url, production.url)
    assert found["staging"]["revision"] == found["production"]["revision"] == revision
    looked = [one["got"] for one in json.loads(fleet.run("doctor", "--json", **where).log)["findings"]]
    assert any(text.startswith(f"{staging.url}: ") and app.staging in text for text in looked)
    assert any(text.startswith(f"{production.url}: ") and app.production in text for text in looked)


def colours(fleet: Fleet) -> list[str | None]:
    """What each host's container was made with."""
    containers = [one.containers()[0] for one in fleet.hosts]
    found = [dict(text.split("=", 1) for text in container.attrs["Config"]["Env"]) for container in containers]
    return [one.get("COLOUR") for one in found]


def before_the_second_record(fleet: Fleet, kill: Deed) -> None:
    fleet.hosts[1].proxy.before("POST /volumes/create", kill, nth=2)  # the first one is the lock


def behind_the_first_switch(fleet: Fleet, kill: Deed) -> None:
    fleet.hosts[0].proxy.after("POST /containers/*/start", kill)


def before_the_second_record_goes(fleet: Fleet, kill: Deed) -> None:
    fleet.hosts[1].proxy.before("DELETE /volumes/*", kill, nth=2)  # the first one is what it ran before


@pytest.mark.parametrize(
    ("moment", "left", "colour"),
    [
        (before_the_second_record, [1, 0], None),
        (behind_the_first_switch, [1, 1], None),
        (before_the_second_record_goes, [0, 1], "blue"),
    ],
)
def test_a_change_of_configuration_alone_ends_alike_on_all_hosts(
    moment: Callable[[Fleet, Deed], None],
    left: list[int],
    colour: str | None,
    fleet: Fleet,
    deployed: tuple[Built, Built],
) -> None:
    """I9. Fails when the host that has a record is finished by the image that it runs, whatever the other one has."""
    first, _ = deployed
    edit(fleet.production, ("TARGET: production\n", "TARGET: production\n      COLOUR: blue\n"))

    def kill(call: Call) -> None:
        run.process.kill()
        call.drop()

    moment(fleet, kill)
    told = {"SOURCE_IMAGE": first.id, "EXPECTED_REVISION": first.revision}
    run = fleet.production.runner.start("promote", **{**LONG, **fleet.at.variables, **told})
    assert run.process.wait(240) == -signal.SIGKILL, run.log
    assert [sum(".plan." in name for name in names) for names in fleet.volumes()] == left, fleet.volumes()

    ended = fleet.run("promote", SOURCE_IMAGE=first.id, EXPECTED_REVISION=THIRD)

    assert end_of(ended) == (1, "refused"), ended.log
    assert "An interrupted promotion was" in ended.reason
    assert colours(fleet) == [colour] * 2, ended.log
    assert fleet.serves() == [FIRST] * 2
    assert fleet.volumes() == [[], []]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("what", ["killed", "cut off"])
def test_ended_at_any_call_the_next_run_leaves_all_hosts_on_one_commit(
    what: str, fleet: Fleet, deployed: tuple[Built, Built], request: pytest.FixtureRequest
) -> None:
    """I9. Fails when each host's record is judged by what that host alone runs.

    The calls are those to both hosts, of the run itself and of Compose; cut off is the login to the second.
    """
    serving, candidate = deployed
    every, moment = 1 if request.config.getoption("--under-fire") else 37, 5
    while _ended_at(fleet, candidate, moment, what):
        ended = fleet.run("promote", SOURCE_IMAGE=candidate.id, EXPECTED_REVISION=THIRD)
        told = f"{what} at {moment}:\n{ended.log}"
        assert end_of(ended) == (1, "refused"), told
        serves = fleet.serves()
        assert serves[0] == serves[1], told
        assert fleet.volumes() == [[], []], told
        if serves[0] == candidate.revision:
            serving, candidate = candidate, serving
        moment += every
    print(f"{moment} calls at most")
    assert fleet.serves() == [candidate.revision] * 2


def _ended_at(fleet: Fleet, candidate: Built, moment: int, what: str) -> bool:
    """Whether a promotion got to that call, of all that both hosts were asked, and what became of it then."""
    reached, calls = threading.Event(), itertools.count(1)

    def count(_call: Call) -> None:
        if next(calls) != moment:
            return
        reached.set()
        if what == "killed":
            run.process.send_signal(signal.SIGKILL)
        else:
            fleet.hosts[1].server.cut()

    image = {"SOURCE_IMAGE": candidate.id, "EXPECTED_REVISION": candidate.revision}
    told = {**image, "ALLOW_ROLLBACK": "it goes to and fro"}
    for host in fleet.hosts:
        host.proxy.each = count
    run = fleet.production.runner.start("promote", **{**LONG, **fleet.at.variables, **told})
    ended = run.process.wait(240)
    for host in fleet.hosts:
        host.proxy.each = lambda _call: None
    assert reached.is_set() or ended == 0, run.log
    return reached.is_set()
