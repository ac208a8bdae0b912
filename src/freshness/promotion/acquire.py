"""How a run gets its targets: on each host it waits for the run that has a lock, and takes over from one that died."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from freshness.core.check import CheckName
from freshness.engine.lock import Lease, Lock
from freshness.engine.plan_record import adopt_record
from freshness.promotion.host import Host, reach_hosts
from freshness.promotion.leases import Leases
from freshness.promotion.work import Work
from freshness.report.run_log import RunLog

__all__ = ["acquire", "reach_hosts"]


@contextmanager
def acquire(hosts: Sequence[Host], run: RunLog) -> Iterator[tuple[Work, ...]]:
    """The targets for this run alone, on all hosts. Raises Busy where another run keeps one for too long, EngineError.

    All runs take them in the order of the Engines' IDs, so that no two wait for each other.
    """
    with ExitStack() as stack:
        taken = {
            host.engine.id: Leases(by_lock={lock.name: _take(lock, host, stack, run) for lock in host.locks})
            for host in sorted(hosts, key=lambda one: one.engine.id)
        }
        moments = list[str]()
        yield tuple(
            Work(
                host=host,
                leases=taken[host.engine.id],
                run=host.run(run),
                moments=moments,
                elsewhere=tuple(taken[one.engine.id] for one in hosts if one is not host),
            )
            for host in hosts
        )


def _take(lock: Lock, host: Host, until: ExitStack, run: RunLog) -> Lease:
    with host.run(run).step(CheckName.LOCK, f"{lock.name} for this run alone") as step:
        lease = lock.take(host.request.settings.engine.lock_timeout)
        step.got = "nobody else has it" if lease.name == lock.name else "taken over from a run that has ended"
    adopt_record(lease)  # before it could be let go, since another one is kept from us
    return until.enter_context(lease)
