"""What Compose lays over the image of a service, and which paths the service's process cannot do without."""

import posixpath
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct

SCRATCH = ("/tmp", "/var/tmp", "/run", "/dev/shm")  # noqa: S108 -- read, nothing is written there
"""Where a tmpfs takes nothing away that anybody may rely on: FHS 3.0 lets these be emptied at every start."""


class Kind(StrEnum):
    """What a mount is, in the words that people read."""

    BIND = "bind mount"
    VOLUME = "named volume"
    ANONYMOUS = "anonymous volume"
    TMPFS = "tmpfs"
    CONFIG = "config"
    SECRET = "secret"  # noqa: S105 -- a word
    OTHER = "mount"


class Mount(Struct, frozen=True, kw_only=True):
    """One mount of a service. `target` is an absolute path in the container, without `.` and `..`.

    `source` is what the Compose file names: a path, or the name of a volume, config or secret. `path` is the path on
    the Docker host that it brings, `volume` the name of Docker's volume; each is empty where there is none.
    `is_filled`: Docker copies the image's files into it while it is empty.
    """

    kind: Kind
    target: str
    source: str = ""
    path: str = ""
    volume: str = ""
    is_filled: bool = False

    def __str__(self) -> str:
        return f"the {self.kind}{f' {self.source}' if self.source else ''} at {self.target}"

    @property
    def is_renewed(self) -> bool:
        """Whether each container of another image has a new one, with this image's files in it."""
        return self.kind is Kind.ANONYMOUS and self.is_filled

    @property
    def is_scratch(self) -> bool:
        """Whether it is an empty folder where none relies on files."""
        return self.kind is Kind.TMPFS and any(covers(folder, self.target) for folder in SCRATCH)


class Process(Struct, frozen=True, kw_only=True):
    """What a container runs: the `words` of entrypoint and command, the `folder` it starts in, the `search` path."""

    words: tuple[str, ...] = ()
    folder: str = "/"
    search: tuple[str, ...] = ()


def mounts_of(config: Mapping[str, Any], service: str) -> tuple[Mount, ...]:
    """Every mount of the service, of a project as `docker compose config --format json` prints it."""
    ours = config["services"][service]
    return (
        *(_of_volume(config, volume) for volume in ours.get("volumes") or ()),
        *(_tmpfs(entry) for entry in _listed(ours.get("tmpfs"))),
        *(_of_file(config, Kind.CONFIG, used, "/") for used in ours.get("configs") or ()),
        *(_of_file(config, Kind.SECRET, used, "/run/secrets") for used in ours.get("secrets") or ()),
    )


def process_in(config: Mapping[str, Any]) -> Process:
    """What an image starts, by its configuration."""
    entrypoint, command, env = (_words(config.get(name)) for name in ("Entrypoint", "Cmd", "Env"))
    return Process(
        words=(*entrypoint, *command),
        folder=str(config.get("WorkingDir") or "/"),
        search=search_path(dict(entry.partition("=")[::2] for entry in env).get("PATH", "")),
    )


def _words(found: object) -> tuple[str, ...]:
    return tuple(map(str, found)) if isinstance(found, list) else ()


def process_of(image: Process, service: Mapping[str, Any]) -> Process:
    """The process of a service: what the image says, and what the Compose file says in its place or in addition."""
    said = (*_listed(service.get("entrypoint")), *_listed(service.get("command")))
    path = (service.get("environment") or {}).get("PATH")
    return Process(
        words=(*said, *image.words),
        folder=normal(service.get("working_dir") or image.folder),
        search=image.search if path is None else search_path(path),
    )


def search_path(path: str) -> tuple[str, ...]:
    """The folders of a PATH."""
    return tuple(filter(None, path.split(":")))


def named_paths(process: Process) -> tuple[str, ...]:
    """The paths that entrypoint and command name; a word without a slash may be a file of the working directory."""
    tokens = [token for word in process.words for token in _tokens(word)]
    paths = (value for token in tokens for value in _values(token))
    return tuple(dict.fromkeys(normal(posixpath.join(process.folder, path)) for path in paths))


def programs(process: Process, is_there: Callable[[str], bool]) -> tuple[str, ...]:
    """Where a word without a slash is looked for as a program, up to where the image has it."""
    words = (token for word in process.words for token in _tokens(word) if "/" not in token and token[:1] != "-")
    return tuple(dict.fromkeys(path for word in words for path in _looked_for(process, word, is_there)))


def _looked_for(process: Process, word: str, is_there: Callable[[str], bool]) -> Iterator[str]:
    for folder in process.search:
        path = normal(posixpath.join(process.folder, folder, word))
        yield path
        if is_there(path):
            return


def covers(target: str, path: str) -> bool:
    """Whether a mount at `target` lies over `path`, or over a folder that holds it."""
    return target in {"/", path} or path.startswith(f"{target}/")


def normal(path: str) -> str:
    """An absolute path without `.`, `..` and double slashes."""
    return posixpath.normpath(f"/{path.lstrip('/')}")


def _of_volume(config: Mapping[str, Any], volume: Mapping[str, Any]) -> Mount:
    kind, source, target = volume.get("type"), volume.get("source") or "", normal(volume["target"])
    if kind == "bind":
        return Mount(kind=Kind.BIND, target=target, source=source, path=source)
    if kind == "tmpfs":
        return Mount(kind=Kind.TMPFS, target=target)
    options = volume.get("volume") or {}
    is_filled = not options.get("nocopy")
    if kind != "volume":
        return Mount(kind=Kind.OTHER, target=target, source=source)
    if not source:
        return Mount(kind=Kind.ANONYMOUS, target=target, is_filled=is_filled)
    declared = (config.get("volumes") or {}).get(source) or {}
    device = (declared.get("driver_opts") or {}).get("device") or ""
    return Mount(
        kind=Kind.VOLUME,
        target=target,
        source=source,
        path=device if device.startswith("/") else "",
        volume="" if options.get("subpath") else declared.get("name") or f"{config['name']}_{source}",
        is_filled=is_filled and not options.get("subpath"),
    )


def _tmpfs(entry: str) -> Mount:
    return Mount(kind=Kind.TMPFS, target=normal(entry.partition(":")[0]))


def _of_file(config: Mapping[str, Any], kind: Kind, used: Mapping[str, Any] | str, folder: str) -> Mount:
    entry = {"source": used} if isinstance(used, str) else used
    source = entry.get("source") or ""
    declared = (config.get(f"{kind.value}s") or {}).get(source) or {}
    target = posixpath.join(folder, entry.get("target") or source)
    return Mount(kind=kind, target=normal(target), source=source, path=declared.get("file") or "")


def in_words(count: int) -> str:
    """How many mounts a check has seen."""
    return f"{count} {'mount' if count == 1 else 'mounts'}, each in the notes" if count else "no mounts"


def _listed(value: Any) -> Iterable[str]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _tokens(word: str) -> list[str]:
    """The word, or the words in it: what `sh -c` gets is one word for Docker."""
    try:
        return shlex.split(word, comments=False)
    except ValueError:  # a quote that nobody closes
        return word.split()


def _values(token: str) -> Iterator[str]:
    """What of the word may be a path: all of it, or the value of an option."""
    _, assigned, value = token.partition("=")
    if assigned and "/" in value:
        yield value
    if token and not token.startswith("-"):
        yield token
