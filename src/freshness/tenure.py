"""How a promotion comes to hold its target: it waits, mends what a dead run began, refuses or plans, and claims."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from freshness.candidacy import Candidacy
from freshness.core.lock import Held, Record
from freshness.engine.client import Engine
from freshness.engine.lock import Hold, Lock
from freshness.engine.presence import why_dead
from freshness.interrupts import interrupts_deferred

Planned = TypeVar("Planned")
TAKEN_OVER = "What was begun is finished or undone by the run that took over; this one may write nothing any more."


def find_cut(lock: Lock) -> Held | None:
    """Who died in the middle of a change and was not taken over yet. Raises EngineError."""
    held = lock.look()
    is_cut = held and held.holder.record and why_dead(lock.engine, held, lock.holder.place)
    return held if is_cut else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenure(Generic[Planned]):
    """The one order in which `run` takes its target; `what` is the word for it in sentences.

    `plan` makes all refusals, and `record` is what of a plan is written down. `is_still_so` looks whether the target is
    what the plan saw. `recover` finishes or undoes what a dead run began, in words; None where it left nothing here.
    """

    run: Candidacy
    what: str
    find_lock: Callable[[], Lock]
    plan: Callable[[Engine], Planned]
    record: Callable[[Planned], Record]
    is_still_so: Callable[[Engine, Planned], bool]
    recover: Callable[[Hold, Record], str | None]

    def begin(self, wanted: str) -> tuple[Planned, Hold]:
        """All refusals, then the target is ours: if another run came between, all refusals again."""
        steps, notes = self.run.steps, self.run.notes
        with steps.step("lock", wanted) as step:
            lock = self.find_lock()
            step.got = self._wait(lock)
        while True:
            so_far = len(steps.checks), len(notes)
            plan = self.plan(lock.engine)
            hold = self._claim(lock, plan)
            if hold:
                return plan, hold
            del steps.checks[so_far[0] :], notes[so_far[1] :]
            self._wait(lock)

    def _claim(self, lock: Lock, plan: Planned) -> Hold | None:
        """The target with the plan's record, if it is free and still what the plan saw."""
        hold = replace(lock, holder=replace(lock.holder, record=self.record(plan))).claim()
        with ExitStack() as unless_ours:
            if hold and self.is_still_so(unless_ours.enter_context(hold).engine, plan):
                unless_ours.pop_all()
                return hold
        return None

    def _wait(self, lock: Lock) -> str:
        """Waits for a run that holds the target, recovers from one that died in the middle; in words what there was."""
        hold = lock.wait(self.run.settings.lock_timeout)
        if hold is None:
            return "nobody else holds it"
        with hold, interrupts_deferred():
            record = hold.holder.record
            hold.kept = record is not None  # whatever ends us now: what was begun is not forgotten
            done = self.recover(hold, record) if record else None
            hold.kept = False
            if done is None:
                return "it was taken over from a run that had ended"
            self._tell(done)
        return f"a cut {self.what} was {done}"

    def _tell(self, done: str) -> None:
        note = f"A {self.what} that was cut in the middle was {done}."
        self.run.notes.append(note)
        self.run.reason = f"{note} Nothing else was changed."  # until there is more to say
        self.run.log.warning(f"A cut {self.what}", note)
