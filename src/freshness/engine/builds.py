"""Prunes the builds that gates leave, each under its commit's tag, beyond the number to keep."""

from collections.abc import Collection, Iterator, Mapping
from functools import partial

from freshness.core.builds import ListedImage, surplus_builds
from freshness.core.image import Image
from freshness.engine.client import Engine, engine_call
from freshness.engine.images import find_tagged, untag_image
from freshness.engine.lock import Lease

AT_ONCE = 50
"""Staging is locked meanwhile; what is more goes with the next gates."""


def prune_builds(
    repositories: Mapping[str, Lease], *, names: Collection[str], label: str, current: Collection[str], keep: int
) -> Iterator[str]:
    """Removes what `surplus_builds` says, and reports what stays although it should not. One list of all images.

    Each repository comes with a lease of ours.
    """
    (engine,) = {id(lease.engine): lease.engine for lease in repositories.values()}.values()
    listed, used = _list_images(engine), None
    for repository, lease in repositories.items():
        find = partial(surplus_builds, listed, repository, names=names, label=label, current=current, keep=keep)
        if not find(used=()):
            continue
        used = _used_images(engine) if used is None else used
        for one in find(used=used)[:AT_ONCE]:
            yield from _let_go(lease, one.image)


def _let_go(lease: Lease, image: Image) -> Iterator[str]:
    (tag,) = image.tags
    now = find_tagged(lease.engine, tag)
    if now and (now.id, now.tags) == (image.id, image.tags):  # else somebody has moved or named it since
        untag_image(lease, tag)
        if find_tagged(lease.engine, tag):
            yield f"The build {tag} stays although `keep-builds` is exceeded: the Engine says that it is in use."


def _list_images(engine: Engine) -> tuple[ListedImage, ...]:
    """All of them: asked for one repository's, the Engine would keep an image's other names to itself."""
    with engine_call("listing the images"):
        listed = engine.client.api.images()
    return tuple(
        ListedImage(
            image=Image(id=entry["Id"], tags=tuple(entry.get("RepoTags") or ()), labels=entry.get("Labels") or {}),
            created=entry.get("Created") or 0,
        )
        for entry in listed
    )


def _used_images(engine: Engine) -> frozenset[str]:
    with engine_call("listing the containers"):
        return frozenset(entry["ImageID"] for entry in engine.client.api.containers(all=True))
