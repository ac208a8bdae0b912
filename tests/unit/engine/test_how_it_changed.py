"""How a container is no longer what it was: what ended by itself is not told as if somebody had replaced it."""

import pytest
from msgspec.structs import replace

from freshness.engine.containers import Container, how_it_changed

BEFORE = Container(
    id="c" * 64,
    name="shop-staging-1",
    image_id="sha256:aaa",
    status="running",
    started_at="2026-11-01T10:00:00Z",
    restarts=0,
    exit_code=0,
    health="",
    addresses={},
)
LATER = "2026-11-01T10:00:09Z"


def test_the_same_container_that_runs_on_has_not_changed() -> None:
    assert how_it_changed(BEFORE, replace(BEFORE, health="healthy")) is None


@pytest.mark.parametrize(
    ("now", "got", "remedy"),
    [
        (None, "is gone", "removed or replaced it"),
        (replace(BEFORE, image_id="sha256:bbb"), "runs sha256:bbb instead of sha256:aaa", "replaced it"),
        (replace(BEFORE, status="paused"), "is paused", "`docker unpause shop-staging-1`"),
        (replace(BEFORE, started_at=LATER), f"was restarted: running since {LATER}", "`docker restart`"),
    ],
)
def test_what_somebody_did_is_told_so(now: Container | None, got: str, remedy: str) -> None:
    change = how_it_changed(BEFORE, now)

    assert change is not None
    assert got in change.got
    assert remedy in change.remedy


@pytest.mark.parametrize(
    ("now", "got", "remedy"),
    [
        (replace(BEFORE, status="exited", exit_code=3), "is exited: its program ended (exit status 3)", "docker logs"),
        (replace(BEFORE, status="exited"), "is exited: its program ended (exit status 0)", "docker logs"),
        (replace(BEFORE, status="exited", exit_code=137), "(exit status 137)", "`docker kill`"),
        (replace(BEFORE, status="exited", exit_code=137, is_out_of_memory=True), "it ran out of memory", "`mem_limit`"),
        (replace(BEFORE, started_at=LATER, restarts=2), "ended, and Docker restarted it 2 times", "docker logs"),
        (replace(BEFORE, status="restarting", exit_code=1, restarts=1), "ended (exit status 1), and", "docker logs"),
    ],
)
def test_a_program_that_ended_is_told_so_and_nobody_is_looked_for(now: Container, got: str, remedy: str) -> None:
    """Breaks when `how_it_changed` looks at the start before it looks at restarts and status."""
    change = how_it_changed(BEFORE, now)

    assert change is not None
    assert got in change.got
    assert remedy in change.remedy
    assert "find it" not in change.remedy
