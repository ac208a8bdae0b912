"""Which Docker host is meant: whether what is said names one, and the environment that Docker itself reads."""

from collections.abc import Mapping, Sequence

from freshness.core.endpoint import FORMS, lacks_host, shown
from freshness.core.quoting import quoted
from freshness.settings.declaration import Problem


def at_host(env: Mapping[str, str], host: str | None) -> dict[str, str]:
    """`env` for Docker's programs, so that they reach this `host`, an address or a context's name; None: as it is.

    The certificates that `env` names are those of tcp:// alone: a context has its own.
    """
    if host is None:
        return dict(env)
    kept = {
        name: value
        for name, value in env.items()
        if name not in {"DOCKER_HOST", "DOCKER_CONTEXT"}
        and (host.startswith("tcp://") or name not in {"DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"})
    }
    return {**kept, "DOCKER_HOST" if "://" in host else "DOCKER_CONTEXT": host}


def each_host(env: Mapping[str, str], hosts: Sequence[str]) -> dict[str, dict[str, str]]:
    """`env` for each of the hosts, by its name; nameless where none is named."""
    return {name: at_host(env, name) for name in hosts} or {"": dict(env)}


def host_problems(title: str, endpoint: str) -> list[Problem]:
    """Why the remote Engine that `title` asks for cannot be it, or must not be called so."""
    told = f"{title} is {quoted(shown(endpoint))}"
    problems = []
    if lacks_host(endpoint):  # the machine's own Engine would be the wrong one
        remedy = f"Write {FORMS}, or unset it for this machine's own Engine."
        problems.append(Problem(message=f"{told}, which names no host; expected one.", remedy=remedy))
    if shown(endpoint) != endpoint:  # Docker's plugins repeat it in what they print
        remedy = "Remove it: ssh uses a key, tcp a certificate."
        problems.append(Problem(message=f"{told} with a password; expected none: Docker never uses it.", remedy=remedy))
    return problems
