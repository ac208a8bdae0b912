"""Brings the images to promote from the Docker host where they were gated, where production's is another one."""

from freshness.core.check import CheckName
from freshness.core.image import Image
from freshness.engine.carry import carry_image
from freshness.engine.client import Engine, connect
from freshness.engine.images import find_image
from freshness.errors import Refused, SettingsError
from freshness.promotion.acquire import Host
from freshness.promotion.fetch import with_ids
from freshness.promotion.leases import Leases
from freshness.report.run_log import RunLog


def carry(host: Host, leases: Leases, run: RunLog) -> Host:
    """The host with the images there: what it has already is not sent again. Raises Refused, EngineError."""
    missing = _find_missing(host)
    if not missing:
        return host
    source = _reach_source(host)
    return with_ids(host, {name: _carry(source, leases, name, run) for name in missing})


def foresee_carried(host: Host) -> tuple[str, ...]:
    """What would be carried over: of that no more can be foreseen. Raises Refused, EngineError."""
    missing = _find_missing(host)
    if not missing:
        return ()
    source = _reach_source(host)
    return tuple(f"carry {_find_on(source, name).id} from {source.endpoint}, and prove what came" for name in missing)


def _find_missing(host: Host) -> tuple[str, ...]:
    """The images that production's host does not have, where the settings say from where they come.

    Raises SettingsError where none is named.
    """
    settings = host.request.settings
    if settings.source_host is None or host.request.is_rollback:
        return ()
    named = dict.fromkeys(filter(None, (settings.source_image, *settings.source_images.values())))
    if not named:
        raise SettingsError(
            "`source-host` (SOURCE_HOST) is given, and no image is named; expected the one that was gated there.",
            "Give the gate's output `image-id` in `source-image`, or `images` in `source-images`.",
        )
    pulled = {str(one) for one in settings.references}
    return tuple(name for name in named if name not in pulled and find_image(host.engine, name) is None)


def _reach_source(host: Host) -> Engine:
    """The Engine that has them. Raises EngineError."""
    env = {name: value for name, value in host.request.env.items() if name != "DOCKER_CONTEXT"}
    there = {**env, "DOCKER_HOST": host.request.settings.source_host or ""}
    return connect(there, host.request.settings.engine.timeout)


def _carry(source: Engine, leases: Leases, name: str, run: RunLog) -> str:
    with run.step(CheckName.TRANSFER, f"{name} on production's Docker host") as step:
        image = _find_on(source, name)
        run.log.say(f"Carrying {image.id} from {source.endpoint}.")
        came = carry_image(source, leases.any, image.id)
        step.got = f"it came from {source.endpoint}{'' if came == image.id else f', where it is {image.id}, as {came}'}"
    return came


def _find_on(source: Engine, name: str) -> Image:
    """The image there. Raises Refused."""
    image = find_image(source, name)
    if image is None:
        raise Refused(
            f"neither production's Docker host nor {source.endpoint} has the image {name}.",
            "Name in `source-host` the Docker host where the gate ran, or run the gate again.",
        )
    return image
