"""What ran is image and configuration: one service as Compose rendered it, in a form that Compose reads again."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from freshness.core.compose import Target, Wanted, published_ports, read_target

_OTHERS = ("network_mode", "ipc", "pid")
"""Where a service may name another one, as `service:NAME`."""


def render(config: Mapping[str, Any], service: str) -> str:
    """The service alone, as a Compose project in JSON: with the networks and so on that it uses, without what it needs.

    `config` is what Compose prints, with every value filled in and every `$` doubled: Compose makes the same container
    of the result. `depends_on` and `build` are left out: Compose is asked for this service alone, and to build nothing.
    Of another service that is referred to, the name alone is kept. It holds values that may be secret.
    """
    ours = {key: value for key, value in config["services"][service].items() if key not in {"build", "depends_on"}}
    if not ours.get("image"):
        ours["build"] = {"context": "."}  # Compose wants one of the two, and builds nothing here
    others = {name: {"image": "none"} for name in _others(ours) if name != service}
    project: dict[str, Any] = {"name": config["name"], "services": {**others, service: ours}}
    for kind, used in _used(ours).items():
        declared = config.get(kind) or {}
        found = {name: declared[name] for name in sorted(used) if name in declared}
        if found:
            project[kind] = found
    return json.dumps(project, separators=(",", ":"), sort_keys=True)


def _used(ours: Mapping[str, Any]) -> dict[str, set[str]]:
    return {
        "networks": set(ours.get("networks") or ("default",)),
        "volumes": {volume["source"] for volume in ours.get("volumes") or () if _is_named(volume)},
        "configs": {used["source"] for used in ours.get("configs") or ()},
        "secrets": {used["source"] for used in ours.get("secrets") or ()},
    }


def _is_named(volume: Mapping[str, Any]) -> bool:
    return volume.get("type") == "volume" and bool(volume.get("source"))


def _others(ours: Mapping[str, Any]) -> Iterator[str]:
    for key in _OTHERS:
        kind, colon, name = str(ours.get(key) or "").partition(":")
        if colon and kind == "service":
            yield name
    for link in ours.get("links") or ():
        yield link.partition(":")[0]
    for source in ours.get("volumes_from") or ():
        if not source.startswith("container:"):
            yield source.partition(":")[0]


def target_of(configuration: str, wanted: Wanted, today: Target) -> Target:
    """The target as it was, or `today` where the configuration is not known (empty).

    Its port is the one that the settings name, if it published that then, else the first that it published; where it
    published none and does today, it is the one inside.
    """
    if not configuration:
        return today
    config = json.loads(configuration)
    ports = () if wanted.in_pairs else published_ports(config, wanted.service)
    port = wanted.port
    if ports and port not in ports:
        port = ports[0]
    if not ports and today.is_published:
        port = today.container_port
    return read_target(config, replace(wanted, port=port))


def bound_paths(configuration: str) -> tuple[str, ...]:
    """The paths on the Docker host that it mounts: what lies there is not part of it, and never taken back."""
    config = json.loads(configuration)
    declared = (*(config.get("configs") or {}).values(), *(config.get("secrets") or {}).values())
    volumes = (volume for service in config["services"].values() for volume in service.get("volumes") or ())
    binds = (volume["source"] for volume in volumes if volume.get("type") == "bind")
    return tuple(sorted({*binds, *(one["file"] for one in declared if one.get("file"))}))


def environment_of(configuration: str, service: str) -> dict[str, str]:
    """The variables that it gives a value in the service's container, with each `$` doubled."""
    given = json.loads(configuration)["services"][service].get("environment") or {}
    return {name: value for name, value in given.items() if value is not None}


def variables_of(configuration: str) -> tuple[str, ...]:
    """The variables whose values it takes from the environment each time: `secrets` and `configs` with `environment:`.

    They have to be set where Compose is called, and what they hold is not taken back.
    """
    config = json.loads(configuration)
    declared = (*(config.get("configs") or {}).values(), *(config.get("secrets") or {}).values())
    return tuple(sorted({one["environment"] for one in declared if one.get("environment")}))


def not_restored(configuration: str) -> str:
    """What of it is today's all the same, in a sentence; empty where nothing is."""
    paths, variables = bound_paths(configuration), variables_of(configuration)
    what = [f"what lies at {' and '.join(paths)}"] if paths else []
    what += [f"the secret in {' and '.join(variables)}"] if variables else []
    if not what:
        return ""
    return f"Image and configuration are the ones that ran before; not restored: {', '.join(what)}."
