"""The lock of tags in a registry, which does not compare before it sets: one run at a time, on every Docker host."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from msgspec.structs import replace

from freshness.core.check import CheckName
from freshness.core.lock import tag_lock
from freshness.engine.client import Engine
from freshness.engine.lock import Lease
from freshness.engine.lock_owner import new_lock, new_token
from freshness.promotion.request import Request
from freshness.report.run_log import RunLog
from freshness.settings.docker_host import at_host

SECONDS = 900  # of the lock: the forge and Git answer while it is held


@contextmanager
def lock_tags(
    names: Iterable[str], engines: Mapping[str, Engine], request: Request, run: RunLog
) -> Iterator[tuple[Lease, ...]]:
    """These tags for this run alone, on all `engines` by their hosts' names: two runs may name these in any order.

    All runs take them in the order of the Engines' IDs, then of the names, so that no two wait for each other. Raises
    Busy where another run keeps one for too long, EngineError.
    """
    tags, several, leases = sorted(set(names)), len(engines) > 1, list[Lease]()
    token = new_token()
    with ExitStack() as stack:
        for host, engine in sorted(engines.items(), key=lambda one: one[1].id):
            for name in tags:
                lock = new_lock(
                    engine,
                    tag_lock(name),
                    command="freshness rollback" if request.is_rollback else "freshness promote",
                    revision=request.rollback_to if request.is_rollback else request.settings.expected_revision,
                    seconds=SECONDS,
                    env=at_host(request.run_env, host or None),
                    say=run.log.say,
                    token=token,
                )
                place = replace(run, place=host if several else "")
                with place.step(CheckName.LOCK, f"{lock.name} for this run alone") as step:
                    leases.append(stack.enter_context(lock.take(request.settings.engine.lock_timeout)))
                    step.got = "it is ours"
        yield tuple(leases)
