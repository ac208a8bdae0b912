"""What volumes hold, against what their image put there."""

from contextlib import suppress
from http import HTTPStatus

import docker
from docker.types import Mount as EngineMount

from freshness.core.mounts import Kind, Mount, Process, process_in
from freshness.engine.client import Engine, engine_call
from freshness.engine.containers import Container
from freshness.engine.image_files import Files, files_of
from freshness.engine.images import find_image
from freshness.errors import EngineError

_LOOK = "/freshness-look"


def image_process(engine: Engine, image_id: str) -> tuple[Process, frozenset[str]]:
    """What the image starts, and the paths that it declares as volumes."""
    with engine_call(f"inspecting the image {image_id}"):
        config = engine.client.api.inspect_image(image_id).get("Config") or {}  # type: ignore[no-untyped-call]
    return process_in(config), frozenset(config.get("Volumes") or ())


def files_in_mount(engine: Engine, image_id: str, mount: Mount) -> dict[str, object] | None:
    """The files that a container sees through the mount; None where Docker will fill it from this very image."""
    if mount.kind is Kind.VOLUME and not mount.path:
        return _in_volume(engine, image_id, mount)
    if mount.kind is not Kind.BIND:
        return {}
    bound = EngineMount(mount.target, mount.path, type="bind", read_only=True)
    try:
        return _through(engine, image_id, bound, mount.target)
    except EngineError as error:
        if _is_missing(error):  # Docker makes an empty folder
            return {}
        raise


def device_of(engine: Engine, mount: Mount) -> str:
    """The path on the Docker host that the mount's volume is made of, whatever the Compose file says; else empty."""
    if mount.kind is not Kind.VOLUME or not mount.volume:
        return ""
    with engine_call(f"inspecting the volume {mount.volume}"), suppress(docker.errors.NotFound):
        device: str = (engine.client.api.inspect_volume(mount.volume).get("Options") or {}).get("device") or ""
        return device if device.startswith("/") else ""
    return ""


def exists(engine: Engine, image_id: str, path: str) -> bool:
    """Whether anything lies at the path on the Docker host; `image_id` is any image, for the look.

    A mount of this type makes no folder: the Engine refuses it with 400. Raises EngineError for any other trouble.
    """
    bound = EngineMount(_LOOK, path, type="bind", read_only=True)
    try:
        with files_of(engine, image_id, (bound,)):
            return True
    except EngineError as error:
        if _is_missing(error):
            return False
        raise


def has_files(engine: Engine, image_id: str, path: str) -> bool:
    """Whether any file lies at the path on the Docker host, or below it; `image_id` is any image, for the look."""
    bound = EngineMount(_LOOK, path, type="bind", read_only=True)
    try:
        with files_of(engine, image_id, (bound,)) as files:
            return _has_any(files)
    except EngineError as error:
        if _is_missing(error):
            return False
        raise


def _is_missing(error: EngineError) -> bool:
    """Whether the Engine refused the mount, as it does where its source is not there."""
    cause = error.__cause__
    return isinstance(cause, docker.errors.APIError) and cause.status_code == HTTPStatus.BAD_REQUEST


def _has_any(files: Files) -> bool:
    try:
        return files.first(_LOOK) is not None
    except EngineError:  # what cannot be read is there
        return True


def _in_volume(engine: Engine, image_id: str, mount: Mount) -> dict[str, object] | None:
    if not mount.volume:
        return {}
    with engine_call(f"inspecting the volume {mount.volume}"):
        try:
            engine.client.api.inspect_volume(mount.volume)
        except docker.errors.NotFound:
            return None if mount.is_filled else {}
    bound = EngineMount(mount.target, mount.volume, type="volume", read_only=True, no_copy=True)
    held = _through(engine, image_id, bound, mount.target)
    return held or (None if mount.is_filled else held)


def _through(engine: Engine, image_id: str, bound: EngineMount, target: str) -> dict[str, object]:
    with files_of(engine, image_id, (bound,)) as files:
        return dict(files.under(target))


def written_volumes(engine: Engine, container: Container) -> tuple[str, ...]:
    """The paths of the container's anonymous volumes that hold anything but what its image put there."""
    if not container.anonymous_volumes:
        return ()
    if find_image(engine, container.image_id) is None:
        return container.anonymous_volumes
    with files_of(engine, container.image_id) as image:
        return tuple(path for path in container.anonymous_volumes if not _is_as_built(engine, container, image, path))


def _is_as_built(engine: Engine, container: Container, image: Files, path: str) -> bool:
    built = dict(image.under(path))
    try:
        for where, identity in Files(engine=engine, container=container.id).under(path):
            if built.pop(where, None) != identity:
                return False
    except EngineError:  # what changes while it is read is not as it was built
        return False
    return not built


def how_to_keep(container: Container, path: str, project: str) -> str:
    """What to type so that the files of an anonymous volume stay, as sentences."""
    volume = f"{project}_{path.rpartition('/')[2]}"
    return (
        f"Give the service a named volume at {path} in the Compose file, copy the data into it, and run again. For a"
        f" volume that Docker calls {volume}: `docker create --name freshness-copy --volume {volume}:{path}"
        f" {container.image_id} && docker cp --archive {container.name}:{path} - | docker cp --archive -"
        f" freshness-copy:{path.rpartition('/')[0] or '/'} && docker rm freshness-copy`."
    )
