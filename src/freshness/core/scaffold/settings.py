"""The commit's `freshness.toml`: the services, how each is proven, and the jobs."""

import json
from collections.abc import Iterator

from freshness.core.scaffold.layout import Layout, Member, Side

_HEAD = """\
#:schema https://raw.githubusercontent.com/org/freshness-action/v1/docs/schema/freshness.json
# Written by `freshness init`, to start from: the services, how each is proven, and the jobs that run before the switch.
"""


def render_settings(layout: Layout) -> str:
    """Where both sides have the same names, what holds for both is said once."""
    return "\n".join([_HEAD, *_tables(layout)])


def _tables(layout: Layout) -> Iterator[str]:
    staging, production = layout.staging, layout.production
    is_same = [_proof(one) for one in staging.members] == [_proof(one) for one in production.members]
    if staging.names == production.names and is_same:
        for member in staging.members:
            yield _table(f"services.{member.name}", _proof(member))
        yield from _side("staging", staging, proof=False)
        yield from _side("production", production, proof=False)
    else:
        yield from _side("staging", staging, proof=True)
        yield from _side("production", production, proof=True)
    if staging.jobs == production.jobs:
        yield from (_table(f"jobs.{job}", {"timeout": 600}) for job in staging.jobs)
        return
    for name, side in (("staging", staging), ("production", production)):
        yield from (_table(f"environments.{name}.jobs.{job}", {"timeout": 600}) for job in side.jobs)


def _side(name: str, side: Side, *, proof: bool) -> Iterator[str]:
    for member in side.members:
        values = {**(_proof(member) if proof else {}), **_own(member)}
        if values or proof:
            yield _table(f"environments.{name}.services.{member.name}", values)


def _proof(member: Member) -> dict[str, str | int]:
    words = {"none": "healthcheck", "running": "running"}
    return {"health": words[member.health]} if member.health in words else {"health-path": member.health}


def _own(member: Member) -> dict[str, str | int]:
    found: dict[str, str | int] = {"port": member.port} if member.port else {}
    if member.check:
        found |= {"check-command": member.check.command} if member.check.command else {"check-path": member.check.path}
    return found


def _table(name: str, values: dict[str, str | int]) -> str:
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join([f"[{name}]", *lines, ""])
