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
    token: str = "",
) -> Lock:
    """The lock called `name`, to be held by this run for `seconds` at most. `env` is the run's own environment.

    `token` is that of the run's other locks, so that what a child still does for one of them holds all.
    """
    owner = LockOwner(
        token=token or new_token(),
        command=command,
        revision=revision or "",
        who=Run.of(env).actor or _user(),
        run=_run_address(env),
        seconds=int(seconds),
        place=find_place(engine),
    )
    return Lock(engine=engine, name=name, owner=owner, say=say, unlock=unlock_command(name, env))


def new_token() -> str:
    """What a run's locks have in common, and no other run's."""
    return secrets.token_hex(16)


def _run_address(env: Mapping[str, str]) -> str:
    run = Run.of(env)
    if not (run.server_url and run.repository):
        return run.id
    return f"{without_userinfo(run.server_url)}/{run.repository}/actions/runs/{run.id}" if run.id else ""


def _user() -> str:
    with suppress(OSError, KeyError):  # a job's container may have no name for its user
        return getpass.getuser()
    return "unknown"
