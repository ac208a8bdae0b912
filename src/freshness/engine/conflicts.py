"""Which containers and processes have the name, image or port that a target needs."""

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import docker

from freshness.core.compose import Target
from freshness.core.image import repository_of, same_tag
from freshness.engine import port
from freshness.engine.client import Engine, engine_call
from freshness.engine.containers import ONE_OFF_LABEL, PROJECT_LABEL, SERVICE_LABEL
from freshness.engine.probe_address import Prober
from freshness.errors import Stale

PORT_CHECK_SECONDS = 30
PORT_CHECK_LABEL = "freshness.look"
"""The label of every container that checks a port; its value is the job's container."""


class Conflict(NamedTuple):
    """What is in the target's way, in words: how the target avoids it, and how it is removed."""

    message: str
    remedy: str
    removal: str = ""


Listed = Sequence[Mapping[str, Any]]


def list_containers(engine: Engine) -> Listed:
    """All containers of the Engine, as it lists them."""
    with engine_call("listing the containers"):
        return tuple(engine.client.api.containers(all=True))


def find_conflicts(
    engine: Engine,
    target: Target,
    prober: Prober | None,
    together: Collection[str] = (),
    listed: Listed | None = None,
) -> Iterator[Conflict]:
    """Each other container with the target's name, image tag, published port or network, and a process on that port.

    Services of `together` in the target's project may run its tag. Without a `prober` processes are not looked for,
    since a job's container needs another container for that.
    `listed` is what `list_containers` has just said.
    """
    listed = list_containers(engine) if listed is None else listed
    port_is_explained = prober is None or not target.is_published
    networks = {f"container:{entry['Id']}" for entry in listed if _is_of(entry.get("Labels") or {}, target)}
    for entry in listed:
        labels = entry.get("Labels") or {}
        # What `docker compose run --service-ports` started keeps the port when Compose recreates the service.
        ours = _is_of(labels, target) and labels.get(ONE_OFF_LABEL) == "False"
        # Ours may be one that fails and starts again and again: between two starts the Engine lists no port of it.
        port_is_explained |= _publishes(entry, target) or (ours and entry.get("State") == "restarting")
        if not ours:
            yield from _in_the_way(entry, labels, target, together)
            yield from _left_behind(entry, labels, target, networks)
    if prober and not port_is_explained and not _is_free(engine, target, prober):
        yield Conflict(
            f"port {target.port} on {target.address} is in use by a process outside Docker",
            f"Stop that process (`ss -ltnp` shows it), or publish another port: {_another_port(target)}.",
        )


def refuse_conflicts(
    engine: Engine,
    target: Target,
    prober: Prober,
    together: Collection[str] = (),
    listed: Listed | None = None,
) -> None:
    """Raises Stale where something is in the target's way, with a remedy for each. `listed` as in `find_conflicts`."""
    found = tuple(find_conflicts(engine, target, prober, together, listed))
    if found:
        raise _refusal(found)


def _refusal(found: Sequence[Conflict]) -> Stale:
    """All of them at once: first how the target avoids each, then how each is removed."""
    remedies = (*(one.remedy for one in found), *(one.removal for one in found))
    return Stale(f"{'; '.join(one.message for one in found)}.", " ".join(filter(None, dict.fromkeys(remedies))))


def services_of(engine: Engine, repository: str) -> frozenset[tuple[str, str]]:
    """The Compose projects and services that have a container of this image repository, running or not.

    The Engine lists a container under its image's name for as long as that name is on the image; else it is asked.
    """
    with engine_call("listing the containers of all Compose projects"):
        listed = engine.client.api.containers(all=True, filters={"label": PROJECT_LABEL})
        made_from = ((_image_name(engine, entry), entry["Labels"]) for entry in listed)
        return frozenset(
            (labels[PROJECT_LABEL], labels.get(SERVICE_LABEL, ""))
            for name, labels in made_from
            if same_tag(repository_of(name), repository)
        )


def _image_name(engine: Engine, entry: Mapping[str, Any]) -> str:
    name: str = entry["Image"]
    if name.startswith("sha256:"):
        with suppress(docker.errors.NotFound):
            name = engine.client.api.inspect_container(entry["Id"])["Config"]["Image"]
    return name.partition("@")[0]


def _is_of(labels: Mapping[str, str], target: Target) -> bool:
    return (labels.get(PROJECT_LABEL), labels.get(SERVICE_LABEL)) == (target.project, target.service)


