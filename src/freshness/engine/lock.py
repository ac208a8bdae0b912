"""One run at a time for a target, held on the Docker host by a volume that no prune takes and that a reboot leaves.

Docker creates a volume's name once: of many who try at the same moment one finds its own token in the labels. A dead
holder is followed, not erased: the follower's volume bears the dead one's token in its name and its record in its
labels, so that there is no moment in which what was left half done is known nowhere.
"""

import random
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

import docker

from freshness.core.lock import LOCK_LABEL, Held, Holder, Record, follower, from_labels, in_order, standing, to_labels
from freshness.engine.client import Engine, asking
from freshness.engine.lock_liveness import end_left_running, left_running, why_dead
from freshness.errors import Busy, EngineError, FreshnessError, LockLost

# What every Engine's prune leaves alone is a local volume that has an option; this one is never mounted.
VOLUME_OPTIONS = {"type": "tmpfs", "device": "tmpfs"}
PAUSE_SECONDS = 0.2
PROGRESS_SECONDS = 15


@dataclass(slots=True, kw_only=True)
class Hold:
    """A target that is ours: whoever writes has one, and looks with `insist` that it still is, before each write.

    `holder` is us; its `record` is our own, or what the dead one left from whom it was taken over. Leaving the block
    lets go, unless `kept`, or something that we started still changes the host: then the next run takes over.
    """

    engine: Engine
    name: str
    lock: str
    holder: Holder
    kept: bool = False
    since: float = field(default_factory=time.monotonic)

    def insist(self) -> None:
        """Raises LockLost where the target is not ours any more."""
        if time.monotonic() - self.since > self.holder.seconds or not self._is_ours():
            raise LockLost(
                f"{self.lock} was taken over from this run, or its {self.holder.seconds} s are over.",
                "Nothing more was changed; whoever holds it now finishes or undoes what was begun.",
            )

    def _is_ours(self) -> bool:
        with asking(f"looking at the lock {self.name}"):
            try:
                labels = self.engine.client.api.inspect_volume(self.name)["Labels"] or {}
            except docker.errors.NotFound:
                return False
        found = from_labels(labels)
        return found is not None and found.token == self.holder.token

    def release(self) -> None:
        """Lets go; what is not ours any more is left alone."""
        if self._is_ours():
            remove_volume(self.engine, self.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.kept or (error and any(left_running(self.holder))):
            return
        with suppress(FreshnessError):  # an Engine that is gone: the next run finds a dead holder
            self.release()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The lock called `name` on an Engine, for `holder`, which is who we are. `say` tells a person.

    `unlock` is the command that leads to this lock.
    """

    engine: Engine
    name: str
    holder: Holder
    say: Callable[[str], None]
    unlock: str

    def wait(self, seconds: float) -> Hold | None:
        """Waits while another run holds it. A dead one's is taken over, aloud, and given back; None: it is free.

        Raises Busy after `seconds`, EngineError.
        """
        started, told = time.monotonic(), -float(PROGRESS_SECONDS)
        while held := self.look():
            waited = time.monotonic() - started
            dead = why_dead(self.engine, held, self.holder.place)
            if dead and (hold := self.follow(held)):
                end_left_running(held.holder)
                self.say(f"Taken over: {self.name} was held by {held.holder}, and {dead}.")
                return hold
            if waited > seconds:
                raise Busy(
                    f"{self.name} is held by {held.holder} since {held.since}, after {seconds:g} s of waiting.",
                    f"Run again when it has ended; `{self.unlock}` shows it, and breaks it where it hangs (--force).",
                )
            if waited - told >= PROGRESS_SECONDS:
                told = waited
                self.say(f"Waiting for {held.holder}, which holds {self.name} since {held.since}, up to {seconds:g} s.")
            time.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 -- so that two do not meet again and again
        return None

    def take(self, seconds: float) -> Hold:
        """Waits as `wait` does, and holds it then."""
        while True:
            hold = self.wait(seconds) or self.claim()
            if hold:
                return hold

    def look(self) -> Held | None:
        """The volume that counts now, or None. Raises EngineError for one that is no lock of ours."""
        return next(iter(standing(self._volumes(), self.name)), None)

    def claim(self) -> Hold | None:
        """Holds it if it is free this very moment."""
        return self._hold(self.name, self.holder)

    def follow(self, dead: Held) -> Hold | None:
        """Takes it over, with the dead one's record; None where another did."""
        return self._go_on(replace(self.holder, record=dead.holder.record), dead)

    def succeed(self, hold: Hold, record: Record) -> Hold | None:
        """What is ours already, with another record from now on: there is no moment without one of the two.

        None where somebody took it over.
        """
        holder = replace(self.holder, token=secrets.token_hex(16), record=record)
        return self._go_on(holder, Held(name=hold.name, holder=hold.holder, since=""))

    def _go_on(self, holder: Holder, before: Held) -> Hold | None:
        hold = self._hold(follower(self.name, before.holder.token), holder, before)
        if hold:
            for volume in in_order(self._volumes(), self.name):
                if volume.name != hold.name:
                    remove_volume(self.engine, volume.name)
        return hold

    def _hold(self, name: str, holder: Holder, dead: Held | None = None) -> Hold | None:
        with asking(f"making the lock {name}"):
            made = self.engine.client.api.create_volume(
                name, driver="local", driver_opts=VOLUME_OPTIONS, labels=to_labels(self.name, holder)
            )
        found = from_labels(made["Labels"] or {})
        if found is None:
            raise self._odd(name)
        if found.token != holder.token:
            return None
        hold = Hold(engine=self.engine, name=name, lock=self.name, holder=holder)
        volumes = self._volumes()  # made first, then looked: of two who come at once at least one sees the other
        others = [volume for volume in standing(volumes, self.name) if volume.name != name]
        rivals = [volume for volume in others if not dead or why_dead(self.engine, volume, self.holder.place) is None]
        if rivals or (dead and dead.name not in {volume.name for volume in volumes}):
            hold.release()
            return None
        return hold

    def _volumes(self) -> list[Held]:
        with asking(f"looking for the lock {self.name}"):
            listed = self.engine.client.api.volumes(filters={"label": f"{LOCK_LABEL}={self.name}"})["Volumes"] or ()
        return [self._read(volume) for volume in listed]

    def _read(self, volume: dict[str, object]) -> Held:
        labels = volume["Labels"]
        holder = from_labels(labels) if isinstance(labels, dict) else None
        if holder is None:
            raise self._odd(str(volume["Name"]))
        return Held(name=str(volume["Name"]), holder=holder, since=str(volume["CreatedAt"]))

    @staticmethod
    def _odd(name: str) -> EngineError:
        return EngineError(
            f"The volume {name} has the name of a lock, but not its labels.",
            f"Look who made it, and take it away: docker volume rm {name}",
        )


def remove_volume(engine: Engine, name: str) -> None:
    """Removes the volume, if it is there."""
    with asking(f"removing the volume {name}"), suppress(docker.errors.NotFound):
        engine.client.api.remove_volume(name)
