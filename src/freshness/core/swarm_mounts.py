"""What a Swarm service mounts over its image, by its spec and the image's configuration: no file of either is seen."""

import posixpath
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from freshness.core.mounts import Kind, Mount, Process, covers, named_paths, normal, process_of
from freshness.errors import Refused

_SECRETS = "/run/secrets"


def refuse_covered(
    name: str, container: Mapping[str, Any], image: Process | None, allowed: Collection[str]
) -> tuple[str, ...]:
    """A note for each mount over the image of the service `name`. `allowed` are the paths of `allow-mounts`.

    Raises Refused where one lies over what a container of this spec starts, as far as the words for it tell.
    """
    notes = []
    for mount in mounts_in(container):
        path = _covered(mount, container, image or Process())
        if path and mount.target not in allowed:
            raise Refused(
                f"{name} has {mount}, which covers {path} that its containers start; expected the image's own files.",
                "Copy it into the image and mount nothing there, or list the path in `allow-mounts`.",
            )
        said = f"it covers {path}, as `allow-mounts` allows" if path else "nobody saw whether it hides a file"
        notes.append(f"Over the image of {name} is {mount}: {said}.")
    return tuple(notes)


def mounts_in(container: Mapping[str, Any]) -> Iterator[Mount]:
    """Those that may hide a file of the image: no new volume, no scratch, no secret where secrets belong."""
    found = [
        *map(_of_mount, container.get("Mounts") or ()),
        *_of_files(Kind.CONFIG, container.get("Configs") or (), "/"),
        *_of_files(Kind.SECRET, container.get("Secrets") or (), _SECRETS),
    ]
    for mount in found:
        is_secret = mount.kind is Kind.SECRET and covers(_SECRETS, mount.target)
        if not (mount.is_renewed or mount.is_scratch or is_secret):
            yield mount


def _of_mount(mount: Mapping[str, Any]) -> Mount:
    source, kinds = mount.get("Source") or "", {"bind": Kind.BIND, "tmpfs": Kind.TMPFS}
    volume = Kind.VOLUME if source else Kind.ANONYMOUS
    return Mount(
        kind=volume if mount.get("Type") == "volume" else kinds.get(str(mount.get("Type")), Kind.OTHER),
        target=normal(mount.get("Target") or "/"),
        source=source,
        is_filled=not (mount.get("VolumeOptions") or {}).get("NoCopy"),
    )


def _of_files(kind: Kind, used: Collection[Mapping[str, Any]], folder: str) -> Iterator[Mount]:
    for one in used:
        if path := (one.get("File") or {}).get("Name"):
            source = one.get(f"{kind.value.title()}Name") or ""
            yield Mount(kind=kind, target=normal(posixpath.join(folder, path)), source=source)


def _covered(mount: Mount, container: Mapping[str, Any], image: Process) -> str | None:
    """The working directory, the program, or what the words name below the mount.

    A mount that they name itself may be a folder for data, or a file of settings.
    """
    entrypoint, folder = container.get("Command") or (), container.get("Dir")
    process = process_of(image, {"entrypoint": entrypoint, "command": container.get("Args"), "working_dir": folder})
    program = Process(words=tuple(entrypoint or image.words)[:1], folder=process.folder)
    below = (path for path in named_paths(process) if path != mount.target)
    started = (process.folder, *named_paths(program), *below)
    return next((path for path in started if covers(mount.target, path)), None)
