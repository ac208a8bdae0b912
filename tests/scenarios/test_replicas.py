"""A service of three containers: each is replaced, proven and taken back, one after the other."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.applications import FILE_SERVER
from tests.support.engines import Sandbox, pause
from tests.support.promotions import FIRST, SECOND, THIRD
from tests.support.shop import Shop, open_shop

COMPOSE = """\
name: {project}
services:
  web:
    image: {project}-app:prod
    command: ["sh", "-c", "[ ! -e /app/breaks ] && exec python3 -m http.server 8000"]
    expose: ["8000"]
    deploy: {{replicas: {replicas}}}
"""
HOW = {"PROD_SERVICE": "web"}


@pytest.fixture
def shop(machine_only: Sandbox, tmp_path: Path) -> Shop:
    """On the machine's own Engine; nothing runs yet, and there are no jobs."""
    shop = open_shop(machine_only, tmp_path)
    (tmp_path / "config/freshness/org/app.toml").write_text("")
    shop.runner.app.settings.update(HOW)
    shop.runner.app.settings.pop("PROD_PORT")
    scale(shop, 3)
    return shop


def scale(shop: Shop, replicas: int) -> None:
    compose = COMPOSE.format(project=shop.project, replicas=replicas)
    shop.runner.app.repo.commit({"compose.yaml": compose})


def running(shop: Shop) -> dict[str, str]:
    """The image of each running container by its ID."""
    return {str(one.id): str(one.attrs["Image"]) for one in shop.runner.containers("web") if one.status == "running"}


def assert_runs(shop: Shop, image: str, replicas: int = 3) -> None:
    assert list(running(shop).values()) == [image] * replicas
    assert len(shop.runner.containers("web")) == replicas
    assert shop.left_behind() == []


@contextmanager
def fewest(shop: Shop) -> Iterator[list[int]]:
    """How few of them ran at any look."""
    seen, over = [3], threading.Event()

    def look() -> None:
        while not over.is_set():
            seen.append(len(running(shop)))
            pause()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def test_each_is_replaced_when_the_one_before_is_healthy(shop: Shop) -> None:
    """I3. Fails when Compose replaces them: it stops all at once."""
    first, second = shop.build(FIRST), shop.build(SECOND)
    assert shop.promote(first).status == 0
    assert_runs(shop, first.images["web"])

    with fewest(shop) as seen:
        ended = shop.promote(second)

    assert (ended.status, ended.outputs["outcome"]) == (0, "promoted"), ended.log
    assert_runs(shop, second.images["web"])
    assert min(seen) == 2
    assert "web has 3 containers, of which 3 run" in shop.runner.start("status").end().log
    assert shop.runner.start("rollback").end().status == 0
    assert_runs(shop, first.images["web"])


def test_the_first_that_fails_ends_it_and_the_others_never_stopped(shop: Shop) -> None:
    """I9. Fails when the rest is replaced all the same, or the way back makes all of them anew."""
    first, broken = shop.build(FIRST), shop.build(SECOND, breaks="yes")
    assert shop.promote(first).status == 0
    before = set(running(shop))

    ended = shop.promote(broken)

    assert (ended.status, ended.outputs["outcome"]) == (4, "rolled-back"), ended.log
    assert_runs(shop, first.images["web"])
    assert len(before & set(running(shop))) == 2


def test_what_runs_already_is_left_alone_and_one_that_stopped_is_made_anew(shop: Shop) -> None:
    """I11. Fails when the same commit replaces anything, or a replica that ended stays away."""
    first = shop.build(FIRST)
    assert shop.promote(first).status == 0
    before = running(shop)
    assert shop.promote(first).outputs["outcome"] == "unchanged"
    assert running(shop) == before
    gone = next(iter(before))
    shop.sandbox.cli("stop", gone)

    ended = shop.promote(first)

    assert (ended.status, ended.outputs["outcome"]) == (0, "promoted"), ended.log
    assert_runs(shop, first.images["web"])
    assert set(before) - {gone} < set(running(shop))


