"""Calls Docker Compose: recreates the services that were named, and asks what a recorded configuration means now."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from freshness.core.compose import Target
from freshness.engine.client import Engine, require_reachable
from freshness.engine.compose_config import CONFIG_SECONDS, last_line
from freshness.engine.compose_file import ComposeFile as ComposeFile  # noqa: PLC0414 -- callers know it from here
from freshness.engine.containers import Container, running_services, service_containers, unpause
from freshness.engine.docker_host import env_without_engine
from freshness.engine.lock import Lease
from freshness.errors import EngineError, Stale, Unhealthy
from freshness.process.children import MEMORY, Watch, ended_by, finish, read

# Compose stops the old container first; a service may ask for minutes of grace.
RECREATE_SECONDS = 900

_TAKEN = re.compile(r"port is already allocated|address already in use|is already in use by container")
_NEED_FAILED = re.compile(r"dependency failed to start|didn't complete successfully")
_CANNOT_START = re.compile(r"failed to create (shim )?task|OCI runtime create failed")


class Source(Protocol):
    """What Compose makes a service from: files, or what it rendered once.

    `given` is what it reads from its standard input, and `environment` what it inherits. `require_unchanged` raises
    Stale where that is not what it was when the run began.
    """

    @property
    def given(self) -> str | None: ...

    def require_unchanged(self) -> None: ...

    def command(self, env: Mapping[str, str], project: str | None = None) -> list[str]: ...

    def environment(self, env: Mapping[str, str]) -> dict[str, str]: ...


def render_again(source: Source, env: Mapping[str, str]) -> dict[str, Any] | None:
    """A recorded configuration as this Compose would print it; None where it cannot read it any more."""
    argv = [*source.command(env), "config", "--format", "json"]
    status, out, _ = read(argv, env_without_engine(source.environment(env)), CONFIG_SECONDS, source.given)
    config: dict[str, Any] | None = json.loads(out) if status == 0 else None
    return config


def configuration_of(file: ComposeFile, env: Mapping[str, str], target: Target) -> str:
    """Compose's hash of the service as these files have it now; empty where it cannot be told."""
    argv = [*file.command(env, target.project), "config", "--hash", target.service]
    status, out, _ = read(argv, env_without_engine(file.environment(env)), CONFIG_SECONDS)
    return out.split()[-1] if status == 0 and out.strip() else ""


def finish_compose(lease: Lease, file: Source, argv: list[str], others: Sequence[Lease] = ()) -> tuple[int, str]:
    """Lets Compose come to its end for as long as the Engine answers; Compose itself would wait for ever."""
    engine = lease.engine
    watch = Watch(
        longest=RECREATE_SECONDS,
        seconds=engine.timeout,
        check=lambda: require_reachable(engine, "Compose was running, and was stopped"),
    )
    tokens, env = dict.fromkeys(one.owner.token for one in (*others, lease)), file.environment(engine.env)
    return finish(argv, env, watch, tokens=tuple(tokens), keepalive_fds=engine.keepalive_fds, given=file.given)


class Recreation(Struct, frozen=True, kw_only=True):
    """A service that gets its tag's image, whose ID is `keeping`."""

    target: Target
    keeping: str


def recreate(
    lease: Lease, file: Source, target: Target, *, keeping: str, force: bool = False, with_needs: bool = False
) -> Container:
    """As `recreate_all`, of one service; its first container."""
    one = Recreation(target=target, keeping=keeping)
    return recreate_all(lease, file, [one], force=force, with_needs=with_needs)[target.service][0]


def recreate_all(
    lease: Lease,
    file: Source,
    services: Sequence[Recreation],
    *,
    others: Sequence[Lease] = (),
    force: bool = False,
    with_needs: bool = False,
) -> dict[str, tuple[Container, ...]]:
    """Lets Compose bring services of one project to their tags' images, nothing else; returns the containers of each.

    Compose leaves a container alone that already runs this image with an unchanged configuration, unless `force`, or
    where it was paused: its HEALTHCHECK may have failed since then. It would start one that is half removed, in vain.
    A container of `keeping` hands its anonymous volumes on to the next one. `with_needs`: what they depend on is
    started before, as Compose does. `others` are our leases too, where each service has one.
    Raises Stale where a name or port is taken, EngineError for every other failure.
    """
    alike: dict[tuple[str, ...], list[Target]] = {}
    for one in services:
        alike.setdefault(_words_for(lease, one, force=force), []).append(one.target)
    for words, targets in alike.items():
        _up(lease, file, targets, "--detach", *words, others=others, alone=not with_needs)
    found = ((one.target, service_containers(lease.engine, one.target.project, one.target.service)) for one in services)
    return {target.service: require_all(containers, target) for target, containers in found}


def _words_for(lease: Lease, one: Recreation, *, force: bool) -> tuple[str, ...]:
    """What Compose is told besides, of which several services in one call have the same."""
    found = _unpause_all(lease, one.target)
    is_unfit = any(container.is_paused or container.is_half_removed for container in found)
    words = ("--force-recreate",) if force or is_unfit else ()
    if any(container.image_id != one.keeping for container in found):
        # Compose would carry an anonymous volume over to the new container, and the old image's files with it. Said for
        # nothing else: since September 2024 it recreates also what has not changed (docker/compose#12116).
        return (*words, "--renew-anon-volumes")
    return words


