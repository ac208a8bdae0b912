"""Judges a rollout by the service's spec, its update's state and each slot's task: never by how a command ends."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from freshness.core.answer import printable
from freshness.core.swarm import STOPPED, TAKEN_BACK, UNDER_WAY, Node, Service, Task, identity

_OVER = frozenset({"failed", "rejected", "complete"})
_TO_COME = frozenset({"ready", "running"})
_MOST = 2
"""Errors of tasks that a sentence names."""


class Word(StrEnum):
    """What becomes of a rollout: go on, it is proven, it failed, or somebody else changed the service."""

    WAIT = "wait"
    PROVEN = "proven"
    FAILED = "failed"
    CHANGED = "changed"


class Judged(Struct, frozen=True, kw_only=True):
    """The tasks at one moment. `good` are the IDs of those that fill a slot as they should.

    `over` are those of the image that ended since the write, the last one first; `gave_up`: two of one slot did.
    `said` names what is wrong with tasks of the image.

    `well`: every slot is filled, and nothing else is wanted. `silent` are the nodes of which nobody knows what runs
    there of this service, `stopping` those where another image of it still does, unwanted.
    """

    well: bool
    good: frozenset[str]
    over: tuple[str, ...]
    gave_up: bool
    silent: tuple[str, ...]
    stopping: tuple[str, ...]
    said: str


class Held(Struct, frozen=True, kw_only=True):
    """The tasks that fill all slots, and since when by our own clock; none where some slot is not filled."""

    tasks: frozenset[str] = frozenset()
    since: float = 0.0

    def after(self, judged: Judged, now: float) -> "Held":
        """The same while the same tasks are good."""
        if not judged.well:
            return Held()
        return self if judged.good == self.tasks else Held(tasks=judged.good, since=now)


class Wanted(Struct, frozen=True, kw_only=True):
    """What has to come about: this image, for `hold` seconds, before the `deadline` on our clock.

    `run` is the token that the service's label must say; `is_back`: it is the way back, which Swarm may go by itself.
    `earlier` are the IDs of tasks that were there before the write.
    """

    image: str
    run: str
    hold: float
    deadline: float
    earlier: frozenset[str] = frozenset()
    is_back: bool = False


def judge(
    image: str, service: Service, tasks: Sequence[Task], nodes: Iterable[Node], earlier: frozenset[str] = frozenset()
) -> Judged:
    """Whether each slot has one wanted task that runs this image on a node that is heard of."""
    known = {node.id: node for node in nodes}
    ready = {node: one.name for node, one in known.items() if one.is_ready}
    wanted = [task for task in tasks if task.wanted == "running"]
    good = [task for task in wanted if _runs(task, image) and task.node in ready]
    slots = {task.slot for task in good}
    over = [one for one in tasks if one.state in _OVER and one.id not in earlier and _is_of(one, image)]
    over.sort(key=lambda task: task.since, reverse=True)
    on = [task for task in tasks if task.state == "running"]
    silent = {known[task.node].name if task.node in known else task.node for task in on if task.node not in ready}
    leaving = [task for task in on if task.wanted not in _TO_COME and not _is_of(task, image)]
    stuck = [task for task in tasks if task.wanted in _TO_COME and task.error and _is_of(task, image)]
    said = f"{len(slots)} of {service.replicas} tasks run {image}"
    if silent:
        said += f"; not heard of: {' and '.join(sorted(silent))}"
    well = bool(good) and len(slots) == service.replicas and len(good) == len(wanted)
    return Judged(
        well=well,
        good=frozenset(task.id for task in good),
        over=tuple(task.id for task in over),
        gave_up=len({task.slot for task in over}) < len(over),
        silent=tuple(sorted(silent)),
        stopping=tuple(sorted({ready[task.node] for task in leaving if task.node in ready})),
        said=said if well else said + _errors([*over, *stuck]),
    )


def decide(service: Service, judged: Judged, held: Held, wanted: Wanted, now: float) -> tuple[Word, Held]:
    """What the moment means, and what is held from then on; `held` is what was held before."""
    holds, ended = held.after(judged, now), service.state not in UNDER_WAY
    word = _by_spec(service, wanted)
    if word is not Word.WAIT:
        return word, holds
    if not service.replicas:
        return Word.FAILED, holds  # somebody scaled it to nothing: no task can prove anything
    if ended and judged.well and now - holds.since >= wanted.hold:
        return Word.PROVEN, holds
    if ended and not wanted.is_back and (held.tasks & set(judged.over) or judged.gave_up):
        return Word.FAILED, holds  # Swarm itself would start it anew for ever
    return Word.FAILED if now > wanted.deadline else Word.WAIT, holds


def _by_spec(service: Service, wanted: Wanted) -> Word:
    is_ours = identity(service.image) == identity(wanted.image)
    if wanted.is_back:
        if not is_ours:
            return Word.CHANGED
        return Word.FAILED if service.state in STOPPED else Word.WAIT
    if service.state in TAKEN_BACK or service.state in STOPPED:
        return Word.FAILED
    return Word.WAIT if is_ours and service.labels.get("freshness.run") == wanted.run else Word.CHANGED


def describe_update(service: Service) -> str:
    """What Swarm says of the update, in the rest of a sentence."""
    said = f"Swarm says {service.state}" if service.state else "Swarm says nothing of an update"
    return f"{said}: {printable(service.message)}" if service.message else said


def _runs(task: Task, image: str) -> bool:
    return task.state == "running" and _is_of(task, image)


def _is_of(task: Task, image: str) -> bool:
    return identity(task.image) == identity(image)


def _errors(tasks: Iterable[Task]) -> str:
    """The last errors, each once: what a container's end says, or why none is started."""
    told: Mapping[str, None] = dict.fromkeys(map(_error, tasks))
    return "".join(f"; {each}" for each in list(told)[:_MOST])


def _error(task: Task) -> str:
    why = printable(task.error).rstrip(".")
    status = f"exit status {task.status}" if task.status is not None and task.state != "rejected" else ""
    said = f"a task {'was' if task.state in _OVER else 'is'} {task.state}"
    return f"{said}: {why or status}" if why or status else said
