"""Finishes or undoes what a run that was killed has begun, before anything else is looked at."""

from functools import partial

from freshness.core.image import Image
from freshness.core.promotion import PromotionOutcome
from freshness.core.swarm import Service, identity, names_of
from freshness.core.swarm_judge import Word
from freshness.core.swarm_record import read_deployed
from freshness.core.swarm_recovery import Left, find_left, former, require_named
from freshness.engine.client import Engine
from freshness.engine.swarm import find_service
from freshness.errors import wrap_unexpected_errors
from freshness.process.signals import interrupts_deferred
from freshness.promotion.request import Recovered, Result
from freshness.report.run_log import RunLog
from freshness.swarm.execute import go_all_back
from freshness.swarm.host import Host, Leases, read_services
from freshness.swarm.images import Images
from freshness.swarm.plan import Change
from freshness.swarm.rollout import Work, watch


def recover(host: Host, leases: Leases, images: Images, run: RunLog) -> Result | None:
    """The end of this run where a person is needed first. Raises Refused, EngineError, LockLost."""
    left = find_left(read_services(host.engine, host.names).values(), leases.dead)
    if not left.written and not left.unsettled:
        return None
    require_named(left, host.names, sorted(filter(partial(_is_there, host.engine), left.together - set(host.names))))
    work = Work(host=host, leases=leases, images=images, together=(), run=run)
    with interrupts_deferred(), wrap_unexpected_errors():
        for service in left.unsettled:
            run.log.say(f"Waiting for the end of what is under way with {service.name}.")
            watch(work, service, work.wanted(service.image, is_back=True))
        return _settle(work, left) if left.written else None


def _is_there(engine: Engine, name: str) -> bool:
    found = find_service(engine, name)
    return found is not None and found.name == name


def _settle(work: Work, left: Left) -> Result | None:
    names, run = names_of(left.written), work.run
    if left.is_whole and all(_is_proven(work, service) for service in left.written):
        _told(run, f"An interrupted promotion of {names} is finished: all its tasks run.")
        return None
    run.log.say(f"An interrupted promotion of {names} is undone.")
    work.begun.extend(_change(work, service) for service in left.written)
    outcome, reason = go_all_back(work)
    if outcome is PromotionOutcome.STRANDED:
        return Result.of(run, outcome, f"An interrupted promotion of {names} was to be undone. {reason}")
    _told(run, f"An interrupted promotion of {names} was undone.")
    return None


def _told(run: RunLog, done: str) -> None:
    run.note(done)
    run.found["recovered"] = (Recovered(done=done),)


def _is_proven(work: Work, service: Service) -> bool:
    token = read_deployed(service.labels).run
    return watch(work, service, work.wanted(service.image, token))[0] is Word.PROVEN


def _change(work: Work, service: Service) -> Change:
    """What the dead run did."""
    last, settings = read_deployed(service.labels), work.host.request.settings
    label = settings.source.label
    return Change(
        service=former(service),
        image=service.image,
        candidate=Image(id=identity(service.image), labels={label: last.now.revision}),
        running=Image(id=identity(last.before.image), labels={label: last.before.revision}),
        label=label,
        keep=settings.keep_images,
        run=last.run,
    )
