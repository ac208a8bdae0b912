"""What Compose restarts with a service where it brings up the whole project, and nothing does where it is one."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any


def note_restarts(config: Mapping[str, Any], services: Collection[str]) -> Iterator[str]:
    """A sentence for each other service that says `restart: true` of one of these under `depends_on:`.

    Compose says so by itself of who joins a namespace; of the network it is refused while that runs.
    """
    for name, other in (config.get("services") or {}).items():
        needs = other.get("depends_on") or {}
        ours = [need for need, how in needs.items() if need in services and how.get("restart")]
        if ours and name not in services and other.get("network_mode") not in {f"service:{one}" for one in ours}:
            yield (
                f"{name} asks to be restarted with {' and '.join(ours)} (`restart: true` under `depends_on:`); no other"
                " service is touched here, so let a step do it afterwards:"
                f" `docker compose up --detach --no-deps --force-recreate {name}`."
            )
