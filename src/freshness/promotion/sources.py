"""Brings what is promoted to each host: pulled from a registry by digest, or carried from where it was gated.

From then on each is an image of that host's Engine, by the ID that it has there.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from freshness.core.check import CheckName
from freshness.core.hexid import is_image_id
from freshness.core.image import Image
from freshness.core.registry_name import Reference
from freshness.engine.carry import carry_image, find_carried
from freshness.engine.client import Engine, connect
from freshness.engine.images import find_image, find_tagged
from freshness.errors import Refused
from freshness.promotion.candidate import Choice
from freshness.promotion.host import Host
from freshness.promotion.request import Request
from freshness.promotion.subject import Application
from freshness.promotion.work import Work
from freshness.report.run_log import RunLog
from freshness.settings.child_environment import child_environment
from freshness.target.publish import Way

Ids = Mapping[str, str]


class Source(Struct, frozen=True, kw_only=True):
    """The Engine where the images were gated, and the `ids` that they have there, by what names them."""

    engine: Engine
    ids: Ids


def fetch_sources(works: Sequence[Work], run: RunLog) -> tuple[Work, ...]:
    """The same with image IDs in place of what named them; what a host has is not sent there again.

    Raises Refused, RegistryError, EngineError.
    """
    source = _find_source([work.host for work in works], run)
    return tuple(replace(work, host=with_ids(work.host, _pull(work) | _carry(work, source))) for work in works)


def foresee_sources(hosts: Sequence[Host], run: RunLog) -> tuple[tuple[Host, ...], tuple[str, ...]]:
    """The same with the IDs of what is there, and what would be pulled or carried: of that no more can be foreseen."""
    source, there, missing = _find_source(hosts, run), list[Host](), list[str]()
    for host in hosts:
        to = f" to {host.name}" if host.name else ""
        pulled = {str(one): find_image(host.engine, str(one)) for one in _wanted(host.request)}
        missing += [f"pull {name} by its digest{to}, and prove that it is what its registry holds"
                    for name, image in pulled.items() if image is None]  # fmt: skip
        carried = _carried(host.engine, source)
        missing += [f"carry {image} from {source.engine.endpoint}{to}, and prove what came"
                    for image, here in carried.items() if source and not here]  # fmt: skip
        there.append(
            with_ids(host, {name: image.id for name, image in pulled.items() if image} | _here(source, carried))
        )
    return tuple(there), tuple(missing)


def _wanted(request: Request) -> tuple[Reference, ...]:
    return () if request.is_rollback else request.settings.references


def _pull(work: Work) -> dict[str, str]:
    return {str(one): _pull_one(one, work) for one in _wanted(work.host.request)}


def _pull_one(wanted: Reference, work: Work) -> str:
    request = work.host.request
    with work.run.step(CheckName.REGISTRY, f"{wanted} on this Engine, as its registry holds it") as step:
        seconds = request.settings.registry.transfer.timeout
        way = Way.to(wanted.repository, seconds=seconds, env=request.env, say=work.run.log.untrusted)
        step.got = way.fetch(work.leases.any, wanted.digest)
    return step.got


def _find_source(hosts: Sequence[Host], run: RunLog) -> Source | None:
    """Where the images are that are not pulled; None where each host has them. Raises Refused, EngineError.

    A tag is looked up there alone, and once: on each host it could name another image.
    """
    host, settings = hosts[0], hosts[0].request.settings
    if host.request.is_rollback or not (settings.source_host or settings.docker_hosts):
        return None
    pulled = {str(one) for one in settings.references}
    names = [name for name in _names(host) if name not in pulled]
    if all(is_image_id(name) and find_image(one.engine, name) for name in names for one in hosts):
        return None
    engine = connect(child_environment(host.request.run_env, settings.source_host), settings.engine.timeout)
    images = {name: _find_on(engine, host, name) for name in names}
    _require_staged(engine, host, images, run)
    return Source(engine=engine, ids={name: image.id for name, image in images.items()})


def _names(host: Host) -> list[str]:
    """All that names an image to promote: what a person told, else staging's tags."""
    settings, subject = host.request.settings, host.subject
    own = [one.source for one in subject.services] if isinstance(subject, Application) else [subject.source]
    return list(dict.fromkeys(filter(None, (settings.source_image, *settings.source_images.values(), *own))))


def _require_staged(engine: Engine, host: Host, images: Mapping[str, Image], run: RunLog) -> None:
    """Raises Refused where staging's tag names another image than staging runs; `images` are by what named them."""
    subject, service = host.subject, host.request.settings.service
    of = [(one, one.service) for one in subject.services] if isinstance(subject, Application) else [(subject, service)]
    for one, name in of:
        choice = Choice(engine=engine, request=host.request, run=run, tags=one.retained_tags, service=name)
        if image := images.get(one.source):
            choice.require_staged(one.staging_project, image)


def _find_on(source: Engine, host: Host, name: str) -> Image:
    """The image there. Raises Refused."""
    settings = host.request.settings
    is_told = name in {settings.source_image, *settings.source_images.values()}
    image = (find_image if is_told else find_tagged)(source, name)
    if image is None:
        raise Refused(
            f"{source.endpoint}, from where it would be carried to production, does not have the image {name}.",
            "Name in `source-host` the Docker host where the gate ran, or run the gate again.",
        )
    return image


def _carried(engine: Engine, source: Source | None) -> dict[str, str]:
    """By the images' IDs there the ones here, where another image store may call them otherwise; empty for none."""
    if source is None:
        return {}
    return {image: find_carried(source.engine, engine, image) for image in dict.fromkeys(source.ids.values())}


def _here(source: Source | None, carried: Ids) -> dict[str, str]:
    """By what names them."""
    return {name: carried[image] or image for name, image in source.ids.items()} if source else {}


def _carry(work: Work, source: Source | None) -> dict[str, str]:
    if source is None:
        return {}
    carried = _carried(work.engine, source)
    return _here(source, {image: here or _carry_one(work, source.engine, image) for image, here in carried.items()})


def _carry_one(work: Work, source: Engine, image: str) -> str:
    with work.run.step(CheckName.TRANSFER, f"{image} on production's Docker host") as step:
        work.run.log.say(f"Carrying {image} from {source.endpoint}.")
        came = carry_image(source, work.leases.any, image)
        step.got = f"it came from {source.endpoint}{'' if came == image else f', where it is {image}, as {came}'}"
    return came


def with_ids(host: Host, ids: Ids) -> Host:
    """The same with the IDs that the images have on this Engine, by what named them: it is told them from now on."""
    settings, subject = host.request.settings, host.subject
    if not ids:
        return host
    images = {name: ids.get(image, image) for name, image in settings.source_images.items()}
    if isinstance(subject, Application):
        services = tuple(replace(one, source=ids.get(one.source, one.source)) for one in subject.services)
        subject = replace(subject, services=services)
        images = {one.service: one.source for one in services} | images
    else:
        subject = replace(subject, source=ids.get(subject.source, subject.source))
        images = images or {subject.tag: subject.source}
    told = ids.get(settings.source_image, settings.source_image) if settings.source_image else None
    settings = replace(settings, source_image=told, source_images=images)
    return replace(host, request=replace(host.request, settings=settings), subject=subject)
