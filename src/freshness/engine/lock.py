"""One run at a time for a target, held on the Docker host by a volume that no prune takes and that a reboot leaves.

A Swarm service's lock is a config in place of the volume (lock_store.py); all else is the same.

Docker creates a volume's name once: of many who try at the same moment one finds its own token in the labels. A dead
owner is followed, not erased: the follower's volume bears the dead one's token in its name. What a promotion is about
to do stands in a volume of its own, made under the lock and removed before it (plan_record.py). In a Swarm the tokens
of the dead are all that tells what they began: they stay until the follower has settled that.
"""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from msgspec import Struct, field
from msgspec.structs import replace

from freshness.core.lock import (
    HeldLock,
    LockOwner,
    current_locks,
    from_labels,
    in_takeover_order,
    is_swarm_lock,
    successor_name,
    to_labels,
)
from freshness.engine.client import Engine
from freshness.engine.lock_liveness import end_running_children, running_children, why_dead
from freshness.engine.lock_store import Configs, Entry, Volumes, store_of
from freshness.errors import Busy, EngineError, FreshnessError, LockLost

PAUSE_SECONDS = 0.2
PROGRESS_SECONDS = 15


class Lease(Struct, kw_only=True):
    """A target that is ours: whoever writes has one, and looks with `require` that it still is, before each write.

    `owner` is us; its `record` is what an older release left in the lock that was taken over. Leaving the block lets
    go, unless something that we started still changes the host, or it is `kept`: then the next run takes over.
    """

    engine: Engine
    name: str
    lock: str
    owner: LockOwner
    since: float = field(default_factory=time.monotonic)
    kept: bool = False

    def require(self) -> None:
        """Raises LockLost where the target is not ours any more."""
        if time.monotonic() - self.since > self.owner.seconds or not self._is_ours():
            raise LockLost(
                f"{self.lock} was taken over from this run, or its {self.owner.seconds} s are over.",
                "Nothing more was changed; whoever holds it now finishes or undoes what was begun.",
            )

    def _is_ours(self) -> bool:
        found = from_labels(self._store.find(self.name) or {})
        return found is not None and found.token == self.owner.token and not self._is_followed()

    def _is_followed(self) -> bool:
        """A volume is erased by who follows it."""
        return is_swarm_lock(self.lock) and bool(self._store.find(successor_name(self.lock, self.owner.token)))

    def settle(self) -> None:
        """What those began who were followed is finished or undone: their volumes go."""
        for volume in in_takeover_order(_volumes(self.engine, self.lock), self.lock):
            if volume.name != self.name:
                self._store.remove(volume.name)

    def release(self) -> None:
        """Lets go; what is not ours any more is left alone."""
        if self._is_ours():
            self._store.remove(self.name)

    @property
    def _store(self) -> Volumes | Configs:
        return store_of(self.engine, self.lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.kept or (error and any(running_children(self.owner))):
            return
        with suppress(FreshnessError):  # an Engine that is gone: the next run finds a dead owner
            self.release()


class Lock(Struct, frozen=True, kw_only=True):
    """The lock called `name` on an Engine, for `owner`, which is who we are. `say` tells a person.

    `unlock` is the command that leads to this lock.
    """

    engine: Engine
    name: str
    owner: LockOwner
    say: Callable[[str], None]
    unlock: str

    def take(self, seconds: float) -> Lease:
        """Waits as `wait` does, and holds it then."""
        while True:
            lease = self.wait(seconds) or self.claim()
            if lease:
                return lease

    def wait(self, seconds: float) -> Lease | None:
        """Waits while another run holds it. A dead one's is taken over, with a word in the log; None: it is free.

        Raises Busy after `seconds`, EngineError.
        """
        started, told = time.monotonic(), -float(PROGRESS_SECONDS)
        while held := self.look():
            waited = time.monotonic() - started
            dead = why_dead(self.engine, held, self.owner.place)
            if dead and (lease := self.follow(held)):
                end_running_children(held.owner)
                self.say(f"Taken over: {self.name} was locked by {held.owner}, and {dead}.")
                return lease
            if waited > seconds:
                raise Busy(
                    f"{self.name} is locked by {held.owner} since {held.since}, after waiting {seconds:g} s.",
                    f"Run again when it has ended; `{self.unlock}` shows it, and breaks it where it hangs (--force).",
                )
            if waited - told >= PROGRESS_SECONDS:
                told = waited
                self.say(f"Waiting for {held.owner}, who locked {self.name} at {held.since}, up to {seconds:g} s.")
            time.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 -- so that two do not meet again and again
        return None

    def look(self) -> HeldLock | None:
        """The volume that counts now, or None. Raises EngineError for one that is no lock of ours."""
        return find_lock(self.engine, self.name)

    def claim(self) -> Lease | None:
        """Holds it if it is free this very moment."""
        return self._hold(self.name, self.owner)

    def follow(self, dead: HeldLock) -> Lease | None:
        """Takes it over, with what an older release wrote into it; None where another did."""
        owner = replace(self.owner, record=dead.owner.record)
        lease = self._hold(successor_name(self.name, dead.owner.token), owner, dead)
        if lease and not is_swarm_lock(self.name):
            lease.settle()
        return lease

    def tokens(self) -> frozenset[str]:
        """Of all whose volumes are there, and of those whom they followed."""
        volumes, follows = _volumes(self.engine, self.name), successor_name(self.name, "")
        followed = {volume.name.removeprefix(follows) for volume in volumes if volume.name != self.name}
        return frozenset({volume.owner.token for volume in volumes} | followed)

    def _hold(self, name: str, owner: LockOwner, dead: HeldLock | None = None) -> Lease | None:
        store = store_of(self.engine, self.name)
        made = store.create(name, to_labels(self.name, owner))
        if made is None:
            return None
        found = from_labels(made)
        if found is None:
            raise _odd(store, name)
        if found.token != owner.token:
            return None
        lease = Lease(engine=self.engine, name=name, lock=self.name, owner=owner)
        # Made first, then looked: of two who come at once at least one sees the other.
        volumes = _volumes(self.engine, self.name)
        others = [volume for volume in current_locks(volumes, self.name) if volume.name != name]
        rivals = [volume for volume in others if not dead or why_dead(self.engine, volume, self.owner.place) is None]
        if rivals or (dead and dead.name not in {volume.name for volume in volumes}):
            lease.release()
            return None
        return lease


def find_lock(engine: Engine, name: str) -> HeldLock | None:
    """The volume of the lock that counts now, or None. Raises EngineError for one that is no lock of ours."""
    return next(iter(current_locks(_volumes(engine, name), name)), None)


def _volumes(engine: Engine, name: str) -> list[HeldLock]:
    store = store_of(engine, name)
    return [_read(store, entry) for entry in store.listed(name)]


def _read(store: Volumes | Configs, entry: Entry) -> HeldLock:
    owner = from_labels(entry.labels)
    if owner is None:
        raise _odd(store, entry.name)
    return HeldLock(name=entry.name, owner=owner, since=entry.since)


def _odd(store: Volumes | Configs, name: str) -> EngineError:
    return EngineError(
        f"The {store.kind} {name} has the name of a lock, but not its labels.",
        f"Check who made it, and remove it: docker {store.kind} rm {name}",
    )
