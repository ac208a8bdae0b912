"""How a promotion comes to hold its target: it waits, mends what a dead run began, refuses or plans, and claims."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from freshness.core.lock import HeldLock, Record
from freshness.engine.client import Engine
from freshness.engine.lock import Lease, Lock
from freshness.engine.lock_liveness import why_dead
from freshness.process.signals import interrupts_deferred
from freshness.promotion.preflight import Candidacy

Planned = TypeVar("Planned")
TAKEN_OVER = "What was begun is finished or undone by the run that took over; this one may write nothing any more."


def find_cut(lock: Lock) -> HeldLock | None:
    """Who died in the middle of a change and was not taken over yet. Raises EngineError."""
    held = lock.look()
    is_cut = held and held.owner.record and why_dead(lock.engine, held, lock.owner.place)
    return held if is_cut else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenure(Generic[Planned]):
    """The one order in which `run` takes its target; `what` is the word for it in sentences.

    `plan` makes all refusals, and `record` is what of a plan is written down. `is_still_so` looks whether the target is
    what the plan saw. `recover` finishes or undoes what a dead run began, in words; None where it left nothing here.
    Where it can do neither it says so in the run's `unmended`, and the target stays ours, with that record, until the
    plan's own takes its place.
    """

    run: Candidacy
    what: str
    find_lock: Callable[[], Lock]
    plan: Callable[[Engine], Planned]
    record: Callable[[Planned], Record]
    is_still_so: Callable[[Engine, Planned], bool]
    recover: Callable[[Lease, Record], str | None]

    def begin(self, wanted: str) -> tuple[Planned, Lease]:
        """All refusals, then the target is ours: if another run came between, all refusals again."""
        steps, notes = self.run.steps, self.run.notes
        with steps.step("lock", wanted) as step:
            lock = self.find_lock()
            step.got, ours = self._wait(lock)
        while True:
            so_far = len(steps.checks), len(notes)
            plan = self.plan(lock.engine)
            lease = self._claim(lock, plan, ours)
            if lease:
                return plan, lease
            del steps.checks[so_far[0] :], notes[so_far[1] :]
            if ours is None:
                _, ours = self._wait(lock)

    def _claim(self, lock: Lock, plan: Planned, ours: Lease | None) -> Lease | None:
        """The target with the plan's record, if it is free, or ours, and still what the plan saw."""
        if ours:
            return self._succeed(lock, plan, ours)
        lease = replace(lock, owner=replace(lock.owner, record=self.record(plan))).claim()
        with ExitStack() as unless_ours:
            if lease and self.is_still_so(unless_ours.enter_context(lease).engine, plan):
                unless_ours.pop_all()
                return lease
        return None

    def _succeed(self, lock: Lock, plan: Planned, ours: Lease) -> Lease | None:
        ours.require()
        if not self.is_still_so(lock.engine, plan):
            return None
        lease = lock.succeed(ours, self.record(plan))
        if lease is None:
            ours.require()
        return lease

    def _wait(self, lock: Lock) -> tuple[str, Lease | None]:
        """Waits for a run that holds the target, recovers from one that died in the middle; in words what there was.

        The hold is there where something is left to undo.
        """
        lease = lock.wait(self.run.settings.lock_timeout)
        if lease is None:
            return "nobody else holds it", None
        with lease, interrupts_deferred():
            record = lease.owner.record
            lease.keep_lock = record is not None  # whatever ends us now: what was begun is not forgotten
            done = self.recover(lease, record) if record else None
            if self.run.unmended:
                return f"a cut {self.what} was {done}", lease
            lease.keep_lock = False
            if done is None:
                return "it was taken over from a run that had ended", None
            self._tell(done)
        return f"a cut {self.what} was {done}", None

    def _tell(self, done: str) -> None:
        note = f"A {self.what} that was cut in the middle was {done}."
        self.run.notes.append(note)
        self.run.reason = f"{note} Nothing else was changed."  # until there is more to say
        self.run.log.warning(f"A cut {self.what}", note)
