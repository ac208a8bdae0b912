"""Publishes a proven image in a registry, and proves that what the registry holds is that image."""

from collections.abc import Callable, Mapping

from freshness.core.held import HeldImage, why_another
from freshness.core.registry_name import Repository
from freshness.engine.lock import Lease
from freshness.engine.push import Push, describe_image, push_image
from freshness.errors import Refused
from freshness.registry.client import Registry
from freshness.registry.credentials import find_credentials
from freshness.registry.held import read_held
from freshness.registry.refusals import log_in


def publish_image(
    lease: Lease,
    image_id: str,
    repository: Repository,
    *,
    commit: str,
    label: str,
    seconds: float,
    env: Mapping[str, str],
    say: Callable[[str], None],
) -> HeldImage:
    """The image as the registry holds it under its digest, after a push as `repository:commit`.

    Raises Refused where the registry holds another one, RegistryError and EngineError where that cannot be told.
    """
    credentials = find_credentials(repository.host, env)
    push = Push(
        repository=str(repository),
        version=commit,
        credentials=credentials.for_engine(repository.host) if credentials else {},
        remedy=log_in(repository),
        seconds=seconds,
        say=say,
    )
    digest = push_image(lease, image_id, push)
    local = describe_image(lease.engine, image_id)
    held = read_held(Registry(repository, credentials), digest, local.platform)
    if why := why_another(held, local, label, commit):
        raise Refused(
            f"{repository}@{digest} is not the image that was gated: {why}; expected {image_id} of {commit}.",
            "Something else pushes to this repository, or changes what is pushed: find it, then run again.",
        )
    return held
