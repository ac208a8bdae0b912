"""The doctor's whole look: machine, plugins, Engine, settings, files, what stands there, runner and forge."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from freshness.core.diagnosis import LEAST_ENGINE, LEAST_PLUGINS, judge_version
from freshness.core.finding import Area, Finding
from freshness.core.lock import service_lock
from freshness.core.registry_name import Repository
from freshness.doctor.application import look_at_builds, look_at_production, look_at_staging
from freshness.doctor.forge import look_at_forge
from freshness.doctor.machine import look_at_disk_and_clock, look_at_machine, look_at_plugin
from freshness.doctor.registry import look_at_registry
from freshness.doctor.runner import look_at_runner
from freshness.doctor.settings import Asked, Read, look_at_work_tree, read_settings
from freshness.doctor.state import look_at_state
from freshness.doctor.swarm import look_at_swarm
from freshness.doctor.target import Place, look_at_place
from freshness.doctor.trial import attempt, fine, tried, unchecked
from freshness.engine.client import TIMEOUT_SECONDS, Engine, connect
from freshness.engine.facts import read_facts
from freshness.engine.probe_address import Prober, find_prober
from freshness.gate.builds import repositories_of
from freshness.settings.child_environment import child_environment
from freshness.settings.docker_host import at_host


def examine(asked: Asked) -> Iterator[Finding]:
    """Each finding as soon as it is there, and none twice. Nothing is written, and no lock is taken."""
    seen: set[str] = set()
    for one in _examine(asked):
        if str(one) not in seen:
            seen.add(str(one))
            yield one


class _Host(Struct, frozen=True, kw_only=True):
    """A Docker host, which is named where there are several; `engine` is None where it does not answer."""

    name: str
    engine: Engine | None
    prober: Prober
    findings: tuple[Finding, ...]

    @classmethod
    def reach(cls, name: str, asked: Asked, read: Read) -> "_Host":
        """Connects to it."""
        env = child_environment(asked.run_env, name or None)
        engine, unreached = attempt(Area.ENGINE, lambda: connect(env, read.timeout or TIMEOUT_SECONDS))
        if engine is None:
            return cls(name=name, engine=None, prober=Prober(job=None), findings=tuple(unreached))
        asker, unknown = attempt(Area.ENGINE, lambda: find_prober(engine, asked.run_env))
        prober = asker or Prober(job=None)
        looked = tried(Area.ENGINE, partial(_look_at_engine, engine, prober))
        return cls(name=name, engine=engine, prober=prober, findings=(*unknown, *looked))

    def look_at(self, places: Sequence[Place], run_env: Mapping[str, str]) -> Iterator[Finding]:
        """What stands at the targets' places there, and what runs left."""
        if self.engine is None:
            yield from map(_unseen, places)
            return
        for place in places:
            yield from look_at_place(self.engine, self.prober, place)
        own = {service_lock(one.target.project, one.target.service) for one in places}
        yield from tried(Area.STATE, partial(look_at_state, self.engine, at_host(run_env, self.name or None), own))

    def told(self, findings: Iterable[Finding], *, alone: bool) -> Iterator[Finding]:
        """The same, which say where that is."""
        return (one if alone else replace(one, got=f"{self.name or 'here'}: {one.got}") for one in findings)


def _examine(asked: Asked) -> Iterator[Finding]:
    env, run_env = child_environment(asked.run_env), asked.run_env
    yield from tried(Area.MACHINE, partial(look_at_machine, env))
    for name in LEAST_PLUGINS:
        yield from tried(Area.PLUGINS, partial(look_at_plugin, name, env))
    read, found = read_settings(asked)
    staging = (read.gate.docker_host or "") if read.gate else ""
    production = (read.promote.docker_hosts if read.promote else ()) or ("",)
    hosts = [_Host.reach(name, asked, read) for name in dict.fromkeys((staging, *production))]
    alone = len(hosts) == 1
    for host in hosts:
        yield from host.told(host.findings, alone=alone)
    yield from found
    places, repositories = list[Place](), dict[Repository, None]()
    yield from _look_at_halves(read, asked, places, repositories)
    for host in hosts:
        where = {Area.STAGING: (staging,), Area.PRODUCTION: production}
        own = [one for one in places if host.name in where[one.area]]
        yield from host.told(host.look_at(own, run_env), alone=alone)
    yield from tried(Area.RUNNER, partial(look_at_runner, run_env, read.folder, hosts[0].prober.job))
    if read.gate:
        yield from tried(Area.FORGE, partial(look_at_forge, read.gate, run_env))
    for repository in repositories:
        yield from tried(Area.REGISTRY, partial(look_at_registry, repository, env))


def _look_at_engine(engine: Engine, prober: Prober) -> Iterator[Finding]:
    facts = read_facts(engine)
    yield judge_version(Area.ENGINE, "the Engine", facts.version, LEAST_ENGINE, "Install a newer Docker Engine.")
    yield fine(Area.ENGINE, f"{engine.id} answers at {engine.endpoint}: {facts.storage}.")
    is_here = engine.endpoint.startswith("unix://") and engine.tunnel is None and prober.job is None
    yield from tried(Area.MACHINE, partial(look_at_disk_and_clock, facts, is_here=is_here))


def _look_at_halves(
    read: Read, asked: Asked, places: list[Place], repositories: dict[Repository, None]
) -> Iterator[Finding]:
    """What the files say; `places` gets the services to look at on the Engine, `repositories` where images go."""
    if read.commit:
        yield from tried(Area.COMMIT, partial(look_at_work_tree, read.folder))
    if read.gate:
        staging = look_at_staging(read.gate, asked.run_env)
        yield from staging.findings
        places += staging.places
        if staging.application:
            repositories |= dict.fromkeys(repositories_of(read.gate, staging.application.builds.shared))
        if staging.application and read.commit:
            builds = partial(look_at_builds, read.gate, staging.application, read.commit, asked.run_env)
            yield from tried(Area.COMMIT, builds)
    if read.promote and read.promote.swarm.services:
        yield from tried(Area.PRODUCTION, partial(look_at_swarm, read.promote, asked.run_env))
    elif read.promote:
        production = look_at_production(read.promote, asked.run_env)
        yield from production.findings
        places += production.places
        tag = read.promote.registry.tag
        repositories |= {tag.repository: None} if tag and tag.repository else {}


def _unseen(place: Place) -> Finding:
    return unchecked(place.area, f"what stands at {place.target.service}'s place, as the Engine was not reached.")
