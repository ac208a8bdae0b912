"""Fetches what is promoted from its registry by digest: from then on it is an image of this Engine, by its ID."""

from dataclasses import replace

from freshness.core.check import CheckName
from freshness.core.registry_name import Reference
from freshness.engine.images import find_image
from freshness.promotion.acquire import Host
from freshness.promotion.leases import Leases
from freshness.promotion.request import Request
from freshness.promotion.subject import Application
from freshness.report.run_log import RunLog
from freshness.target.publish import Way


def fetch_sources(host: Host, leases: Leases, run: RunLog) -> Host:
    """The same with image IDs in place of the references. Raises Refused, RegistryError, EngineError."""
    ids = {str(one): _fetch(one, host.request, leases, run) for one in _wanted(host.request)}
    return with_ids(host, ids) if ids else host


def foresee_sources(host: Host) -> tuple[Host, tuple[str, ...]]:
    """The same with the IDs of what was pulled before, and what would be pulled: of that no more can be foreseen."""
    found = {str(one): find_image(host.engine, str(one)) for one in _wanted(host.request)}
    missing = tuple(f"pull {name} by its digest, and prove that it is what its registry holds"
                    for name, image in found.items() if image is None)  # fmt: skip
    return with_ids(host, {name: image.id for name, image in found.items() if image}), missing


def _wanted(request: Request) -> tuple[Reference, ...]:
    return () if request.is_rollback else request.settings.references


def _fetch(wanted: Reference, request: Request, leases: Leases, run: RunLog) -> str:
    with run.step(CheckName.REGISTRY, f"{wanted} on this Engine, as its registry holds it") as step:
        seconds = request.settings.registry.transfer.timeout
        way = Way.to(wanted.repository, seconds=seconds, env=request.env, say=run.log.untrusted)
        step.got = way.fetch(leases.any, wanted.digest)
    return step.got


def with_ids(host: Host, ids: dict[str, str]) -> Host:
    """The same with the IDs that the images have on this Engine, by what named them."""
    settings, subject = host.request.settings, host.subject
    if isinstance(subject, Application):
        services = tuple(replace(one, source=ids.get(one.source, one.source)) for one in subject.services)
        subject = replace(subject, services=services)
    else:
        subject = replace(subject, source=ids.get(subject.source, subject.source))
    source = settings.source_image
    settings = replace(
        settings,
        source_image=ids.get(source, source) if source else source,
        source_images={name: ids.get(image, image) for name, image in settings.source_images.items()},
    )
    return replace(host, request=replace(host.request, settings=settings), subject=subject)
