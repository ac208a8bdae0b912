"""What a throwaway project has on the Engine: where its ports are, and how all of it is removed, a dead run's too.

Its lock is taken before anything of it is made, and released when nothing of it is left: what has no living lock is a
leftover.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

import docker

from freshness.core.lock import LOCK_LABEL, service_lock
from freshness.core.throwaway import LABEL, is_project_name
from freshness.engine.client import Engine, engine_call
from freshness.engine.containers import Container
from freshness.engine.lock import Lease, Lock
from freshness.engine.lock_liveness import end_running_children
from freshness.errors import Busy, EngineError

LOCKED = "gate"
"""What of a throwaway project is locked, in place of each service."""
_ROUNDS = 3


def published_port(engine: Engine, container: Container, inside: int) -> int:
    """The port of the host that Docker chose. Raises EngineError where there is none, as for a container that ended."""
    with engine_call(f"inspecting the container {container.name}"):
        found = engine.client.api.inspect_container(container.id)["NetworkSettings"].get("Ports") or {}
    for place in found.get(f"{inside}/tcp") or ():
        return int(place["HostPort"])
    return 0


def remove_project(lease: Lease, project: str) -> None:
    """Ends what still works on the project, and removes its containers, volumes and networks. Raises EngineError."""
    end_running_children(lease.owner)
    for _ in range(_ROUNDS):  # what the Engine was asked for before may still come
        if not _remove_all(lease.engine, project):
            return
    left = ", ".join(_remove_all(lease.engine, project))
    if left:
        raise EngineError(
            f"Of the throwaway project {project} something is left: {left}.",
            f"The next throwaway gate removes it; or you: `docker compose -p {project} down --volumes`.",
        )


def remove_leftovers(engine: Engine, new_lock: Callable[[str], Lock]) -> Iterator[str]:
    """Removes each throwaway project whose run is dead, and yields its name; `new_lock` makes the lock of a name."""
    for project in _find_projects(engine):
        lock = new_lock(service_lock(project, LOCKED))
        with suppress(Busy):
            lease = lock.wait(0) or lock.claim()
            if lease:
                with lease:
                    remove_project(lease, project)
                yield project


def _remove_all(engine: Engine, project: str) -> list[str]:
    """Returns the names of what was there."""
    api, filters = engine.client.api, {"label": f"{LABEL}={project}"}
    with engine_call(f"removing the throwaway project {project}"):
        containers = [entry["Id"] for entry in api.containers(all=True, filters=filters)]
        for container in containers:
            with suppress(docker.errors.NotFound):
                api.remove_container(container, v=True, force=True)
        volumes = [entry["Name"] for entry in api.volumes(filters=filters)["Volumes"] or ()]
        for volume in volumes:
            with suppress(docker.errors.NotFound):
                api.remove_volume(volume)
        networks = [entry["Id"] for entry in api.networks(filters=filters)]
        for network in networks:
            with suppress(docker.errors.NotFound):
                api.remove_network(network)
    return [*containers, *volumes, *networks]


def _find_projects(engine: Engine) -> list[str]:
    """Those that have anything on the Engine, a lock included, whoever made them."""
    api = engine.client.api
    with engine_call("looking for throwaway projects"):
        labelled = [
            *api.containers(all=True, filters={"label": LABEL}),
            *(api.volumes(filters={"label": LABEL})["Volumes"] or ()),
            *api.networks(filters={"label": LABEL}),
        ]
        locks = api.volumes(filters={"label": LOCK_LABEL})["Volumes"] or ()
    names = {str((entry.get("Labels") or {}).get(LABEL)) for entry in labelled}
    for entry in locks:
        prefix, _, rest = str(entry["Labels"][LOCK_LABEL]).partition(".")
        project, _, service = rest.partition(".")
        if prefix == "freshness" and service == LOCKED:
            names.add(project)
    return sorted(name for name in names if is_project_name(name))
