"""Tells whether the owner of a lock still is: its process, its container, or the time that it gave itself."""

import hmac
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from freshness.core.lock import HeldLock, LockOwner, Place
from freshness.engine.client import Engine, time_of
from freshness.engine.containers import find_container

# What Docker mounts into each container (proc(5), mountinfo: root, then mount point). On the host itself other files of
# containers are mounted, which say nothing of us.
_OWN_CONTAINER = re.compile(r" \S*/containers/([0-9a-f]{64})/\S+ /etc/(?:hostname|hosts|resolv\.conf) ")


def find_place(engine: Engine) -> Place:
    """Where this process runs.

    The machine's id is told only beside the Engine itself: cloned machines share one, and so do containers.
    """
    own = own_container()
    known = find_container(engine, own) if own else None  # another Engine's container says nothing here
    is_beside = engine.endpoint.startswith("unix://") and own is None
    return Place(
        host=socket.gethostname(),
        machine=_machine_name() if is_beside else "",
        boot=_text("/proc/sys/kernel/random/boot_id").strip(),
        pid_namespace=_pid_namespace(),
        pid=os.getpid(),
        started=_started(os.getpid()) or 0,
        container=known.id if known else "",
        user=str(os.geteuid()),
    )


def _machine_name() -> str:
    """A name of this machine for our locks alone: machine-id(5) asks that its id be shown to nobody as it is."""
    machine = _machine_id()
    return hmac.digest(machine.encode(), b"freshness.lock", "sha256").hex()[:32] if machine else ""


def _machine_id() -> str:
    return _text("/etc/machine-id").strip()


def own_container() -> str | None:
    """The ID of the container that this process runs in, as far as Docker's mounts tell."""
    own = _OWN_CONTAINER.search(_text("/proc/self/mountinfo"))
    return own[1] if own else None


def why_dead(engine: Engine, held: HeldLock, here: Place) -> str | None:
    """In words why the owner no longer is, or None where it is or may be. Raises EngineError."""
    there = held.owner.place
    if there.boot == here.boot and there.pid_namespace == here.pid_namespace and there.boot and there.pid_namespace:
        if _is_running(there.pid, there.started):
            return None
        ended = f"its process {there.pid} has ended"
        if not any(running_children(held.owner)):
            return ended
        return f"{ended}, and its {held.owner.seconds} s are over" if _is_overdue(engine, held) else None
    # Locks of version 1.0 have the machine's id itself.
    if there.machine and here.machine and there.machine in {here.machine, _machine_id()} and there.boot != here.boot:
        return "its machine was started anew"
    if there.container:
        container = find_container(engine, there.container)
        if container is None or not container.is_up:
            return f"its job's container {there.container[:12]} has ended"
    return f"its {held.owner.seconds} s are over" if _is_overdue(engine, held) else None


def running_children(owner: LockOwner) -> Iterator[int]:
    """The processes that the owner started and that still change the host, as far as we can see.

    They bear its token in their first word (`finish` in process/children.py) and are its user's: everybody can read the
    token there, and start a process with the same words.
    """
    user = owner.place.user or str(os.geteuid())
    for process in Path("/proc").iterdir():
        first = _text(process / "cmdline").partition("\0")[0] if process.name.isdigit() else ""
        if owner.token in first.split("@")[1:] and _users(process) == {user}:
            yield int(process.name)


def end_running_children(owner: LockOwner) -> None:
    """Ends them, since they must not change the host beside whoever took over."""
    for pid in running_children(owner):
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def _users(process: Path) -> set[str]:
    """The real, effective, saved and file system user: of a program that is set to another's, they differ."""
    line = next((line for line in _text(process / "status").splitlines() if line.startswith("Uid:")), "")
    return set(line.split()[1:])


def _is_overdue(engine: Engine, held: HeldLock) -> bool:
    """By the Engine's clock alone: it made the volume, and says what time it is."""
    return time_of(engine) > datetime.fromisoformat(held.since) + timedelta(seconds=held.owner.seconds)


def _is_running(pid: int, started: int) -> bool:
    """Whether it is that very process. One that is another user's, and hidden (proc(5), hidepid), may be."""
    seen = _started(pid)
    if seen is not None or Path(f"/proc/{pid}").exists():
        return seen == started
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def _started(pid: int) -> int | None:
    """When the process was started, in clock ticks since the boot; None where there is none, or only its shell."""
    state, *fields = _text(f"/proc/{pid}/stat").rpartition(")")[2].split() or [""]
    return int(fields[18]) if state not in {"", "Z", "X"} else None


def _pid_namespace() -> str:
    with suppress(OSError):
        return str(Path("/proc/self/ns/pid").readlink())
    return ""


def _text(path: str | Path) -> str:
    with suppress(OSError):
        return Path(path).read_text(errors="replace")
    return ""
