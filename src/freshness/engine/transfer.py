"""Images between the Engine and a registry: its stream alone says how a push or a pull ended, with the status 200."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from freshness.core.answer import printable
from freshness.core.held import LocalImage
from freshness.core.manifest import Platform
from freshness.engine.client import Engine, engine_call
from freshness.errors import RegistryError

_SERVER_ERROR = re.compile(r"\b50[0-4] [A-Z]|status(?: code)?:? 50[0-4]")
_NOT_LET_IN = re.compile(r"unauthorized|denied|forbidden|basic auth|authenticat", re.IGNORECASE)
_NOT_THERE = re.compile(r"manifest unknown|blob unknown|unknown blob|sha256:[0-9a-f]{64}: not found")
_NOT_TRUSTED = re.compile(r"x509|certificate|HTTP response to HTTPS")
_REACH = "Check that the Docker Engine reaches the registry, and look at the registry's log, then run again."
_AGAIN = "It was deleted, or never pushed: run the gate again, which pushes it."
_TRUST = "Serve the registry with TLS; the Docker host wants its CA in /etc/docker/certs.d/HOST/ca.crt."


class TransferFailed(Exception):
    """What the Engine said in the stream."""

    @property
    def may_pass(self) -> bool:
        """Whether the registry failed: distribution answers 500 now and then while others push beside us."""
        return _SERVER_ERROR.search(str(self)) is not None


class Transfer(Struct, frozen=True, kw_only=True):
    """With which `repository`, with `credentials` as the Engine wants them, and within how many `seconds`.

    `remedy` is for whoever is not let in, `say` gets the Engine's lines.
    """

    repository: str
    credentials: Mapping[str, str]
    remedy: str
    seconds: float
    say: Callable[[str], None]

    def follow(self, stream: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
        """The events of docker-py's stream. Raises TransferFailed."""
        for event in stream:
            if not isinstance(event, dict):
                continue
            if said := event.get("error") or (event.get("errorDetail") or {}).get("message"):
                raise TransferFailed(str(said))
            if event.get("status") and "id" not in event:  # else a line for each step of each layer
                self.say(str(event["status"]))
            yield event

    def too_long(self, doing: str) -> RegistryError:
        """It took longer than it may."""
        return RegistryError(
            f"{doing}: not done within {self.seconds:g} s.",
            "Raise `registry-timeout`, or look at the connection between the Docker Engine and the registry.",
        )

    def explain(self, doing: str, error: TransferFailed) -> RegistryError:
        """What the Engine said, and what leads out."""
        said = str(error)
        known = {_NOT_LET_IN: self.remedy, _NOT_TRUSTED: _TRUST, _NOT_THERE: _AGAIN}
        remedy = next((remedy for words, remedy in known.items() if words.search(said)), _REACH)
        return RegistryError(f"{doing}: the Engine said: {printable(said).rstrip('.')}.", remedy)


def describe_image(engine: Engine, name: str) -> LocalImage:
    """Its ID, layers and platform. Raises EngineError, also where the image is gone."""
    with engine_call(f"inspecting the image {name}"):
        found = engine.client.api.inspect_image(name)  # type: ignore[no-untyped-call]
    platform = Platform(
        os=found.get("Os") or "", architecture=found.get("Architecture") or "", variant=found.get("Variant") or ""
    )
    return LocalImage(id=found["Id"], layers=tuple((found.get("RootFS") or {}).get("Layers") or ()), platform=platform)
