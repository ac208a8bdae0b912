"""What a promotion is about to do, in a volume that is made under the lock, before the first write.

A lock that was left without one stands for a run that had written nothing. With one, the next run finishes or undoes.
"""

from collections.abc import Iterable, Sequence

from freshness.core.lock import PLAN_LABEL, Begun, HeldLock, Record, begun_from, plan_labels, plan_volume
from freshness.engine.client import Engine, engine_call
from freshness.engine.lock import Lease
from freshness.engine.lock_store import VOLUME_OPTIONS, remove_volume
from freshness.errors import EngineError


def find_begun(engine: Engine, lock: str) -> Begun | None:
    """What was begun under this lock and is neither finished nor undone. Raises EngineError.

    Between a new record and the removal of the one before there are two; nothing was done for the new one yet.
    """
    return min(_all_begun(engine, lock), key=lambda begun: begun.number, default=None)


def find_waiting(engine: Engine, lock: str, held: HeldLock | None) -> Record | None:
    """As `find_begun`, while somebody else still has the lock; an older release wrote it into the lock itself."""
    begun = find_begun(engine, lock)
    return begun.record if begun else held.owner.record if held else None


def find_all_begun(engine: Engine, locks: Iterable[str]) -> dict[str, Begun]:
    """As `find_begun`, of each lock under which something was begun."""
    found = ((lock, find_begun(engine, lock)) for lock in locks)
    return {lock: begun for lock, begun in found if begun}


def adopt_record(lease: Lease) -> None:
    """Gives what an older release wrote into the lock, which was taken over, a volume of its own, where none is yet."""
    if lease.owner.record and not find_begun(lease.engine, lease.lock):
        write_record(lease, lease.owner.record)


def write_record(lease: Lease, record: Record) -> Begun:
    """Writes it down in place of what was recorded before. Raises LockLost, EngineError."""
    return write_records([(lease, record)])[lease.lock]


def write_records(records: Sequence[tuple[Lease, Record]]) -> dict[str, Begun]:
    """Writes all of them down by their locks, and only then removes what was recorded before.

    Raises LockLost, EngineError.
    """
    earlier = {lease.lock: _all_begun(lease.engine, lease.lock) for lease, _ in records}
    begun = {lease.lock: _create(lease, record, earlier[lease.lock]) for lease, record in records}
    for lease, _ in records:
        for one in earlier[lease.lock]:
            remove_volume(lease.engine, one.name)
    return begun


def _create(lease: Lease, record: Record, before: list[Begun]) -> Begun:
    begun = Begun(
        name=_unused(plan_volume(lease.lock, lease.owner.token), before),
        number=max((one.number for one in before), default=0) + 1,
        record=record,
    )
    lease.require()
    with engine_call(f"recording what is begun in {begun.name}"):
        lease.engine.client.api.create_volume(
            begun.name, driver="local", driver_opts=VOLUME_OPTIONS, labels=plan_labels(lease.lock, begun)
        )
    return begun


def remove_records(leases: Iterable[Lease]) -> None:
    """What was begun is finished or undone. Raises LockLost, EngineError."""
    for lease in leases:
        lease.require()
        for begun in _all_begun(lease.engine, lease.lock):
            remove_volume(lease.engine, begun.name)


def _unused(name: str, before: list[Begun]) -> str:
    """What this run has written before has the plain name already."""
    taken = {one.name for one in before}
    return next(one for one in (name, *(f"{name}.{number}" for number in range(2, len(taken) + 2))) if one not in taken)


def _all_begun(engine: Engine, lock: str) -> list[Begun]:
    with engine_call(f"looking for what was begun under {lock}"):
        listed = engine.client.api.volumes(filters={"label": f"{PLAN_LABEL}={lock}"})["Volumes"] or ()
    return [_read(volume["Name"], volume["Labels"] or {}) for volume in listed]


def _read(name: str, labels: dict[str, str]) -> Begun:
    begun = begun_from(name, labels)
    if begun is None:
        raise EngineError(
            f"The volume {name} is labelled as a promotion's plan, but cannot be read as one.",
            f"Check who made it, and remove it: docker volume rm {name}",
        )
    return begun