def create_another(lease: Lease, file: Source, target: Target) -> Container:
    """Lets Compose make one more container of the service, from its tag's image, and returns it; nothing is started.

    Raises as `recreate`.
    """
    before = {container.id for container in _unpause_all(lease, target)}
    _up(lease, file, [target], "--no-start", "--no-recreate", "--scale", f"{target.service}={len(before) + 1}")
    after = service_containers(lease.engine, target.project, target.service)
    made = [container for container in after if container.id not in before]
    if len(made) != 1:
        raise Stale(
            f"Compose created {len(made)} containers of {target.service}, expected 1.",
            "Something else changes production: find it, then run again.",
        )
    return made[0]


def _unpause_all(lease: Lease, target: Target) -> tuple[Container, ...]:
    """The service's containers, as they were found. Those that are paused go on: Compose cannot start these."""
    found = service_containers(lease.engine, target.project, target.service)
    for container in found:
        if container.is_paused:
            lease.require()
            unpause(lease.engine, container)
    return found


def start_needs(lease: Lease, file: Source, project: str, services: Sequence[str]) -> None:
    """Lets Compose start these and what they depend on; an image that is not there is pulled. Raises as `recreate`."""
    _compose_up(lease, file, project, services, "--detach", "--pull", "missing")


def _up(
    lease: Lease,
    file: Source,
    targets: Sequence[Target],
    *words: str,
    others: Sequence[Lease] = (),
    alone: bool = True,
) -> None:
    """`docker compose up WORDS` for these services of one project, alone or with their needs.

    Raises Stale, Unhealthy, EngineError.
    """
    only = ("--no-deps", "--pull", "never") if alone else ("--pull", "missing")
    services = [target.service for target in targets]
    _compose_up(lease, file, targets[0].project, services, *only, *words, others=others)


def _compose_up(
    lease: Lease, file: Source, project: str, services: Sequence[str], *words: str, others: Sequence[Lease] = ()
) -> None:
    for one in (lease, *others):
        one.require()
    argv = [*file.command(lease.engine.env, project), "--ansi", "never", "up", "--no-build"]
    argv += ["--remove-orphans=false", *words, *services]
    status, output = finish_compose(lease, file, argv, others)
    if status == 0:
        return
    names, said = " and ".join(services), last_line(output)
    require_reachable(lease.engine, f"recreating {names}")
    if signal_name := ended_by(status):
        raise EngineError(f"Compose was ended by {signal_name} while it recreated {names}.", MEMORY)
    if _TAKEN.search(output):
        raise Stale(f"Compose could not start {names}: {said}.", "Free the name or the port, then run again.")
    if _CANNOT_START.search(output):
        raise Unhealthy(f"the container of {names} cannot start: {said}.", "Correct the image's command.")
    if _NEED_FAILED.search(output):
        raise Unhealthy(f"what {names} depends on did not come up: {said}.", "Correct that service, then run again.")
    raise EngineError(f"Compose could not recreate {names}: {said}.", "Correct that, then run again.")


def require_all(found: Sequence[Container], target: Target, *also: int) -> tuple[Container, ...]:
    """The service's containers, of those that were found, by their names.

    Raises Stale where there are not as many as the target has replicas, or a number that is `also` expected.
    """
    if len(found) in {target.replicas, *also}:
        return tuple(sorted(found, key=lambda one: (len(one.name), one.name)))
    names = ", ".join(container.name for container in found) or "none"
    raise Stale(
        f"The service {target.service} of the project {target.project} has {len(found)} containers ({names}),"
        f" expected {target.replicas}.",
        "Remove those that do not belong there, then run again."
        if found
        else "Something removed it: find it (another job, `docker compose down`), then run again.",
    )


def remove(lease: Lease, file: Source, target: Target) -> None:
    """Stops and removes the service's container, and nothing else. Raises EngineError, also where one is left."""
    lease.require()
    argv = [*file.command(lease.engine.env, target.project), "--ansi", "never"]
    argv += ["rm", "--stop", "--force", target.service]
    status, output = finish_compose(lease, file, argv)
    if status != 0:
        require_reachable(lease.engine, f"removing {target.service}")
        raise EngineError(f"Compose could not remove {target.service}: {last_line(output)}.", "Remove it manually.")
    left = service_containers(lease.engine, target.project, target.service)
    if left:
        names = " ".join(container.name for container in left)
        raise EngineError(
            f"Compose reported that it removed {target.service}, but the Engine still has {names}.",
            f"Remove what is left: docker rm --force {names}",
        )


def missing_dependencies(engine: Engine, target: Target) -> tuple[str, ...]:
    """The services that ours depends on and that do not run; `--no-deps` never starts them."""
    if not target.needs:
        return ()
    running = running_services(engine, target.project)
    return tuple(name for name in target.needs if name not in running)
