"""What a manager is asked about its Swarm, and the one call that updates a service."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any

import docker
import requests
from docker import auth

from freshness.core.job import JOB_LABEL
from freshness.core.multiplex import Demultiplexer
from freshness.core.swarm import Node, Service, Task, identity, image_in, registry_of
from freshness.engine.client import Engine, engine_call
from freshness.errors import Refused, Stale
from freshness.process.deadline import within

_LOG_LINES = 30
_LOG_SECONDS = 10
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


def task_log(engine: Engine, task: str) -> tuple[str, ...]:
    """The last lines of what a task's container printed, as its node hands them on; foreign text. Raises EngineError.

    A node that is gone never answers.
    """
    with engine_call(f"reading the log of the task {task}"):
        try:
            said = within(_LOG_SECONDS, _ask_log, engine, task)
        except TimeoutError:
            return ("Its node does not hand it on.",)
    try:
        pieces = [piece for _, piece in Demultiplexer().feed(said)]
    except ValueError:  # of a task with a terminal
        pieces = [said]
    return tuple(b"".join(pieces).decode("utf-8", "replace").splitlines())


def _ask_log(engine: Engine, task: str) -> bytes:
    api, params = engine.client.api, {"stdout": 1, "stderr": 1, "tail": _LOG_LINES}
    answer = api.get(f"{api.base_url}/v{api.api_version}/tasks/{task}/logs", params=params, timeout=_LOG_SECONDS)
    return bytes(answer.content) if answer.status_code == HTTPStatus.OK else answer.text.encode()


def job_services(engine: Engine, template: Service) -> tuple[Service, ...]:
    """Those that were made to run a job once, of this template."""
    with _asking(f"looking for jobs of {template.name}"):
        found = engine.client.api.services({"label": f"{JOB_LABEL}={template.name}"})  # type: ignore[no-untyped-call]
    return tuple(map(Service.read, found or ()))


def create_service(engine: Engine, spec: Mapping[str, Any], credentials: Mapping[str, str]) -> None:
    """Makes the service of this spec. `credentials` as those of an update."""
    with _asking(f"creating the service {spec['Name']}"):
        _post(engine, "create", spec, {}, _login(credentials) if credentials else {})


def remove_service(engine: Engine, service: Service) -> None:
    """Removes it with its tasks, if it is there."""
    with _asking(f"removing the service {service.name}"), suppress(docker.errors.NotFound):
        engine.client.api.remove_service(service.id)  # type: ignore[no-untyped-call]


def update_service(engine: Engine, service: Service, spec: Mapping[str, Any], credentials: Mapping[str, str]) -> None:
    """One write upon the version that was read: whole, since docker-py's own leaves out what it does not know.

    `credentials` are for the image's registry, for whose sake the nodes get them. Where there are none, the Engine
    keeps what it has, which another registry must not see. Raises Stale where somebody wrote since.
    """
    with _asking(f"updating the service {service.name}"):
        try:
            params, headers = _authorize(service, image_in(spec), credentials)
            _post(engine, f"{service.id}/update", spec, {"version": service.version, **params}, headers)
        except docker.errors.APIError as error:
            if "out of sequence" not in str(error.explanation):  # with the status 500
                raise
            raise Stale(
                f"somebody else changed {service.name} just now; expected its version {service.version}.",
                "Look at what was changed, then run again.",
            ) from error


def _authorize(service: Service, image: str, credentials: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Parameters and headers of an update to this image: what went with it before goes with it again."""
    if credentials:
        return {}, _login(credentials)
    if registry_of(image) == registry_of(service.image):
        return {}, {}
    if identity(image) == identity(image_in(service.before)):
        return {"registryAuthFrom": "previous-spec"}, {}
    return {}, _login({})


def _login(credentials: Mapping[str, str]) -> dict[str, str]:
    return {"X-Registry-Auth": auth.encode_header(dict(credentials)).decode()}


def _post(
    engine: Engine, what: str, spec: Mapping[str, Any], params: Mapping[str, int | str], headers: Mapping[str, str]
) -> None:
    api = engine.client.api
    where = f"{api.base_url}/v{api.api_version}/services/{what}"
    answer = api.post(where, json=spec, params=params, headers=headers, timeout=engine.timeout)
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
