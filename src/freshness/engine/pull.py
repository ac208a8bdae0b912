"""Pulls an image by its digest through the Engine, and names it at once: a prune takes what has a digest alone."""

from http import HTTPStatus

import docker

from freshness.core.held import LocalImage
from freshness.engine.client import Engine, busy, engine_call
from freshness.engine.images import tag_image
from freshness.engine.lock import Lease
from freshness.engine.transfer import Transfer, TransferFailed, describe_image

PULLED_TAG = "freshness-pulled"
"""Names in each repository what was pulled last; what production runs has production's own tags too."""


def pull_image(lease: Lease, transfer: Transfer, digest: str) -> LocalImage:
    """The image that the Engine has under the digest now. Raises RegistryError, EngineError.

    The classic image store would keep it under the digest for ever, so that it loses this name again. The containerd
    one takes a digest for the ID, and would take every name away with it (Engine 26.1).
    """
    name = f"{transfer.repository}@{digest}"
    doing = f"pulling {name}"
    lease.require()
    try:
        busy((lease.engine,), transfer.seconds, doing, lambda: _pull(lease.engine, transfer, digest, doing))
    except TimeoutError as error:
        raise transfer.too_long(doing) from error
    except TransferFailed as error:
        raise transfer.explain(doing, error) from error
    found = describe_image(lease.engine, name)
    tag_image(lease, found.id, f"{transfer.repository}:{PULLED_TAG}")
    if found.id != digest:
        _forget(lease.engine, name)
    return found


def _pull(engine: Engine, transfer: Transfer, digest: str, doing: str) -> None:
    with engine_call(doing):
        try:
            stream = engine.client.api.pull(
                transfer.repository, digest, stream=True, decode=True, auth_config=dict(transfer.credentials)
            )
        except docker.errors.APIError as error:  # what fails before the first layer is not told in the stream
            raise TransferFailed(error.explanation) from error
        for _ in transfer.follow(stream):
            pass


def _forget(engine: Engine, name: str) -> None:
    with engine_call(f"removing the name {name}"):
        try:
            engine.client.api.remove_image(name, noprune=True)
        except docker.errors.ImageNotFound:
            return
        except docker.errors.APIError as error:
            if error.status_code != HTTPStatus.CONFLICT:
                raise
