"""Which Engine is meant: the one that DOCKER_HOST names, else the Docker context, as Docker's own programs read it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from freshness.core.endpoint import FORMS, lacks_host, shown
from freshness.errors import EngineError, SettingsError

DEFAULT = "default"
DEFAULT_ENDPOINT = "unix:///var/run/docker.sock"
# What would name an Engine, or how to speak with it, beside the DOCKER_HOST that we set.
_NAMING = frozenset({"DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"})


class DockerHost(Struct, frozen=True, kw_only=True):
    """The `endpoint` as it was written, and the Docker context that names it."""

    context: str
    endpoint: str

    def arguments(self, env: Mapping[str, str]) -> dict[str, Any]:
        """What docker-py wants to know. Raises docker-py's errors for certificates that are not there."""
        if not env.get("DOCKER_HOST"):
            return _read_context(self.context)
        from docker.utils import kwargs_from_env

        return dict(kwargs_from_env(env))


def read_docker_host(env: Mapping[str, str]) -> DockerHost:
    """Raises SettingsError where a remote Engine is asked for and none is named, EngineError for a missing context."""
    endpoint = env.get("DOCKER_HOST", "")
    context = DEFAULT if endpoint else env.get("DOCKER_CONTEXT") or _current_context()
    found = DockerHost(context=context, endpoint=endpoint or str(_read_context(context)["base_url"]))
    _refuse_hostless(found, env)
    return found


def _current_context() -> str:
    """What `docker context use` wrote down."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path("~/.docker").expanduser())
    try:
        return json.loads((folder / "config.json").read_text()).get("currentContext") or DEFAULT
    except (OSError, ValueError, AttributeError):
        return DEFAULT


def _read_context(name: str) -> dict[str, Any]:
    """What docker-py wants to know; it is imported late, because to import it takes longer than Compose needs to read.

    Raises EngineError.
    """
    if name == DEFAULT:
        return {"base_url": DEFAULT_ENDPOINT}
    from docker.context import ContextAPI

    try:
        address: dict[str, Any] = dict(ContextAPI.kwargs_from_context(name))
    except Exception as error:  # docker-py raises no other where the context's file is damaged
        raise EngineError(f"The Docker context {name!r} cannot be read: {error}.", "Make it anew.") from error
    if not address:
        raise EngineError(f"There is no Docker context named {name!r}.", "Correct DOCKER_CONTEXT, or set DOCKER_HOST.")
    return address


def _refuse_hostless(found: DockerHost, env: Mapping[str, str]) -> None:
    """A remote Engine is asked for and none is named, or not as both docker-py and Docker's plugins understand it."""
    endpoint = shown(found.endpoint)
    if lacks_host(found.endpoint):
        place = "DOCKER_HOST" if env.get("DOCKER_HOST") else f"The Docker context {found.context!r}"
        raise SettingsError(f"{place} is {endpoint!r}, which names no host; expected one.", f"Write {FORMS}.")
    if env.get("DOCKER_TLS_VERIFY") and not env.get("DOCKER_HOST") and found.context == DEFAULT:
        raise SettingsError(
            "DOCKER_TLS_VERIFY is set, but no Engine is named whose certificate could be verified.",
            "Set DOCKER_HOST to tcp://host:port too, or unset DOCKER_TLS_VERIFY.",
        )
    if env.get("DOCKER_CERT_PATH") and not env.get("DOCKER_TLS_VERIFY") and endpoint.startswith("tcp://"):
        raise SettingsError(
            f"DOCKER_CERT_PATH is set for {endpoint}, but DOCKER_TLS_VERIFY is not: the server would not be verified.",
            "Set DOCKER_TLS_VERIFY=1, or unset DOCKER_CERT_PATH.",
        )


def env_for_socket(path: Path | str, env: Mapping[str, str]) -> dict[str, str]:
    """The environment in which Docker's plugins find the Engine at this socket, whatever it named before."""
    kept = {name: value for name, value in env.items() if name not in _NAMING}
    return {**kept, "DOCKER_HOST": f"unix://{path}"}


def env_without_engine(env: Mapping[str, str]) -> dict[str, str]:
    """The environment for a plugin that needs no Engine: over ssh:// it would log in all the same, more than once."""
    return env_for_socket(os.devnull, env) if read_docker_host(env).endpoint.startswith("ssh://") else dict(env)
