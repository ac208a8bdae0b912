"""The labels of a lock's volume: read back as they were written, and nothing else taken for them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from freshness.core.lock import (
    Begun,
    HeldLock,
    LockOwner,
    Place,
    Record,
    current_locks,
    from_labels,
    in_takeover_order,
    service_lock,
    successor_name,
    to_labels,
    unlock_command,
)
from freshness.engine.plan_record import _unused

NAME = service_lock("shop", "web")
ID = "sha256:" + "a" * 64
RECORD = Record(tag="shop/web:live", previous=ID, candidate="sha256:" + "b" * 64, tagged="", kept=(ID, ID))
PLACE = Place(host="host", machine="m", boot="b", pid_namespace="pid:[1]", pid=7, started=99, container="")
HOLDER = LockOwner(
    token="0" * 32, command="freshness promote", revision="f" * 40, who="ann", run="", seconds=60, place=PLACE,
    record=RECORD,
)  # fmt: skip


WAY_BACK = replace(RECORD, goes_back=True, configuration='{"a": "new"}', former='{"a": "old"}')


@pytest.mark.parametrize(
    "owner",
    [
        HOLDER,
        replace(HOLDER, record=None),
        replace(HOLDER, record=replace(RECORD, kept=())),
        replace(HOLDER, record=WAY_BACK),
        replace(
            HOLDER, record=replace(RECORD, hosts=(("A:B", "ssh://a/x=y"), ("C", "two")), run="1" * 32, undone=True)
        ),
    ],
)
def test_a_holder_is_read_back_as_it_was_written(owner: LockOwner) -> None:
    assert from_labels(to_labels(NAME, owner)) == owner


def test_a_password_that_version_1_0_wrote_into_a_lock_is_not_said() -> None:
    """Fails when `str` of a Holder takes the run's address as it is."""
    shown = str(replace(HOLDER, run="https://ann:hunter2@forge.example/acme/app/actions/runs/7"))
    assert "hunter2" not in shown
    assert "https://forge.example/acme/app/actions/runs/7" in shown


@pytest.mark.parametrize(
    "broken",
    [
        {"freshness.token": "short"}, {"freshness.token": "../../etc"}, {"freshness.pid": "-1"},
        {"freshness.pid": "7\n"},
        {"freshness.seconds": "9" * 40}, {"freshness.to": "latest"}, {"freshness.from": "sha256:abc"},
        {"freshness.kept": "app:latest"}, {"freshness.tag": ""},
    ],
)  # fmt: skip
def test_labels_that_are_not_ours_name_no_holder(broken: dict[str, str]) -> None:
    """I8. Breaks when a record's image is taken for granted: production would be tagged with what anybody wrote."""
    assert from_labels({**to_labels(NAME, HOLDER), **broken}) is None


@given(st.dictionaries(st.sampled_from(list(to_labels(NAME, HOLDER))), st.text()))
def test_no_labels_at_all_raise(labels: dict[str, str]) -> None:
    from_labels({**to_labels(NAME, HOLDER), **labels})


def held(name: str, token: str) -> HeldLock:
    return HeldLock(name=name, owner=replace(HOLDER, token=token * 32), since="")


def test_who_took_over_stands_and_the_dead_one_does_not() -> None:
    first = held(NAME, "1")
    second = held(successor_name(NAME, "1" * 32), "2")
    third = held(successor_name(NAME, "2" * 32), "3")

    assert current_locks([second, first], NAME) == (second,)
    assert current_locks([first, third, second], NAME) == (third,)


def test_the_follower_comes_before_one_who_came_too_early() -> None:
    """Breaks when `current_locks` puts the lock's plain name first: its holder is about to withdraw."""
    early, follows = held(NAME, "9"), held(successor_name(NAME, "1" * 32), "2")

    assert current_locks([early, follows], NAME) == (follows, early)


def test_two_services_never_share_a_lock() -> None:
    assert service_lock("a", "b-c.d") != service_lock("a-b", "c.d")


def test_the_volumes_of_a_lock_go_in_the_order_in_which_they_followed() -> None:
    """Fails when `in_takeover_order` keeps the Engine's order, which is by chance: the middle one may go first then."""
    first = HeldLock(name="lock", owner=replace(HOLDER, token="a" * 32), since="")
    second = HeldLock(name=successor_name("lock", "a" * 32), owner=replace(HOLDER, token="b" * 32), since="")
    third = HeldLock(name=successor_name("lock", "b" * 32), owner=replace(HOLDER, token="c" * 32), since="")

    for listed in itertools.permutations((first, second, third)):
        assert in_takeover_order(listed, "lock") == (first, second, third)


def test_what_an_older_release_wrote_is_still_read() -> None:
    """I9. Breaks when a record without configurations is no record: what was begun would be undone by nobody."""
    labels = to_labels(NAME, HOLDER)
    del labels["freshness.back"]

    assert from_labels(labels) == HOLDER


def test_what_runs_with_secrets_is_in_no_text() -> None:
    assert '{"a"' not in repr(replace(HOLDER, record=WAY_BACK))


def test_the_command_that_leads_to_a_lock_names_the_engine_of_the_run() -> None:
    """Fails when `unlock_command` leaves the Engine out: whoever types it elsewhere would ask another one."""
    env = {"DOCKER_HOST": "tcp://host:2376", "DOCKER_CERT_PATH": "/a b", "DOCKER_CONTEXT": "", "HOME": "/root"}
    command = unlock_command(NAME, env)
    assert command == f"DOCKER_HOST=tcp://host:2376 DOCKER_CERT_PATH='/a b' freshness unlock --lock {NAME}"


@pytest.mark.parametrize(
    ("there", "name"), [([], "p"), (["p"], "p.2"), (["p.2"], "p"), (["p", "p.2"], "p.3"), (["q"], "p")]
)
def test_what_is_written_anew_takes_no_name_that_is_there(there: list[str], name: str) -> None:
    """Fails when a record is made in place of one that could not be removed: Docker says yes, and keeps the old one."""
    assert _unused("p", [Begun(name=one, number=1, record=RECORD) for one in there]) == name
