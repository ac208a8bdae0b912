"""Finds the base of an image: what its Dockerfile's last stage begins from, as an image of this Engine."""

import docker
from msgspec.structs import replace

from freshness.core.image import repository_of
from freshness.core.stages import only_stages
from freshness.engine.build import Build, command_of, read_image_id
from freshness.engine.client import Engine, engine_call
from freshness.engine.plugin import STARTED_BY_DOCKER
from freshness.process.children import stream
from freshness.process.private_folder import private_folder

BASE_TAG = "freshness-base"
"""Under this tag the gate leaves the base where a mount made it look: promote has no Dockerfile to ask."""

BASE_LABEL = "freshness.base"


def build_base(engine: Engine, build: Build, image_id: str) -> str | None:
    """The ID of the base, built from the stages of the Dockerfile alone; None where it cannot be told.

    The build has no context: what an `ONBUILD` of the base would copy counts as the Dockerfile's own.
    """
    with private_folder(engine.env) as folder:
        empty, metadata = folder / folder.name, folder / "metadata.json"
        empty.mkdir()
        stages = folder / "Dockerfile"
        stages.write_text(only_stages(build.dockerfile.read_text(encoding="utf-8", errors="surrogateescape")),
                          encoding="utf-8", errors="surrogateescape")  # fmt: skip
        name = f"{repository_of(build.tag)}:{BASE_TAG}"
        # Never with the commit's label: this image is not built from it.
        only = replace(build, dockerfile=stages, secrets=(), tag=name, label=BASE_LABEL, commit="")
        images = [(name, place) for name, place in build.contexts if isinstance(place, str)]
        command = command_of(engine, only, empty, metadata, images)
        env = {**engine.env, **STARTED_BY_DOCKER}
        if stream(command, env, lambda _line: None, timeout=build.timeout) != 0:
            return None
        base = read_image_id(metadata)
    return base if _begins(_layers(engine, base), _layers(engine, image_id)) else None


def find_base(engine: Engine, image_id: str, label: str, own: str) -> str | None:
    """The ID of the base of an image whose Dockerfile is not here; None where it cannot be told.

    It is what a gate left; else the smallest image with a name that this one begins with, and that is not built from
    a commit: neither of the `own` repository, nor with the `label`.
    """
    layers = _layers(engine, image_id)
    left: list[tuple[int, str]] = []
    others: list[tuple[int, str]] = []
    with engine_call("listing the images"):
        listed = engine.client.api.images()
    for entry in listed:
        tags = [tag for tag in entry.get("RepoTags") or () if tag != "<none>:<none>"]
        is_left = any(tag.endswith(f":{BASE_TAG}") for tag in tags)
        is_own = label in (entry.get("Labels") or {}) or own in map(repository_of, tags)
        if not tags or (is_own and not is_left):
            continue
        found = _layers(engine, entry["Id"])
        if _begins(found, layers) and len(found) < len(layers):
            (left if is_left else others).append((len(found), entry["Id"]))
    if left:
        return max(left)[1]
    return min(others)[1] if others else None


def _layers(engine: Engine, image_id: str) -> list[str]:
    with engine_call(f"inspecting the image {image_id}"):
        try:
            found = engine.client.api.inspect_image(image_id)  # type: ignore[no-untyped-call]
        except docker.errors.ImageNotFound:
            return []
    return list((found.get("RootFS") or {}).get("Layers") or ())


def _begins(base: list[str], layers: list[str]) -> bool:
    return layers[: len(base)] == base
