"""Images on the Engine: found by tag or ID, tagged by ID only."""

from collections.abc import Sequence
from http import HTTPStatus

import docker

from freshness.core.image import Image, repository_of
from freshness.core.kept import KeptTags
from freshness.engine.client import Engine, asking
from freshness.engine.lock import Hold
from freshness.errors import EngineError


def find_image(engine: Engine, name: str) -> Image | None:
    """The image that a tag or an ID names, or None. One call to the Engine."""
    with asking(f"inspecting the image {name}"):
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
        labels=config.get("Labels") or {},
        healthcheck=config.get("Healthcheck"),
    )


def tag_image(hold: Hold, image_id: str, tag: str) -> None:
    """Moves the tag to the image ID, and looks that it is there: a tag that moves meanwhile changes nothing for us."""
    hold.insist()
    repository = repository_of(tag)
    with asking(f"tagging {image_id} as {tag}"):
        hold.engine.client.api.tag(image_id, repository, tag[len(repository) + 1 :] or "latest")
    found = find_image(hold.engine, tag)
    if found is None or found.id != image_id:
        raise EngineError(
            f"The tag {tag} was set to {image_id}, but names {found.id if found else 'nothing'}.",
            "Something else moves this tag: find it, then run again.",
        )


def untag_image(hold: Hold, tag: str) -> None:
    """Takes the tag away; the image itself stays as long as anything else names or runs it."""
    hold.insist()
    with asking(f"removing the tag {tag}"):
        try:
            hold.engine.client.api.remove_image(tag, noprune=True)
        except docker.errors.ImageNotFound:
            return


def restore_tag(hold: Hold, tag: str, image_id: str) -> None:
    """The tag as it was: on this image, or gone where the ID is empty."""
    if image_id:
        tag_image(hold, image_id, tag)
        return
    untag_image(hold, tag)


def kept_images(engine: Engine, tags: KeptTags) -> dict[int, str]:
    """The image ID under each kept tag that exists, by its number, the newest first."""
    with asking(f"listing the images of {tags.repository}"):
        listed = engine.client.api.images(name=tags.repository)
    versions = {tag.rpartition(":")[2] for image in listed for tag in image.get("RepoTags") or ()}
    found = {number: find_image(engine, tags.name(number)) for number in tags.numbers(versions)}
    return {number: image.id for number, image in found.items() if image}


def keep_images(hold: Hold, tags: KeptTags, wanted: Sequence[str]) -> None:
    """Lets the kept tags name these image IDs, the newest first, and takes away what is more.

    From the oldest to the newest, so that no image is without a name while its tag moves on.
    """
    present = kept_images(hold.engine, tags)
    for number, image_id in reversed(list(enumerate(wanted, start=1))):
        if present.get(number) != image_id:
            tag_image(hold, image_id, tags.name(number))
    for number in present:
        if number > len(wanted):
            untag_image(hold, tags.name(number))
