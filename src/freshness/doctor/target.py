"""Looks at what stands at a service's place on the Engine: may a run replace it, and would it lose anything?"""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from msgspec import Struct

from freshness.core.compose import Target
from freshness.core.diagnosis import judge_mounts
from freshness.core.finding import Area, Finding
from freshness.core.mounts import process_of
from freshness.core.variables import explain_emptied, find_emptied
from freshness.doctor.trial import fine, note, problem, tried, unchecked
from freshness.engine.client import Engine
from freshness.engine.conflicts import find_conflicts
from freshness.engine.containers import service_containers
from freshness.engine.health import require_probeable
from freshness.engine.images import find_image, find_tagged
from freshness.engine.probe_address import Prober
from freshness.engine.volumes import image_process
from freshness.settings.model import Health
from freshness.target.mounts import ALLOW, Overlay
from freshness.target.ownership import Ownership


class Place(Struct, frozen=True, kw_only=True):
    """A service as the Compose files have it. `together` may share its image, `allowed` may lack a value."""

    area: Area
    target: Target
    health: Health
    overlay: Overlay
    ownership: Ownership
    together: frozenset[str]
    allowed: Collection[str]


def look_at_place(engine: Engine, prober: Prober, place: Place) -> Iterator[Finding]:
    """Every reason at once for which a run would refuse what stands there, each look by itself."""
    looks: tuple[Callable[[], Iterator[Finding]], ...] = (
        lambda: _look_at_owner(engine, place),
        lambda: _look_at_conflicts(engine, prober, place),
        lambda: _look_at_values(engine, place),
        lambda: _look_at_sources(engine, prober, place),
        lambda: _look_at_mounts(engine, place),
    )
    for look in looks:
        yield from tried(place.area, look)


def _look_at_owner(engine: Engine, place: Place) -> Iterator[Finding]:
    """Raises Stale where it may be somebody else's."""
    said = place.ownership.require(engine)
    if said:
        yield note(place.area, said)
    running = service_containers(engine, place.target.project, place.target.service)
    names = " and ".join(f"{one.name} ({one.status})" for one in running) or "nothing yet"
    yield fine(place.area, f"on the Engine {place.target.service} is {names}.")


def _look_at_conflicts(engine: Engine, prober: Prober, place: Place) -> Iterator[Finding]:
    require_probeable(engine, place.health, place.target, prober)
    asker = None if prober.job else prober
    for one in find_conflicts(engine, place.target, asker, place.together):
        yield problem(place.area, f"{one.message}.", " ".join(filter(None, (one.remedy, one.removal))))


def _look_at_values(engine: Engine, place: Place) -> Iterator[Finding]:
    for container in service_containers(engine, place.target.project, place.target.service):
        emptied = find_emptied(place.target.environment, container.environment, place.allowed)
        if emptied:
            yield problem(place.area, *explain_emptied(f"The container {container.name}", emptied))


def _look_at_sources(engine: Engine, prober: Prober, place: Place) -> Iterator[Finding]:
    """The folders that Docker would not make, where the Docker host's files are seen from here."""
    if not engine.is_local or prober.job:
        return
    for mount in place.overlay.settings.get("volumes") or ():
        is_made = (mount.get("bind") or {}).get("create_host_path", False)
        if mount.get("type") == "bind" and not is_made and not Path(mount["source"]).exists():
            got = f"{place.target.service} mounts {mount['source']} at {mount['target']}, and there is no such file."
            yield problem(place.area, got, "Make it, or write `create_host_path: true` under `bind:`.")


def _look_at_mounts(engine: Engine, place: Place) -> Iterator[Finding]:
    """By the configuration of the image that runs or ran: to read its files, a container would have to be made."""
    overlay, target = place.overlay, place.target
    if not overlay.mounts:
        return
    running = service_containers(engine, target.project, target.service)
    image = find_image(engine, running[0].image_id) if running else find_tagged(engine, target.image)
    if image is None:
        yield unchecked(
            place.area, f"the mounts over {target.service}, which has no image yet. The gate compares them."
        )
        return
    process, _ = image_process(engine, image.id)
    covering = list(judge_mounts(overlay.mounts, overlay.allowed, process_of(process, overlay.settings)))
    for one in covering:
        yield problem(place.area, f"in the service {overlay.service!r} {one}.", f"Mount it elsewhere, or {ALLOW}.")
    if not covering:
        yield fine(
            place.area, f"the mounts over {target.service} leave alone what it starts; the gate compares the files."
        )