@pytest.mark.parametrize("how", ["the same commit", "another commit", "one that fails"])
def test_one_that_somebody_removed_keeps_nobody_from_a_promotion(how: str, shop: Shop) -> None:
    """I9. Fails when `_refuse_loss` in observe.py wants as many as there are to be."""
    first = shop.build(FIRST)
    assert shop.promote(first).status == 0
    image = first if how == "the same commit" else shop.build(SECOND, **({"breaks": "yes"} if "fails" in how else {}))
    shop.sandbox.cli("rm", "--force", next(iter(running(shop))))

    ended = shop.promote(image)

    assert ended.status == (4 if "fails" in how else 0), ended.log
    assert_runs(shop, (first if "fails" in how else image).images["web"])


def test_another_number_of_replicas_is_a_change(shop: Shop) -> None:
    """Fails when the containers that are too many stay, or a number that the record knows is refused."""
    first = shop.build(FIRST)
    assert shop.promote(first).status == 0
    for replicas in (2, 1, 3):
        scale(shop, replicas)
        ended = shop.promote(first)
        assert ended.status == 0, ended.log
        assert_runs(shop, first.images["web"], replicas)


@pytest.mark.parametrize("moment", [1, 2, 3])
def test_killed_between_two_of_them_the_next_run_ends_it(moment: int, shop: Shop) -> None:
    """I9. Fails when two commits stay in service."""
    first, second = shop.build(FIRST), shop.build(SECOND)
    assert shop.promote(first).status == 0
    run = shop.start(second)
    while list(running(shop).values()).count(second.images["web"]) < moment and run.process.poll() is None:
        pause()
    run.process.kill()
    run.process.wait()

    ended = shop.promote(second, EXPECTED_REVISION=THIRD)

    assert (ended.status, ended.outputs["outcome"]) == (1, "refused"), ended.log
    assert_runs(shop, second.images["web"])


def test_start_first_starts_as_many_beside_them(shop: Shop) -> None:
    """Fails when fewer than all serve at any moment, or an old one stays."""
    how = {"UPDATE_ORDER": "start-first", "UPDATE_OVERLAP": "1", "PROD_PORT": "8000"}
    first, second, broken = shop.build(FIRST), shop.build(SECOND), shop.build(THIRD, breaks="yes")
    assert shop.promote(first, **how).status == 0

    with fewest(shop) as seen:
        ended = shop.promote(second, **how)
        assert ended.status == 0, ended.log
        assert_runs(shop, second.images["web"])
        before = running(shop)
        assert shop.promote(broken, **how).outputs["outcome"] == "rolled-back"

    assert min(seen) == 3
    assert running(shop) == before


def test_replicas_that_publish_a_port_are_refused(shop: Shop) -> None:
    """Fails when the second one's failure to start is all that a person gets."""
    path = shop.runner.app.repo.path / "compose.yaml"
    shop.runner.app.repo.commit({"compose.yaml": path.read_text() + '    ports: ["127.0.0.1:8123:8000"]\n'})

    ended = shop.promote(shop.build(FIRST))

    assert ended.status == 2, ended.log
    assert "has 3 replicas and publishes 8123, which they cannot share" in ended.reason


STAGING = """\
name: {project}
services:
  web:
    build: .
    command: ["sh", "-c", "{command}"]
    expose: ["8000"]
    scale: 3
"""
SHARED = "    volumes: [shared:/shared]\n    environment: {SHARED: /shared}\nvolumes: {shared: }\n"
SERVES = "exec python3 -m http.server 8000"


@pytest.mark.parametrize(
    ("command", "verdict"),
    [(SERVES, "fresh"), (f"mkdir $$SHARED/one && {SERVES}", "unhealthy")],
)
def test_the_gate_proves_each_of_them(command: str, verdict: str, shop: Shop) -> None:
    """I3, I12. Fails when one container stands for all: of three that want one folder, two end."""
    repo = shop.runner.app.repo
    compose = STAGING.format(project=shop.project, command=command) + SHARED
    repo.commit({"compose.yaml": compose, "Dockerfile": FILE_SERVER, "revision": "1"})

    ended = shop.runner.gate(TARGET_SERVICE="web", CHECK_COMMAND="true")

    assert ended.decision[1] == verdict, ended.log
    if verdict == "fresh":
        assert_runs(shop, ended.outputs["image-id"])
        assert [check["name"] for check in ended.report["checks"]].count("health") == 3
