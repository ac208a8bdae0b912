"""Pushes an image by its ID through the Engine, which alone has the layers; its stream alone says how that ended."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from freshness.core.answer import printable
from freshness.core.held import LocalImage
from freshness.core.hexid import is_image_id
from freshness.core.manifest import Platform
from freshness.engine.client import Engine, engine_call
from freshness.engine.images import find_tagged, tag_image, untag_image
from freshness.engine.lock import Lease
from freshness.errors import EngineError, FreshnessError, RegistryError

_DIGEST = re.compile(r"digest: (sha256:[0-9a-f]{64}) size: \d+")
_SERVER_ERROR = re.compile(r"\b50[0-4] [A-Z]|status(?: code)?:? 50[0-4]")
_NOT_LET_IN = re.compile(r"unauthorized|denied|forbidden|basic auth|authenticat", re.IGNORECASE)
_NOT_TRUSTED = re.compile(r"x509|certificate|HTTP response to HTTPS")
_PAUSE_SECONDS = 1.0
_REACH = "Check that the Docker Engine reaches the registry, and look at the registry's log, then run again."
_TRUST = "Serve the registry with TLS; the Docker host wants its CA in /etc/docker/certs.d/HOST/ca.crt."


class _PushFailed(Exception):
    """What the Engine said in the stream: a push that fails answers 200."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """Where to: `repository:version`, with `credentials` as the Engine wants them, within `seconds`.

    `remedy` is for whoever is not let in, `say` gets the Engine's lines.
    """

    repository: str
    version: str
    credentials: Mapping[str, str]
    remedy: str
    seconds: float
    say: Callable[[str], None]

    def __str__(self) -> str:
        return f"{self.repository}:{self.version}"


def describe_image(engine: Engine, image_id: str) -> LocalImage:
    """Its layers and platform. Raises EngineError, also where the image is gone."""
    with engine_call(f"inspecting the image {image_id}"):
        found = engine.client.api.inspect_image(image_id)  # type: ignore[no-untyped-call]
    return LocalImage(
        id=found["Id"],
        layers=tuple((found.get("RootFS") or {}).get("Layers") or ()),
        platform=Platform(
            os=found.get("Os") or "", architecture=found.get("Architecture") or "", variant=found.get("Variant") or ""
        ),
    )


def push_image(lease: Lease, image_id: str, push: Push) -> str:
    """The digest under which the Engine says that it pushed the image. Raises RegistryError, EngineError.

    The tag that the push needs is taken away again if it was not there: it would keep the image for ever.
    """
    was_there = find_tagged(lease.engine, str(push)) is not None
    tag_image(lease, image_id, str(push))
    try:
        digest = _push_twice(lease, push)
    except BaseException:
        with suppress(FreshnessError):  # the first error is the one to tell
            _untag(lease, push, kept=was_there)
        raise
    _untag(lease, push, kept=was_there)
    return digest


def _untag(lease: Lease, push: Push, *, kept: bool) -> None:
    if not kept:
        untag_image(lease, str(push))


def _push_twice(lease: Lease, push: Push) -> str:
    """Once more where the registry failed: distribution answers 500 now and then while others push beside us."""
    deadline = time.monotonic() + push.seconds
    for is_last in (False, True):
        lease.require()
        try:
            return _push_once(lease.engine, push, deadline)
        except _PushFailed as error:
            said = str(error)
            if is_last or not _SERVER_ERROR.search(said):
                remedy = push.remedy if _NOT_LET_IN.search(said) else _TRUST if _NOT_TRUSTED.search(said) else _REACH
                shown = printable(said).rstrip(".")
                raise RegistryError(f"pushing {push}: the Engine said: {shown}.", remedy) from error
        time.sleep(_PAUSE_SECONDS)
    raise AssertionError("the last time returns or raises")


def _push_once(engine: Engine, push: Push, deadline: float) -> str:
    digest = ""
    with engine_call(f"pushing {push}"):
        for event in _events(engine, push):
            if time.monotonic() > deadline:
                raise RegistryError(
                    f"pushing {push}: not done within {push.seconds:g} s.",
                    "Raise `push-timeout`, or look at the connection between the Docker Engine and the registry.",
                )
            if said := event.get("error") or (event.get("errorDetail") or {}).get("message"):
                raise _PushFailed(str(said))
            status = str(event.get("status") or "")
            if status and "id" not in event:  # else a line for each step of each layer
                push.say(status)
            digest = _digest_in(event, status) or digest
    if not is_image_id(digest):
        raise EngineError(
            f"pushing {push}: the Engine ended it and named no digest.", "Look at its log, then run again."
        )
    return digest


def _events(engine: Engine, push: Push) -> Iterator[Mapping[str, Any]]:
    stream = engine.client.api.push(
        push.repository, push.version, stream=True, decode=True, auth_config=dict(push.credentials)
    )
    for event in stream:
        yield event if isinstance(event, dict) else {}


def _digest_in(event: Mapping[str, Any], status: str) -> str:
    """As the classic image store says it, and as the containerd one does."""
    aux, found = event.get("aux") or {}, _DIGEST.search(status)
    return str(aux.get("Digest") or (found[1] if found else ""))
