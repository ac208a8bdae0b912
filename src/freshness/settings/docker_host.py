"""Looks whether DOCKER_HOST, which Docker itself reads, names a host where it has to, and no password."""

from collections.abc import Mapping

from freshness.core.endpoint import FORMS, lacks_host, shown
from freshness.core.quoting import quoted
from freshness.settings.declaration import Problem


def host_problems(env: Mapping[str, str]) -> list[Problem]:
    """Why the remote Engine that was asked for cannot be it, or must not be called so."""
    endpoint = env.get("DOCKER_HOST", "")
    told = f"DOCKER_HOST is {quoted(shown(endpoint))}"
    problems = []
    if lacks_host(endpoint):  # the machine's own Engine would be the wrong one
        remedy = f"Write {FORMS}, or unset it for this machine's own Engine."
        problems.append(Problem(message=f"{told}, which names no host; expected one.", remedy=remedy))
    if shown(endpoint) != endpoint:  # Docker's plugins repeat it in what they print
        remedy = "Remove it: ssh uses a key, tcp a certificate."
        problems.append(Problem(message=f"{told} with a password; expected none: Docker never uses it.", remedy=remedy))
    return problems
