"""Looks whether DOCKER_HOST, which Docker itself reads, names a host where it has to."""

from collections.abc import Mapping

from freshness.core.endpoint import FORMS, lacks_host, shown
from freshness.core.quoting import quoted
from freshness.settings.sources import Problem


def host_problems(env: Mapping[str, str]) -> list[Problem]:
    """A remote Engine was asked for and none is named: the machine's own would be the wrong one."""
    endpoint = env.get("DOCKER_HOST", "")
    if not lacks_host(endpoint):
        return []
    return [
        Problem(
            message=f"DOCKER_HOST is {quoted(shown(endpoint))}, which names no host; expected one.",
            remedy=f"Write {FORMS}, or unset it for this machine's own Engine.",
        )
    ]