def _in_the_way(
    entry: Mapping[str, Any], labels: Mapping[str, str], target: Target, together: Collection[str] = ()
) -> Iterator[Conflict]:
    name, owner = _name_of(entry), _owner_in(labels)
    is_member = labels.get(PROJECT_LABEL) == target.project and labels.get(SERVICE_LABEL) in together
    another = PROJECT_LABEL in labels and not _is_of(labels, target) and not is_member
    former = _former_project(labels, target) if another else ""
    removal = _how_to_remove(name, former, target)
    if another and entry.get("Image") and same_tag(entry["Image"], target.image):
        yield Conflict(
            f"the image tag {target.image} is what the container {name} of {owner} runs",
            ""
            if former
            else f"Give {target.service} its own image name in the Compose file: `image: {_own_image(target)}`.",
            removal,
        )
    if name == target.container:
        yield Conflict(
            f"the container name {name} belongs to {owner}",
            ""
            if former
            else f"Give {target.service} its own `container_name` in the Compose file, or another `project`.",
            removal,
        )
    if _publishes(entry, target):
        yield Conflict(
            f"port {target.port} belongs to the container {name} of {owner}",
            "" if former else f"Publish another port: {_another_port(target)}.",
            removal,
        )


def _left_behind(
    entry: Mapping[str, Any], labels: Mapping[str, str], target: Target, networks: Collection[str]
) -> Iterator[Conflict]:
    """What shares the network of a container that is replaced has none afterwards; the whole `up` makes it anew."""
    if entry.get("State") != "running" or (entry.get("HostConfig") or {}).get("NetworkMode") not in networks:
        return
    name = _name_of(entry)
    yield Conflict(
        f"the container {name} of {_owner_in(labels)} uses the network of {target.service}, and loses it when that is"
        " replaced",
        f"Take out its `network_mode`: in a network of both it reaches {target.service} by that name.",
        f"Or remove it before each run, and start it anew afterwards: `docker rm --force {name}`.",
    )


def _name_of(entry: Mapping[str, Any]) -> str:
    name: str = entry["Names"][0].removeprefix("/") if entry.get("Names") else entry["Id"][:12]
    return name


def _owner_in(labels: Mapping[str, str]) -> str:
    if PROJECT_LABEL not in labels:
        return "no Compose project"
    return f"the Compose project {labels[PROJECT_LABEL]}, service {labels.get(SERVICE_LABEL, 'unknown')}"


def _former_project(labels: Mapping[str, str], target: Target) -> str:
    """The other project that has this very service, as ours does after it was renamed; else empty."""
    return labels.get(PROJECT_LABEL, "") if labels.get(SERVICE_LABEL) == target.service else ""


def _how_to_remove(name: str, former: str, target: Target) -> str:
    if not former:
        return f"If nobody needs that container: `docker rm --force {name}`."
    return (
        f"If {former} is the former name of the project {target.project}, set `project: {former}`, or remove the old"
        f" one: `docker compose -p {former} down`. Else give {target.service} its own image name, `container_name` and"
        " port in the Compose file."
    )


def _another_port(target: Target) -> str:
    return f"`127.0.0.1:PORT:{target.container_port}` under `ports:` in the Compose file, and that PORT in `port`"


def _own_image(target: Target) -> str:
    """A name that the other has not: what Compose gives by itself, where that is another one."""
    name = f"{target.project}-{target.service}"
    return f"{name}-own" if same_tag(name, target.image) else name


def _publishes(entry: Mapping[str, Any], target: Target) -> bool:
    ports = entry.get("Ports") or ()
    return target.is_published and any(at.get("PublicPort") == target.port and at["Type"] == "tcp" for at in ports)


def _is_free(engine: Engine, target: Target, prober: Prober) -> bool:
    """Looks where the port will be published: on the Docker host, also when this job has a network of its own."""
    if prober.job is not None:
        return _is_free_on_host(engine, target, prober.job)
    return not engine.is_local or port.is_free(target.address, target.port)


def _is_free_on_host(engine: Engine, target: Target, job: str) -> bool:
    """Runs the check in a container on the host's network, from the job's own image: it is here and has our Python.

    It has the job's volumes, since the interpreter may lie in one. Where it cannot run, Compose will say what is taken.
    The Engine cannot remove it by itself: its exit status would be gone too.
    """
    program = Path(port.__file__).read_text(encoding="utf-8")
    command = ["-I", "-c", program, target.address, str(target.port)]
    with engine_call("checking whether the port is free on the Docker host"):
        _remove_port_checks(engine)
        image = engine.client.api.inspect_container(job)["Image"]
        check = engine.client.containers.create(
            image,
            command,
            entrypoint=[_interpreter()],
            network_mode="host",
            volumes_from=[job],
            labels={PORT_CHECK_LABEL: job},
        )
        try:
            check.start()
            return bool(check.wait(timeout=PORT_CHECK_SECONDS)["StatusCode"] != port.TAKEN)
        except docker.errors.APIError:
            return True
        finally:
            check.remove(force=True)


def _remove_port_checks(engine: Engine) -> None:
    """Removes what killed runs left; by the Engine's clock, so that none under way is removed."""
    with suppress(docker.errors.APIError):  # another prune is at work, which is no reason not to check
        engine.client.containers.prune(filters={"label": PORT_CHECK_LABEL, "until": f"{2 * PORT_CHECK_SECONDS}s"})


def _interpreter() -> str:
    """The Python that the image itself brings, not the virtual environment's link to it."""
    return str(Path(sys.executable).resolve())
