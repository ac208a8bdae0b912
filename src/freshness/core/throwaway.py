"""Rewrites a project, as Compose prints it, into one that is thrown away: it touches nothing of the one it is made of.

Whatever could reach that one's data, ports, names or proxy is left out or replaced; what cannot be is a problem of
throwaway_rules.py.
"""

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from freshness.core.reach import hosts_of, names_of, stores_of

Service = Mapping[str, Any]

LABEL = "freshness.throwaway"
"""The label of all that a throwaway project has on the Engine; its value is the project's name."""
LOOPBACK = "127.0.0.1"
_PROJECT = re.compile(r".+-gate-[0-9a-f]{16}")
_PROXYS = re.compile(r"(VIRTUAL|LETSENCRYPT)_\w+")
"""Variables by which nginx-proxy and its companion would lead production's requests here."""
_ALWAYS = frozenset({"always", "unless-stopped"})
_DROPPED = frozenset(
    {
        "annotations",
        "build",
        "container_name",
        "develop",
        "env_file",
        "label_file",
        "logging",
        "mac_address",
        "profiles",
        "scale",
    }
)
"""Of `env_file` all values stand in `environment` already."""
_NO_PROXY = {"traefik.enable": "false"}
"""Without it Traefik takes every container, by its service's name where its default rule says so."""
_OF_NETWORK = frozenset({"aliases", "priority", "gw_priority", "driver_opts", "interface_name"})


class Source(StrEnum):
    """What lies at a bind mount's source: files that are read, data that is written, or neither."""

    FILE = "file"
    TRACKED = "folder with files that Git tracks"
    FOLDER = "folder"
    MISSING = "missing"
    SPECIAL = "socket or device"
    UNSEEN = "unseen"


Sources = Mapping[str, Source]


def project_name(project: str, token: str) -> str:
    """The throwaway project's, of 16 hexadecimal digits that are the run's alone."""
    return f"{project}-gate-{token}"


def is_project_name(name: str) -> bool:
    """Whether `project_name` may have made it."""
    return _PROJECT.fullmatch(name) is not None


def closure_of(config: Mapping[str, Any], names: Iterable[str], left_out: Collection[str] = ()) -> tuple[str, ...]:
    """These services and all that they need, directly or not, in the order of being found; `left_out` is not followed.

    A need is what `depends_on`, `links` or a joined namespace says, and a service whose name stands in an address. What
    Compose does not start by itself either, of a profile and not `required`, is none, but where data is kept.
    """
    services: Mapping[str, Service] = config.get("services") or {}
    by_host = {host: name for name in services for host in names_of(services[name], name)}
    found, left = dict.fromkeys(names), list(names)
    while left:
        ours = services[left.pop(0)]
        addressed = (by_host[host] for host in hosts_of(ours) if host in by_host)
        without = {*left_out, *_not_started(services, ours)}
        for need in (*(ours.get("depends_on") or ()), *joined(ours), *addressed):
            if need in services and need not in found and need not in without:
                found[need] = None
                left.append(need)
    return tuple(found)


def _not_started(services: Mapping[str, Service], ours: Service) -> Iterator[str]:
    stores = {host for _, host in stores_of(ours)}
    for need, how in (ours.get("depends_on") or {}).items():
        other = services.get(need) or {}
        if how.get("required") is False and other.get("profiles") and not stores & names_of(other, need):
            yield need


def joined(service: Service) -> Iterator[str]:
    """The services whose namespaces or names it shares."""
    for key in ("network_mode", "pid", "ipc"):
        kind, _, name = str(service.get(key) or "").partition(":")
        if kind == "service":
            yield name
    yield from (link.partition(":")[0] for link in service.get("links") or ())


