"""Whether a process that once held a lock still runs, by what the kernel says of it."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest
from msgspec.structs import replace

from freshness.core.lock import LockOwner, Place
from freshness.engine.client import Engine
from freshness.engine.lock_liveness import (
    _is_running,
    _machine_id,
    _started,
    _text,
    _users,
    find_place,
    own_container,
    running_children,
)
from tests.support.runner import eventually

NOBODY = 65534
OURS = str(os.geteuid())


def test_a_process_is_itself_only_with_the_time_of_its_start() -> None:
    """Breaks when a process that got a dead one's number is taken for it."""
    started = _started(os.getpid())

    assert started
    assert _is_running(os.getpid(), started)
    assert not _is_running(os.getpid(), started + 1)


def test_a_process_that_only_waits_to_be_buried_has_ended() -> None:
    """Breaks when a zombie counts: a runner may keep the shell of a killed step for as long as the job takes."""
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as child:
        started = _started(child.pid) or 0
        assert _is_running(child.pid, started)
        assert child.stdin
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

        assert not _is_running(child.pid, started)


@pytest.mark.parametrize("pid", [2**22 + 1, 10**17])
def test_a_number_that_no_process_has_is_no_process(pid: int) -> None:
    assert not _is_running(pid, 1)


@pytest.fixture
def owner() -> LockOwner:
    """A holder of ours, which has ended."""
    place = Place(host="here", machine="", boot="", pid_namespace="", pid=0, started=0, container="", user=OURS)
    token = os.urandom(16).hex()
    return LockOwner(token=token, command="freshness promote", revision="", who="", run="", seconds=60, place=place)


def test_what_a_dead_holder_left_running_is_found_by_its_token(owner: LockOwner) -> None:
    """I8. Breaks when the next run begins while Compose still recreates."""
    with subprocess.Popen([f"sleep@{owner.token}", "60"], executable="sleep") as child:
        try:
            assert eventually(lambda: list(running_children(owner)), "the child's own name") == [child.pid]
            of_version_1_0 = replace(owner, place=replace(owner.place, user=""))
            assert list(running_children(of_version_1_0)) == [child.pid]
        finally:
            child.kill()
    assert not list(running_children(owner))


def named_for_it(token: str) -> tuple[list[str], dict[str, Any]]:
    """By another user, with the very words of ours."""
    return [f"cat@{token}"], {"user": NOBODY}


def in_an_argument(token: str) -> tuple[list[str], dict[str, Any]]:
    return ["cat", "-", f"cat@{token}"], {}


def within_the_first_word(token: str) -> tuple[list[str], dict[str, Any]]:
    return [f"cat@{token}0"], {}


def set_to_our_user(token: str) -> tuple[list[str], dict[str, Any]]:
    """As a program that is set to our user runs for another: its real user is still the other."""
    line = f"import os, sys; os.setresuid({NOBODY}, 0, 0); sys.stdin.read()"
    return [f"python@{token}", "-c", line], {"executable": sys.executable}


@pytest.mark.parametrize("imitated", [named_for_it, in_an_argument, within_the_first_word, set_to_our_user])
def test_no_other_process_keeps_a_dead_holder_alive(owner: LockOwner, imitated: Callable[[str], Any]) -> None:
    """Fails when `running_children` takes the token anywhere in the words, or does not ask whose the process is."""
    if os.geteuid() != 0 and imitated in {named_for_it, set_to_our_user}:
        pytest.skip("only root can start a process for another user")
    words, how = imitated(owner.token)
    with subprocess.Popen(words, **{"executable": "cat", **how}, stdin=subprocess.PIPE) as child:
        try:
            wanted = {str(NOBODY), "0"} if imitated is set_to_our_user else {str(how.get("user", os.geteuid()))}
            eventually(lambda: owner.token in _text(f"/proc/{child.pid}/cmdline"), "the child's own words")
            eventually(lambda: _users(Path(f"/proc/{child.pid}")) == wanted, "the child's user")
            assert not list(running_children(owner))
        finally:
            child.kill()


def test_the_machines_id_is_shown_to_nobody() -> None:
    """Fails when `find_place` writes the id of machine-id(5) into the lock, which everybody with Docker can read."""
    if not _machine_id() or own_container():
        pytest.skip("this machine has no /etc/machine-id, or is a container, which tells no name of it")
    with closing(docker.DockerClient("unix:///nowhere", version="1.41")) as client:  # nothing is asked of it
        beside = Engine(client=client, endpoint="unix:///nowhere", context="", id="", env={}, timeout=1)
        place, again = find_place(beside), find_place(beside)

    assert place.machine
    assert _machine_id() not in str(place)
    assert place.machine == again.machine, "another run on this machine has another name for it"
