"""Updates a service by one write, watches what comes of it, and takes it back the same way."""

import time
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from freshness.core.check import CheckName
from freshness.core.swarm import STOPPED, Service, identity, is_ours, platforms_in
from freshness.core.swarm_judge import Held, Judged, Wanted, Word, decide, describe_update, judge
from freshness.core.swarm_way_back import Way, way_back
from freshness.engine.client import time_of
from freshness.engine.swarm import read_nodes, read_tasks, task_log, update_service
from freshness.errors import FreshnessError, LockLost, Stale, Unhealthy
from freshness.report.run_log import RunLog
from freshness.swarm.host import Host, Leases, require_service
from freshness.swarm.images import Images
from freshness.swarm.plan import Change

PAUSE_SECONDS = 0.2
PROGRESS_SECONDS = 15


class Work(Struct, frozen=True, kw_only=True):
    """What the rollouts of one run work with. `begun` are the changes whose write may have arrived.

    Of each service that was proven, `stopping` are the nodes where tasks of another image still stop.
    """

    host: Host
    leases: Leases
    images: Images
    together: tuple[str, ...]
    run: RunLog
    begun: list[Change] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    stopping: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def wanted(self, image: str, run: str = "", *, is_back: bool = False) -> Wanted:
        """What has to come about from now on; `run` is the token of who wrote it."""
        settings = self.host.request.settings
        deadline = time.monotonic() + settings.swarm.timeout
        return Wanted(image=image, run=run, hold=settings.health.hold, deadline=deadline, is_back=is_back)


def roll_out(work: Work, change: Change) -> None:
    """Writes once, and waits until every slot is proven. Raises Unhealthy, Stale where somebody else wrote."""
    name, tasks = change.service.name, read_tasks(work.host.engine, change.service)
    wanted = replace(work.wanted(change.image, change.run), earlier=frozenset(task.id for task in tasks))
    expected = f"{change.service.replicas} tasks of {name} on {change.image} for {wanted.hold:g} s"
    with work.run.step(CheckName.ROLLOUT, expected) as step:
        work.run.log.announce(
            f"Swarm updates {name} to {change.image}; up to {work.host.request.settings.swarm.timeout:g} s."
        )
        _write(work, change)
        step.got = require_proven(work, change.service, wanted).said


def _write(work: Work, change: Change) -> None:
    owner = work.leases.any.owner
    labels = change.deployed(owner.who, owner.run, work.together).labels
    work.leases.require()
    work.begun.append(change)
    work.leases.keep()
    try:
        spec = change.service.with_image(change.image, labels, work.images.platforms(change.image))
        update_service(work.host.engine, change.service, spec, work.images.credentials(change.image))
    except Stale:
        if require_service(work.host.engine, change.service).labels.get("freshness.run") == change.run:
            return  # a manager that handed it on twice: the first one was ours
        work.begun.remove(change)  # the manager took nothing of it
        if not work.begun:
            work.leases.let_go()
        raise


def verify(work: Work, change: Change) -> None:
    """That what has the image already runs it, and has for the hold time. Raises Unhealthy, Stale."""
    with work.run.step(CheckName.IDENTITY, f"{change.service.replicas} tasks on {change.image}") as step:
        hold = _left_to_hold(work, change.service)
        deadline = time.monotonic() + work.host.request.settings.health.deadline + hold
        wanted = replace(work.wanted(change.image, is_back=True), hold=hold, deadline=deadline)
        step.got = require_proven(work, change.service, wanted).said


def _left_to_hold(work: Work, service: Service) -> float:
    """Seconds until the youngest task has run for the hold time, by the clock of the managers."""
    engine, hold = work.host.engine, work.host.request.settings.health.hold
    tasks = [task for task in read_tasks(engine, service) if task.state == "running"]
    started = max((datetime.fromisoformat(task.updated) for task in tasks if task.updated), default=None)
    if not hold or started is None:
        return hold
    return min(max(hold - (time_of(engine) - started).total_seconds(), 0), hold)


def require_proven(work: Work, service: Service, wanted: Wanted) -> Judged:
    """What was seen in the end. Raises Unhealthy, Stale."""
    return _accept(work, wanted, *watch(work, service, wanted))


