"""What a gate asks of Docker, and where its time goes: a run that asks again what it knows is slow on every host."""

from pathlib import Path

import pytest

from tests.support import plugins
from tests.support.docker_proxy import Call, docker_proxy
from tests.support.git import Content
from tests.support.runner import Ended, Runner

FILES: dict[str, Content] = {f"words/{number % 10}/{number}.txt": f"{number}" for number in range(1000)}


def in_phases(ended: Ended) -> float:
    report = ended.report
    return float(sum(report["phases"].values()) + sum(check["seconds"] for check in report["checks"]))


@pytest.mark.parametrize("cache", ["standing", "none"])
def test_the_phases_in_the_report_add_up_to_the_whole(runner: Runner, cache: str) -> None:
    """Breaks when `cleaning_up` in run_log.py counts nothing, or the imports come before `starting`."""
    runner.app.repo.commit(FILES)
    place = str(runner.folder / "cache") if cache == "standing" else "no place"

    ended = runner.gate(XDG_CACHE_HOME=place)

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert set(ended.report["phases"]) >= {"starting", "cleaning up"}
    assert in_phases(ended) == pytest.approx(ended.report["seconds"], rel=0.05)


def test_the_phases_of_a_gate_that_is_refused_add_up_too(runner: Runner) -> None:
    runner.app.repo.commit({"Dockerfile": "FROM scratch\nCOPY missing .\n"})

    ended = runner.gate()

    assert ended.decision == ("closed", "build-failed", 1), ended.log
    assert in_phases(ended) == pytest.approx(ended.report["seconds"], rel=0.05)


def test_a_gate_starts_three_children_and_lists_everything_once(runner: Runner, tmp_path: Path) -> None:
    """Breaks when `compose config` is read once more, or each service lists all containers for itself.

    On a host with hundreds of containers and tags, such a list takes longer than all that a gate asks beside it.
    """
    assert runner.gate().status == 0
    runner.app.repo.commit({"more": "1"})
    record = tmp_path / "children"
    for name in plugins.NAMES:
        plugins.replace(name, f'echo " $* " >> {record}\nexec "$PLUGIN" "$@"')

    with docker_proxy(runner.sandbox.engine.host) as proxy:
        ended = runner.gate(DOCKER_HOST=proxy.host)

    assert ended.decision == ("open", "fresh", 0), ended.log
    kinds = ("config", "build", "up")
    assert [next(one for one in kinds if f" {one} " in line) for line in record.read_text().splitlines()] == [*kinds]
    assert len([call for call in proxy.calls if lists_all(call)]) == len(("containers", "images"))


def lists_all(call: Call) -> bool:
    """Whether we ask for everything: Compose has other words."""
    return call.path in {"/containers/json", "/images/json"} and "=0" in call.query and "filters" not in call.query
