"""Images on the Engine: found by tag or ID, tagged by ID only."""

from http import HTTPStatus

import docker

from freshness.core.image import Image, repository_of
from freshness.engine.client import Engine, asking
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


def tag_image(engine: Engine, image_id: str, tag: str) -> None:
    """Moves the tag to the image ID, and looks that it is there: a tag that moves meanwhile changes nothing for us."""
    repository = repository_of(tag)
    with asking(f"tagging {image_id} as {tag}"):
        engine.client.api.tag(image_id, repository, tag[len(repository) + 1 :] or "latest")
    found = find_image(engine, tag)
    if found is None or found.id != image_id:
        raise EngineError(
            f"The tag {tag} was set to {image_id}, but names {found.id if found else 'nothing'}.",
            "Something else moves this tag: find it, then run again.",
        )


def untag_image(engine: Engine, tag: str) -> None:
    """Takes the tag away; the image itself stays as long as anything else names or runs it."""
    with asking(f"removing the tag {tag}"):
        try:
            engine.client.api.remove_image(tag, noprune=True)
        except docker.errors.ImageNotFound:
            return


def restore_tag(engine: Engine, tag: str, image: Image | None) -> None:
    """The tag as it was: on this image, or gone."""
    if image is None:
        untag_image(engine, tag)
        return
    tag_image(engine, image.id, tag)
