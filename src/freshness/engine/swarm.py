"""What a manager is asked about its Swarm, and the one call that updates a service."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import docker
import requests
from docker import auth

from freshness.core.swarm import Node, Service, Task
from freshness.engine.client import Engine, engine_call
from freshness.errors import Refused, Stale

_NO_LEADER = ("does not have a leader", "too few managers", "DeadlineExceeded", "deadline exceeded")


def describe_swarm(engine: Engine) -> Mapping[str, Any]:
    """The part of the Engine's own description that is about its Swarm."""
    with engine_call("asking the Engine for its swarm"):
        found: Mapping[str, Any] = engine.client.info().get("Swarm") or {}
    return found


def find_service(engine: Engine, name: str) -> Service | None:
    """The service of this name or ID; None where there is none. Raises Refused where the Swarm has no leader."""
    with _asking(f"inspecting the service {name}"):
        try:
            found = engine.client.api.inspect_service(name)  # type: ignore[no-untyped-call]
        except docker.errors.NotFound:
            return None
    return Service.read(found)


def read_tasks(engine: Engine, service: Service) -> tuple[Task, ...]:
    """Those that Swarm remembers, of all slots."""
    with _asking(f"listing the tasks of {service.name}"):
        found = engine.client.api.tasks({"service": service.id})  # type: ignore[no-untyped-call]
    return tuple(map(Task.read, found or ()))


def read_nodes(engine: Engine) -> tuple[Node, ...]:
    """All machines of the Swarm."""
    with _asking("listing the nodes"):
        found = engine.client.api.nodes()
    return tuple(map(Node.read, found or ()))


def update_service(engine: Engine, service: Service, spec: Mapping[str, Any], credentials: Mapping[str, str]) -> None:
    """One write upon the version that was read: whole, since docker-py's own leaves out what it does not know.

    `credentials` are for the image's registry, for whose sake the nodes get them. Raises Stale where somebody wrote
    since.
    """
    api = engine.client.api
    headers = {"X-Registry-Auth": auth.encode_header(dict(credentials)).decode()} if credentials else {}
    where = f"{api.base_url}/v{api.api_version}/services/{service.id}/update"
    with _asking(f"updating the service {service.name}"):
        answer = api.post(
            where, json=spec, params={"version": service.version}, headers=headers, timeout=engine.timeout
        )
        if answer.status_code != HTTPStatus.OK and "out of sequence" in answer.text:  # with the status 500
            raise Stale(
                f"somebody else changed {service.name} just now; expected its version {service.version}.",
                "Look at what was changed, then run again.",
            )
        try:
            answer.raise_for_status()
        except requests.exceptions.HTTPError as error:
            raise docker.errors.create_api_error_from_http_exception(error) from error


@contextmanager
def _asking(doing: str) -> Iterator[None]:
    """As `engine_call`; a Swarm without a leader is a refusal: it changes nothing, whoever asks."""
    with engine_call(doing):
        try:
            yield
        except docker.errors.APIError as error:
            is_lost = error.status_code in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INTERNAL_SERVER_ERROR}
            if is_lost and any(words in str(error.explanation) for words in _NO_LEADER):
                raise Refused(
                    f"{doing}: the swarm has no leader, since too few of its managers are up.",
                    "Bring managers back until most of them are up: `docker node ls` works again then.",
                ) from error
            raise