def _accept(work: Work, wanted: Wanted, word: Word, now: Service, judged: Judged) -> Judged:
    if word is Word.PROVEN:
        work.silent.update(judged.silent)
        work.stopping[now.name] = judged.stopping
        return judged
    if word is Word.CHANGED:
        is_same = identity(now.image) == identity(wanted.image)
        found = "the label `freshness.run` of this run is gone" if is_same else f"its image is {now.image}"
        raise Stale(
            f"somebody else changed {now.name} meanwhile: {found}; expected {wanted.image}, as this run wrote it.",
            "Find out who deploys it beside this tool, then run again.",
        )
    for task in judged.over[:1]:
        show_task_log(work, now.name, task)
    raise Unhealthy(
        f"{judged.said}; {describe_update(now)}",
        f"`docker service ps --no-trunc {now.name}` and `docker service logs {now.name}` say more.",
    )


def watch(work: Work, service: Service, wanted: Wanted) -> tuple[Word, Service, Judged]:
    """Looks until it is decided. What the manager does not answer meanwhile is asked again, up to the deadline."""
    engine, held, told = work.host.engine, Held(), time.monotonic()
    while True:
        try:
            now = require_service(engine, service)
            judged = judge(wanted.image, now, read_tasks(engine, now), read_nodes(engine), wanted.earlier)
            word, held = decide(now, judged, held, wanted, time.monotonic())
            if word is not Word.WAIT:
                return word, now, judged
            if time.monotonic() - told >= PROGRESS_SECONDS:
                told = time.monotonic()
                work.run.log.say(f"{judged.said}; {describe_update(now)}.")
        except FreshnessError as error:
            if isinstance(error, Unhealthy) or time.monotonic() > wanted.deadline:
                raise
        time.sleep(PAUSE_SECONDS)


def show_task_log(work: Work, name: str, task: str) -> None:
    """The end of what its container printed, in a fold, as foreign text."""
    try:
        lines = task_log(work.host.engine, task)
    except FreshnessError as error:  # no reason to judge otherwise
        lines = (f"It cannot be read: {error}",)
    if lines:
        with work.run.log.group(f"The end of the log of {name}, task {task}"):
            for line in lines:
                work.run.log.untrusted(line)


def go_back(work: Work, change: Change) -> None:
    """What ran before runs again, proven. Raises Unhealthy, Stale where the service is another's by now."""
    before = change.service
    with work.run.step(CheckName.ROLLBACK, f"{before.replicas} tasks of {before.name} on {before.image}") as step:
        _write_back(work, change)
        wanted = work.wanted(before.image, is_back=True)
        found = watch(work, before, wanted)
        if found[0] is Word.FAILED and found[1].state in STOPPED:  # Swarm gave up: once more, by a write of ours
            _write_back(work, change)
            wanted = work.wanted(before.image, is_back=True)
            found = watch(work, before, wanted)
        step.got = _accept(work, wanted, *found).said


def _write_back(work: Work, change: Change) -> None:
    """Tries until the Engine's time is over: Swarm writes the state of an update itself, and may have lost a leader."""
    name, deadline = change.service.name, time.monotonic() + work.host.engine.timeout
    while True:
        try:
            if _try_back(work, change) is not Way.NOT_OURS:
                return
        except (LockLost, Unhealthy):
            raise
        except FreshnessError:
            if time.monotonic() > deadline:
                raise
        else:
            raise Stale(
                f"somebody else changed {name}: it has neither {change.image} of this run, nor {change.service.image}.",
                "It was left alone: look at it, and deploy what is to run.",
            )
        time.sleep(PAUSE_SECONDS)


def _try_back(work: Work, change: Change) -> Way:
    """One more update where that is the way, upon what is read now."""
    engine, before = work.host.engine, change.service
    now = require_service(engine, before)
    way = way_back(now, change.image, change.run, before.image)
    if way is Way.WRITE:
        work.leases.require()
        ours = {key: value for key, value in before.labels.items() if is_ours(key)}
        spec = now.with_image(before.image, ours, platforms_in(before.spec))
        update_service(engine, now, spec, work.images.credentials(before.image))
    return way
