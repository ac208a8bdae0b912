"""The manager that is asked, and the locks of the services, which are the whole Swarm's."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from msgspec import Struct

from freshness.core.check import CheckName
from freshness.core.lock import swarm_lock
from freshness.core.swarm import Service
from freshness.core.swarm_refusals import refuse_no_manager, require_all
from freshness.engine.client import Engine, connect
from freshness.engine.lock import Lease, Lock
from freshness.engine.lock_owner import new_lock, new_token
from freshness.engine.swarm import describe_swarm, find_service
from freshness.errors import Unhealthy
from freshness.promotion.request import Request
from freshness.report.run_log import RunLog
from freshness.settings.application import JobSettings
from freshness.settings.docker_host import at_host

PREFLIGHT_SECONDS = 600  # of the lock: registry, forge and Git answer while it is held


class Host(Struct, frozen=True, kw_only=True):
    """A manager of the Swarm, production's services there, and the locks of these and of jobs as they are taken."""

    request: Request
    engine: Engine
    locks: tuple[Lock, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.request.settings.swarm.services

    @property
    def token(self) -> str:
        """What our locks, and what we write under them, have in common."""
        return self.locks[0].owner.token

    @property
    def jobs(self) -> tuple[JobSettings, ...]:
        """A rollback runs none: what they did is not taken back."""
        return () if self.request.is_rollback else self.request.settings.application.pre_deploy

    @property
    def later_jobs(self) -> tuple[JobSettings, ...]:
        return () if self.request.is_rollback else self.request.settings.application.post_deploy


class Leases(Struct, frozen=True, kw_only=True):
    """Our hold on each service, by its name. `dead` are the tokens of the runs that were taken over from."""

    by_service: dict[str, Lease]
    dead: frozenset[str]

    @property
    def any(self) -> Lease:
        return next(iter(self.by_service.values()))

    def require(self) -> None:
        """Raises LockLost where one is ours no more."""
        for lease in self.by_service.values():
            lease.require()

    def keep(self) -> None:
        """What is begun from now on is the next run's to finish or undo, unless we `let_go` in the end."""
        for lease in self.by_service.values():
            lease.kept = True

    def let_go(self) -> None:
        """Nothing is left to do of what we began."""
        for lease in self.by_service.values():
            lease.kept = False

    def settle(self) -> None:
        """Nothing is left to do of what those began that we took over from. Raises EngineError."""
        for lease in self.by_service.values():
            lease.settle()


def reach(request: Request, run: RunLog) -> Host:
    """Connects to the manager. Raises Refused where the Engine is none, or its Swarm has no leader; EngineError."""
    engine = connect(request.env, request.settings.engine.timeout)
    run.found["daemon_id"] = engine.id
    refuse_no_manager(describe_swarm(engine), engine.endpoint)
    services = read_services(engine, request.settings.swarm.services)
    token = new_token()
    jobs = () if request.is_rollback else request.settings.application.jobs
    stack = next(iter(services.values())).stack
    names = sorted({*services, *(name_template(engine, stack, job.service) for job in jobs)})
    locks = (_lock(engine, request, name, token, run) for name in names)
    return Host(request=request, engine=engine, locks=tuple(locks))


def _lock(engine: Engine, request: Request, service: str, token: str, run: RunLog) -> Lock:
    settings = request.settings
    seconds = len(settings.swarm.services) * 3 * (settings.swarm.timeout + settings.health.hold)
    return new_lock(
        engine,
        swarm_lock(service),
        command="freshness rollback" if request.is_rollback else "freshness promote",
        revision=request.rollback_to if request.is_rollback else settings.expected_revision,
        seconds=PREFLIGHT_SECONDS + seconds + sum(job.timeout for job in settings.application.jobs),
        env=at_host(request.run_env, next(iter(settings.docker_hosts), None)),
        say=run.log.say,
        token=token,
    )


@contextmanager
def acquire(host: Host, run: RunLog) -> Iterator[Leases]:
    """The services for this run alone. Raises Busy where another run keeps one for too long, EngineError."""
    with ExitStack() as stack:
        leases, dead = dict[str, Lease](), set[str]()
        for lock in host.locks:
            lease, tokens = _take(lock, host, run)
            leases[lock.name.removeprefix(swarm_lock(""))] = stack.enter_context(lease)
            dead |= tokens
        yield Leases(by_service=leases, dead=frozenset(dead))


def _take(lock: Lock, host: Host, run: RunLog) -> tuple[Lease, set[str]]:
    """The lease, and the tokens of the runs that it follows, of which none was settled."""
    with run.step(CheckName.LOCK, f"{lock.name} for this run alone") as step:
        lease = lock.take(host.request.settings.engine.lock_timeout)
        if lease.name == lock.name:
            step.got = "nobody else has it"
            return lease, set()
        step.got = "taken over from a run that has ended"
    return lease, set(lock.tokens() - {lease.owner.token})


def read_services(engine: Engine, names: tuple[str, ...]) -> dict[str, Service]:
    """Each by its name. Raises Refused where one is missing."""
    found = {name: find_service(engine, name) for name in names}
    there = {name: service for name, service in found.items() if service and service.name == name}
    require_all(names, there)
    return there


def template_names(stack: str, job: str) -> tuple[str, ...]:
    """How a job's template may be called: as in the stack's file, or in full."""
    return (f"{stack}_{job}", job) if stack else (job,)


def find_template(engine: Engine, stack: str, job: str) -> Service | None:
    """The service that tells how the job runs, None where there is none."""
    names = template_names(stack, job)
    found = (find_service(engine, name) for name in names)
    return next((one for one in found if one and one.name in names), None)


def name_template(engine: Engine, stack: str, job: str) -> str:
    """Its name in the Swarm, which its lock bears; where it is not there, what the settings call it."""
    found = find_template(engine, stack, job)
    return found.name if found else job


def require_service(engine: Engine, before: Service) -> Service:
    """As it is now. Raises Unhealthy where it is gone."""
    found = find_service(engine, before.id)
    if found is None:
        raise Unhealthy(f"the service {before.name} was removed.", "Deploy its stack again, then run again.")
    return found
