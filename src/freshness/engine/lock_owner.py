"""Who we are to others that want the same target: the run, its person, its place, and how long it may take."""

import getpass
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress

from freshness.core.endpoint import without_userinfo
from freshness.core.lock import LockOwner, unlock_command
from freshness.core.run import Run
from freshness.engine.client import Engine
from freshness.engine.lock import Lock
from freshness.engine.lock_liveness import find_place


def new_lock(
    engine: Engine,
    name: str,
    *,
    command: str,
    revision: str | None,
    seconds: float,
    env: Mapping[str, str],
    say: Callable[[str], None],
) -> Lock:
    """The lock called `name`, to be held by this run for `seconds` at most. `env` is the run's own environment."""
    owner = LockOwner(
        token=secrets.token_hex(16),
        command=command,
        revision=revision or "",
        who=Run.of(env).actor or _user(),
        run=_run_address(env),
        seconds=int(seconds),
        place=find_place(engine),
    )
    return Lock(engine=engine, name=name, owner=owner, say=say, unlock=unlock_command(name, env))


def _run_address(env: Mapping[str, str]) -> str:
    run = Run.of(env)
    if not (run.server_url and run.repository):
        return run.id
    return f"{without_userinfo(run.server_url)}/{run.repository}/actions/runs/{run.id}" if run.id else ""


def _user() -> str:
    with suppress(OSError, KeyError):  # a job's container may have no name for its user
        return getpass.getuser()
    return "unknown"
