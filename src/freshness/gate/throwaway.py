"""A project of this run's own, made from production's Compose files, in which everything is proven and then removed."""

import json
import secrets
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from freshness.core.check import CheckName
from freshness.core.compose import Target
from freshness.core.throwaway import LOOPBACK, Source, Sources, closure_of, project_name, source_of, throw_away
from freshness.core.throwaway_rules import find_replaced, find_throwaway_problems
from freshness.engine.client import Engine
from freshness.engine.compose import start_needs
from freshness.engine.compose_file import ComposeFile
from freshness.engine.containers import service_containers
from freshness.engine.lock import Lease
from freshness.engine.rendered import Rendered
from freshness.engine.throwaway import remove_project
from freshness.errors import FreshnessError, SettingsError
from freshness.git.tracked import tracked_at
from freshness.report.container_log import show_container_log
from freshness.report.run_log import RunLog
from freshness.report.steps import Found
from freshness.settings.model import GateSettings


class Throwaway(Struct, frozen=True, kw_only=True):
    """The project, and all `services` that are started in it; `built` are this run's own, `jobs` those that run once.

    `config` is production's, as Compose prints it.
    """

    project: str
    config: Mapping[str, Any]
    services: tuple[str, ...]
    built: tuple[str, ...]
    jobs: tuple[str, ...]

    @classmethod
    def of(cls, settings: GateSettings, config: Mapping[str, Any], jobs: Sequence[str]) -> "Throwaway":
        """For one run, under a name that no other has."""
        built = (*settings.services, *jobs)
        return cls(
            project=project_name(config["name"], secrets.token_hex(8)),
            config=config,
            services=closure_of(config, built, settings.exceptions.dependencies),
            built=built,
            jobs=tuple(jobs),
        )

    @property
    def needs(self) -> tuple[str, ...]:
        """What is started and not of this commit."""
        return tuple(name for name in self.services if name not in self.built)

    @property
    def first_needs(self) -> tuple[str, ...]:
        """Those that need nothing of this commit themselves: they come before jobs and services."""
        return tuple(name for name in self.needs if not set(closure_of(self.config, [name])) & set(self.built))

    def place(self, target: Target) -> Target:
        """The target in this project; the port is known once it runs."""
        is_published = target.is_published
        return replace(
            target,
            project=self.project,
            container=f"{self.project}-{target.service}-1",
            address=LOOPBACK if is_published else "",
            port=0 if is_published else target.port,
        )

    def require(self, settings: GateSettings, sources: Sources) -> None:
        """Raises SettingsError with everything by which it could reach what is not thrown away."""
        meant = [value for value in settings.compose.variables.values() if value]
        found = find_throwaway_problems(self.config, self.services, self.built, sources, meant)
        problems = tuple(dict.fromkeys(found))
        if problems:
            raise SettingsError("\n".join(problems), "Nothing was built or changed.", problems)

    def rendered(self, file: ComposeFile, images: Mapping[str, str], sources: Sources) -> Rendered:
        """What Compose makes it from; `images` are the IDs of the services that were built."""
        made = throw_away(self.config, self.project, self.services, images, self.jobs, sources)
        return Rendered(text=json.dumps(made), file=file)


def find_sources(throwaway: Throwaway, *, is_elsewhere: bool) -> Sources:
    """What lies at each bind mount's source, as far as it can be seen from here."""
    services = (throwaway.config["services"][name] for name in throwaway.services)
    volumes = (volume for service in services for volume in service.get("volumes") or ())
    paths = {source_of(volume) for volume in volumes if volume.get("type") == "bind"}
    return {path: Source.UNSEEN if is_elsewhere else _look(Path(path)) for path in paths}


def _look(path: Path) -> Source:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return Source.MISSING
    except OSError:
        return Source.UNSEEN
    if stat.S_ISREG(mode):
        return Source.FILE
    if not stat.S_ISDIR(mode):
        return Source.SPECIAL
    return Source.TRACKED if tracked_at(path) else Source.FOLDER


@contextmanager
def open_project(lease: Lease, throwaway: Throwaway, source: Rendered, sources: Sources, run: RunLog) -> Iterator[None]:
    """Within the block the project is there, with what the services of this commit need; then nothing of it is left."""
    run.note(
        f"In the throwaway project {throwaway.project}, whose volumes were empty, and which is removed.",
        *(f"{text}." for text in find_replaced(throwaway.config, throwaway.services, sources)),
    )
    try:
        if throwaway.first_needs:
            expected = f"{', '.join(throwaway.first_needs)}, which they depend on, started"
            run.check(CheckName.RECREATION, expected, _start, lease, throwaway, source, run)
        yield
    finally:
        try:
            remove_project(lease, throwaway.project)
        except FreshnessError as error:
            run.warn("Throwaway project", str(error))


def _start(lease: Lease, throwaway: Throwaway, source: Rendered, run: RunLog) -> Found[None]:
    try:
        start_needs(lease, source, throwaway.project, throwaway.first_needs)
    except FreshnessError:
        show_needs(lease.engine, throwaway, run)
        raise
    return Found(value=None, got=f"{', '.join(throwaway.first_needs)} started")


def show_needs(engine: Engine, throwaway: Throwaway, run: RunLog) -> None:
    """The log of each dependency that does not run, or is not healthy, before it is removed."""
    for name in throwaway.needs:
        for container in service_containers(engine, throwaway.project, name):
            if not container.runs or container.health == "unhealthy":
                show_container_log(run.log, engine, container)
