"""Makes staging or production out of a Compose project: which service is asked how, on which port, by which check."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from freshness.core.compose import published_ports
from freshness.core.deployment import Role
from freshness.core.scaffold.check import Source, choose_check
from freshness.core.scaffold.layout import Member, Side, health_of, jobs_of, published_first

Config = Mapping[str, Any]
USUAL_PORTS = {Role.STAGING: 8501, Role.PRODUCTION: 8500}


def make_side(
    config: Config, files: Sequence[str], names: Sequence[str], role: Role, sources: Mapping[str, Source]
) -> Side:
    """`names` are services of the project, each of which has its source. Of staging the first one has a check."""
    jobs = tuple(name for name in names if name in jobs_of(config))
    served = published_first(config, [name for name in names if name not in jobs])
    members = []
    for name in served:
        is_first = name == served[0]
        health = health_of(config, name, sources[name].dockerfile)
        port = port_to_say(config, name, USUAL_PORTS[role] if is_first else None)
        members.append(Member(name=name, health=health, port=port))
    ports = published_ports(config, served[0]) if served else ()
    side = Side(files=tuple(files), members=tuple(members), jobs=jobs, published=next(iter(ports), None))
    return with_check(side, sources) if role is Role.STAGING else side


def with_check(side: Side, sources: Mapping[str, Source]) -> Side:
    """The side whose first service has a staging check."""
    first, *rest = side.members
    checked = replace(first, check=choose_check(sources[first.name], first.health))
    return replace(side, members=(checked, *rest))


def port_to_say(config: Config, name: str, usual: int | None) -> int | None:
    """The port, where the service publishes several and none of them is the usual one."""
    ports = published_ports(config, name)
    return ports[0] if len(ports) > 1 and usual not in ports else None


def in_order(side: Side, names: Sequence[str]) -> Side:
    """The side with its services in this order."""
    return replace(side, members=tuple(sorted(side.members, key=lambda one: names.index(one.name))))
