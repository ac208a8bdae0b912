"""Carries an image from one Engine to another over the connections that are there, and proves what came."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from tarfile import TarError
from typing import Any

from freshness.engine.client import Engine, busy, engine_call
from freshness.engine.facts import has_classic_store
from freshness.engine.images import find_image
from freshness.engine.lock import Lease
from freshness.engine.thin import find_shared, leave_out
from freshness.errors import EngineError, Refused

_LOADED = re.compile(r"Loaded image(?: ID)?: (\S+)")
_NOT_UNPACKED = "Error unpacking"  # which is no error to Engine 28 with the containerd store
_CHUNK = 1024 * 1024  # bytes
SECONDS = 3600  # for an image: an Engine may pack or unpack a large one for minutes
_RUNS_WITH = (
    "Env", "Cmd", "Entrypoint", "Labels", "User", "WorkingDir", "ExposedPorts", "Volumes", "Healthcheck", "StopSignal",
    "Shell", "OnBuild",
)  # fmt: skip
"""What of an image's configuration decides how it runs; each Engine's version shows more of its own."""


def find_carried(source: Engine, target: Engine, image_id: str) -> str:
    """The ID under which the target has the source's image already; empty where it lacks it. Raises EngineError."""
    if find_image(target, image_id):
        return image_id
    if has_classic_store(source) is has_classic_store(target):
        return ""
    sent = _content(source, image_id)
    labels = [f"{name}={value}" for name, value in sent.get("Labels", {}).items()]
    with engine_call(f"looking for what {image_id} is called at {target.endpoint}"):
        listed = target.client.api.images(filters={"label": labels}) if labels else ()
    return next((one["Id"] for one in listed if _are_alike(_content(target, one["Id"]), sent)), "")


def carry_image(source: Engine, lease: Lease, image_id: str) -> str:
    """The ID that the image has at the other end, where another image store may call it otherwise.

    A stream that is cut leaves no image. Raises LockLost, EngineError, Refused where what came is not what was sent.
    """
    loaded = _send(source, lease, image_id)
    came = find_image(lease.engine, image_id) or (find_image(lease.engine, loaded) if loaded else None)
    if came is None:
        raise EngineError(
            f"{lease.engine.endpoint} took {image_id} from {source.endpoint}, and does not have it.",
            "Look at the Docker daemon's log there, then run again.",
        )
    if came.id != image_id and not _are_alike(_content(lease.engine, came.id), _content(source, image_id)):
        raise Refused(
            f"what came from {source.endpoint} as {came.id} is not the image {image_id}.",
            "Look at both Docker daemons, then run again.",
        )
    return came.id


def _send(source: Engine, lease: Lease, image_id: str) -> str:
    """What the target says that it loaded: without the layers that it has, or with all where it does not take that."""
    layers = _content(source, image_id)["layers"] or ()
    shared = find_shared(lease.engine, layers)
    if shared:
        with suppress(EngineError, TarError, ValueError):
            return _stream(source, lease, image_id, shared)
    try:
        return _stream(source, lease, image_id, ())
    except EngineError:
        _forget(lease.engine, image_id)
        raise


def _forget(engine: Engine, image_id: str) -> None:
    """The containerd store names an image that it could not unpack: the next run would take it for the whole one."""
    with suppress(EngineError), engine_call(f"removing what came of {image_id}"):
        engine.client.api.remove_image(image_id)


def _stream(source: Engine, lease: Lease, image_id: str, shared: Sequence[str]) -> str:
    target = lease.engine
    lease.require()
    doing = f"carrying {image_id} from {source.endpoint} to {target.endpoint}"

    def send() -> str:
        with engine_call(doing):
            sent = source.client.api.get_image(image_id, chunk_size=_CHUNK)
            sent = leave_out(shared, sent) if shared else sent
            return "".join(_said(target.client.api.load_image(sent), doing))  # type: ignore[no-untyped-call]

    try:
        found = _LOADED.search(busy((source, target), SECONDS, doing, send))
    except TimeoutError as error:
        raise EngineError(f"{doing}: not done within {SECONDS} s.", "Look at the network between the hosts.") from error
    return found[1] if found else ""


def _said(events: Iterator[Mapping[str, Any]], doing: str) -> Iterator[str]:
    for event in events:
        said = str(event.get("stream") or "")
        error = event.get("error") or (said if said.startswith(_NOT_UNPACKED) else "")
        if error:
            raise EngineError(f"{doing}: the Engine said: {error}.", "Look at its log, then run again.")
        yield said


def _are_alike(came: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """An Engine that tells no layers proves nothing."""
    return bool(sent["layers"]) and came == sent


def _content(engine: Engine, image_id: str) -> dict[str, Any]:
    """The layers by their digests, and all that decides how it runs."""
    with engine_call(f"inspecting the image {image_id}"):
        found = engine.client.api.inspect_image(image_id)  # type: ignore[no-untyped-call]
    config = found.get("Config") or {}
    runs_with = {name: config[name] for name in _RUNS_WITH if config.get(name)}
    return {
        "layers": (found.get("RootFS") or {}).get("Layers"),
        "os": (found["Os"], found["Architecture"]),
        **runs_with,
    }
