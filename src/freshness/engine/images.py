"""Images on the Engine: found by tag or ID, tagged by ID only."""

from collections.abc import Sequence
from http import HTTPStatus

import docker

from freshness.core.image import Image, familiar_name, repository_of, same_tag, version_of
from freshness.core.retained import RetainedTags
from freshness.engine.client import Engine, engine_call
from freshness.engine.lock import Lease
from freshness.errors import EngineError


def find_image(engine: Engine, name: str) -> Image | None:
    """The image that a tag or an ID names, or None. One call to the Engine."""
    with engine_call(f"inspecting the image {name}"):
        try:
            found = engine.client.api.inspect_image(name)  # type: ignore[no-untyped-call]
        except (docker.errors.ImageNotFound, docker.errors.NullResource):
            return None
        except docker.errors.APIError as error:
            if error.status_code == HTTPStatus.BAD_REQUEST:  # no name that an image could have
                return None
            raise
    config = found.get("Config") or {}  # both may be missing under the containerd image store
    return Image(
        id=found["Id"],
        tags=tuple(tag for tag in found.get("RepoTags") or () if "@" not in tag),  # Engine 28 has digests among them
        labels=config.get("Labels") or {},
        healthcheck=config.get("Healthcheck"),
    )


def find_tagged(engine: Engine, tag: str) -> Image | None:
    """The image that bears this very tag, or None: `cafe` also finds one whose ID begins like that."""
    image = find_image(engine, tag)
    return image if image and any(same_tag(tag, one) for one in image.tags) else None


def tag_image(lease: Lease, image_id: str, tag: str) -> None:
    """Moves the tag to the image ID, and looks that it is there: a tag that moves meanwhile changes nothing for us."""
    lease.require()
    with engine_call(f"tagging {image_id} as {tag}"):
        try:
            lease.engine.client.api.tag(image_id, repository_of(tag), version_of(tag))
        except docker.errors.NotFound as error:
            raise EngineError(
                f"The image {image_id} was removed before it could be tagged as {tag}: by a prune, or by another gate's"
                " `keep-builds`.",
                "Run it again: a gate builds the image from its cache.",
            ) from error
    found = find_tagged(lease.engine, tag)
    if found is None or found.id != image_id:
        raise EngineError(
            f"The tag {tag} was set to {image_id}, but names {found.id if found else 'nothing'}.",
            "Something else moves this tag: find it, then run again.",
        )


def untag_image(lease: Lease, tag: str) -> None:
    """Removes the tag, and with the last one the image, unless a container was made from it: then the tag stays."""
    lease.require()
    with engine_call(f"removing the tag {tag}"):
        try:
            # With its version, since `cafe` is ambiguous to the containerd image store beside an ID that begins so.
            lease.engine.client.api.remove_image(f"{repository_of(tag)}:{version_of(tag)}", noprune=True)
        except docker.errors.ImageNotFound:
            return
        except docker.errors.APIError as error:
            if error.status_code != HTTPStatus.CONFLICT:
                raise


def restore_tag(lease: Lease, tag: str, image_id: str, label: str) -> None:
    """The tag as it was: on this image, or gone where the ID is empty.

    What it names then stays, under the commit that its `label` claims. Where it claims none, and a container was made
    from it, the tag stays: the Engine takes no last name away from what is in use.
    """
    if image_id:
        tag_image(lease, image_id, tag)
        return
    image = find_tagged(lease.engine, tag)
    if image is None:
        return
    if len(image.tags) == 1:
        _name_by_commit(lease, image, repository_of(tag), label)
    untag_image(lease, tag)


def _name_by_commit(lease: Lease, image: Image, repository: str, label: str) -> None:
    """Gives the image the name that the gate gives to what it builds, where no other image has that."""
    commit = image.revision(label)
    if commit and find_tagged(lease.engine, f"{repository}:{commit}") is None:
        tag_image(lease, image.id, f"{repository}:{commit}")


def retained_images(engine: Engine, tags: RetainedTags) -> dict[int, str]:
    """The image ID under each kept tag that exists, by its number, the newest first."""
    with engine_call(f"listing the images of {tags.repository}"):
        listed = engine.client.api.images(name=familiar_name(tags.repository))
    versions = {tag.rpartition(":")[2] for image in listed for tag in image.get("RepoTags") or ()}
    found = {number: find_tagged(engine, tags.name(number)) for number in tags.numbers(versions)}
    return {number: image.id for number, image in found.items() if image}


def retain_images(lease: Lease, tags: RetainedTags, wanted: Sequence[str]) -> None:
    """Sets the tags of the retained images to these image IDs, the newest first, and removes the rest.

    From the oldest to the newest, so that no image is without a name while its tag moves on.
    """
    present = retained_images(lease.engine, tags)
    for number, image_id in reversed(list(enumerate(wanted, start=1))):
        if present.get(number) != image_id:
            tag_image(lease, image_id, tags.name(number))
    for number in present:
        if number > len(wanted):
            untag_image(lease, tags.name(number))