def throw_away(
    config: Mapping[str, Any],
    project: str,
    services: Iterable[str],
    images: Mapping[str, str],
    jobs: Collection[str],
    sources: Sources,
) -> dict[str, Any]:
    """The project called `project` of these services alone; `images` are the IDs of those that this run has built.

    `jobs` are run by themselves: nothing waits for them. Only for a configuration without a problem.
    """
    kept = {name: _service(config, name, images.get(name), sources) for name in services}
    for name, ours in kept.items():
        needs = config["services"][name].get("depends_on") or {}
        ours["depends_on"] = {need: how for need, how in needs.items() if need in kept and need not in jobs}
        ours["labels"] = {LABEL: project, **_NO_PROXY}
        if name in jobs or name not in images:
            ours.pop("ports", None)
    volumes = {one["source"] for ours in kept.values() for one in ours["volumes"] if _is_named(one)}
    networks = {network for ours in kept.values() for network in ours.get("networks") or ()}
    declared = config.get("networks") or {}
    return {
        "name": project,
        "services": kept,
        "volumes": {name: {"labels": {LABEL: project}} for name in sorted(volumes)},
        "networks": {name: _network(declared.get(name), project) for name in sorted(networks)},
        **{kind: config[kind] for kind in ("configs", "secrets") if config.get(kind)},
    }


def _service(config: Mapping[str, Any], name: str, image: str | None, sources: Sources) -> dict[str, Any]:
    said: Service = config["services"][name]
    ours = {key: value for key, value in said.items() if key not in _DROPPED and not key.startswith("x-")}
    if image:
        ours |= {"image": image, "pull_policy": "never"}
    environment = said.get("environment") or {}
    ours["environment"] = {key: value for key, value in environment.items() if not _PROXYS.fullmatch(key)}
    ours["volumes"] = [_volume(volume, sources) for volume in said.get("volumes") or ()]
    if said.get("restart") in _ALWAYS:  # a restart of Docker brings nothing back that a killed run has left
        ours["restart"] = "on-failure"
    if "deploy" in ours:
        ours["deploy"] = {"resources": (said["deploy"] or {}).get("resources") or {}}
    if said.get("ports"):
        ours["ports"] = _ports(said["ports"])
    if "network_mode" not in said:
        networks = said.get("networks") or {"default": {}}
        alias = [said["container_name"]] if said.get("container_name") else []
        ours["networks"] = {key: _attached(how, alias) for key, how in networks.items()}
    return ours


def _ports(said: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each port inside once, at one of the host's that Docker chooses, and for the host alone."""
    inside = {(int(port["target"]), port.get("protocol") or "tcp") for port in said if port.get("published")}
    return [{"mode": "ingress", "target": to, "protocol": by, "host_ip": LOOPBACK} for to, by in sorted(inside)]


def _attached(how: Mapping[str, Any] | None, names: list[str]) -> dict[str, Any]:
    """Without fixed addresses. Its container's name was one by which others find it."""
    kept = {key: value for key, value in (how or {}).items() if key in _OF_NETWORK}
    aliases = [*(kept.get("aliases") or ()), *names]
    return {**kept, **({"aliases": aliases} if aliases else {})}


def _network(declared: Mapping[str, Any] | None, project: str) -> dict[str, Any]:
    """A bridge of its own, whatever stands there: an external one is production's, and so is a subnet."""
    internal = {"internal": True} if (declared or {}).get("internal") else {}
    return {**internal, "labels": {LABEL: project}}


def _volume(volume: Mapping[str, Any], sources: Sources) -> dict[str, Any]:
    """Named ones are new by their project's name. Of the host's paths, files stay, to be read; data begins empty."""
    if volume.get("type") != "bind":
        options = {key: value for key, value in (volume.get("volume") or {}).items() if key != "subpath"}
        return {**volume, **({"volume": options} if "volume" in volume else {})}
    if volume.get("read_only") or sources.get(source_of(volume)) in {Source.FILE, Source.TRACKED}:
        return {**volume, "read_only": True}
    return {"type": "volume", "target": volume["target"]}


def source_of(volume: Mapping[str, Any]) -> str:
    """The path on the Docker host, without `.` and `..`."""
    return posixpath.normpath(volume.get("source") or "")


def _is_named(volume: Mapping[str, Any]) -> bool:
    return volume.get("type") == "volume" and bool(volume.get("source"))
