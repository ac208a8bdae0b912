"""Pushes an image by its ID through the Engine, which alone has the layers."""

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from freshness.core.hexid import is_image_id
from freshness.engine.client import busy, engine_call
from freshness.engine.images import tag_image, untag_image
from freshness.engine.lock import Lease
from freshness.engine.transfer import Transfer, TransferFailed
from freshness.errors import EngineError, FreshnessError

_DIGEST = re.compile(r"digest: (sha256:[0-9a-f]{64}) size: \d+")
_PAUSE_SECONDS = 1.0


def push_image(lease: Lease, image_id: str, transfer: Transfer, version: str, *, keep_tag: bool) -> str:
    """The digest under which the Engine says that it pushed the image. Raises RegistryError, EngineError.

    The tag that the push needs is taken away again, if nobody else needs it: it would keep the image for ever.
    """
    name = f"{transfer.repository}:{version}"
    tag_image(lease, image_id, name)
    try:
        digest = _push_twice(lease, transfer, version)
    except BaseException:
        with suppress(FreshnessError):  # the first error is the one to tell
            _untag(lease, name, keep_tag=keep_tag)
        raise
    _untag(lease, name, keep_tag=keep_tag)
    return digest


def _untag(lease: Lease, name: str, *, keep_tag: bool) -> None:
    if not keep_tag:
        untag_image(lease, name)


def _push_twice(lease: Lease, transfer: Transfer, version: str) -> str:
    doing = f"pushing {transfer.repository}:{version}"
    for is_last in (False, True):
        lease.require()
        try:
            return busy((lease.engine,), transfer.seconds, doing, lambda: _push(lease, transfer, version, doing))
        except TimeoutError as error:
            raise transfer.too_long(doing) from error
        except TransferFailed as error:
            if is_last or not error.may_pass:
                raise transfer.explain(doing, error) from error
        time.sleep(_PAUSE_SECONDS)
    raise AssertionError("the last time returns or raises")


def _push(lease: Lease, transfer: Transfer, version: str, doing: str) -> str:
    digest, credentials = "", dict(transfer.credentials)
    with engine_call(doing):
        stream = lease.engine.client.api.push(
            transfer.repository, version, stream=True, decode=True, auth_config=credentials
        )
        for event in transfer.follow(stream):
            digest = _digest_in(event) or digest
    if not is_image_id(digest):
        raise EngineError(f"{doing}: the Engine ended it and named no digest.", "Look at its log, then run again.")
    return digest


def _digest_in(event: Mapping[str, Any]) -> str:
    """As the classic image store says it, and as the containerd one does."""
    aux, found = event.get("aux") or {}, _DIGEST.search(str(event.get("status") or ""))
    return str(aux.get("Digest") or (found[1] if found else ""))
