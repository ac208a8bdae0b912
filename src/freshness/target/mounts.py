"""Checks whether mounts hide what the image contains: what is refused, and a note for every other one."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from freshness.core.mounts import (
    Kind,
    Mount,
    Process,
    covers,
    in_words,
    mounts_of,
    named_paths,
    normal,
    process_of,
    programs,
)
from freshness.engine.client import Engine
from freshness.engine.image_files import Files, files_of
from freshness.engine.volumes import device_of, files_in_mount, has_files, image_process
from freshness.errors import Refused
from freshness.git.tracked import PLACEHOLDERS, tracked_at

SECRETS = "/run/secrets"
ALLOW = "list the path in `allow-mounts`, which the report mentions"


class Overlay(Struct, frozen=True, kw_only=True):
    """What the Compose file lays over the image of one `service`; `allowed` are the paths of `allow-mounts`."""

    service: str = ""
    mounts: tuple[Mount, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    allowed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, config: Mapping[str, Any], service: str, allowed: tuple[str, ...]) -> "Overlay":
        """That of a service in a configuration that Compose printed."""
        settings = config["services"][service]
        return cls(service=service, mounts=mounts_of(config, service), settings=settings, allowed=frozenset(allowed))

    @property
    def targets(self) -> frozenset[str]:
        """The paths at which the file mounts something of its own."""
        return frozenset(mount.target for mount in self.mounts if mount.kind is not Kind.ANONYMOUS)

    def is_allowed(self, mount: Mount) -> bool:
        """Whether `allow-mounts` lists it."""
        return mount.target in self.allowed


def find_tracked(overlay: Overlay, workspace: Path) -> tuple[tuple[str, ...], list[str]]:
    """A problem for each mount whose source is what Git tracks, and a note for each that `allow-mounts` permits.

    As this machine sees it: no Engine is asked.
    """
    problems: list[str] = []
    notes: list[str] = []
    for mount in overlay.mounts:
        tracked = _tracked(Path(mount.path), workspace) if mount.path else None
        if tracked and overlay.is_allowed(mount):
            notes.append(f"`allow-mounts` allows {mount}, which Git tracks: it has the bytes of that checkout.")
        elif tracked:
            problems.append(
                f"The service {overlay.service!r} has a {mount.kind} from a Git work tree: Git tracks {tracked}, so"
                f" {mount.target} has that checkout's files and not the commit's. {_instead(mount)}"
            )
    return tuple(problems), notes


def _tracked(source: Path, workspace: Path) -> str | None:
    holds_workspace = workspace.resolve().is_relative_to(source.resolve())
    return tracked_at(source) or (tracked_at(workspace) if holds_workspace else None)


def _instead(mount: Mount) -> str:
    if mount.kind is Kind.SECRET:
        return (
            "Remove it from Git, replace it, and keep it in a file that Git does not track; a secret does not"
            " belong in an image either."
        )
    return f"Copy it into the image, keep it in a folder without tracked files, or {ALLOW}."


class MountCheck(Struct, frozen=True, kw_only=True):
    """The check of one image under an overlay. `find_base` gives the ID of the image's base, None where unknown.

    `is_elsewhere`: this machine, or this job's container, does not see the Docker host's files.
    """

    engine: Engine
    image_id: str
    overlay: Overlay
    find_base: Callable[[], str | None]
    is_elsewhere: bool = False
    notes: list[str] = field(default_factory=list)

    def require_uncovered(self) -> None:
        """Raises Refused with each mount that hides what the image is; `notes` gets a sentence for each other one.

        And with each secret or config whose file is not there: the Engine would say so when Compose is at work.
        """
        missing = [str(mount) for mount in self.overlay.mounts if self._is_missing(mount)]
        if missing:
            raise Refused(
                f"The service {self.overlay.service!r} has {' and '.join(missing)}, whose file is not on the Docker"
                f" host: {' and '.join(mount.path for mount in self.overlay.mounts if str(mount) in missing)}.",
                "Put it there, or set `project-directory` to the folder that has it.",
            )
        problems = list(self.problems())
        if problems:
            raise Refused(
                " ".join(problems),
                f"Mount it where the image has no files of its own, and not over what it starts; or {ALLOW}.",
            )
        if self.is_elsewhere:
            self.notes.extend(
                f"{mount.path} is on the Docker host and not here: it was not checked whether Git tracks files there."
                for mount in self.overlay.mounts
                if mount.path
            )

    @property
    def summary(self) -> str:
        """How many mounts there are, in words."""
        return in_words(len(self.overlay.mounts))

    def unmounted_volumes(self) -> Iterator[str]:
        """In words, each volume that the image declares and that has no mount of the service's own."""
        _, declared = image_process(self.engine, self.image_id)
        for path in sorted(normal(path) for path in declared):
            if path not in self.overlay.targets:
                yield (
                    f"it declares VOLUME {path}, but {self.overlay.service} mounts nothing there. Data written there"
                    " stays with its container, and then no other image can be promoted. Give the service a volume"
                    f" or a bind mount at {path}, or remove VOLUME from the image."
                )

    def problems(self) -> Iterator[str]:
        """In words, each mount that hides something of the image, and is not allowed."""
        if not self.overlay.mounts:
            return
        with ExitStack() as stack:
            files = stack.enter_context(files_of(self.engine, self.image_id))
            look = _Look(cover=self, files=files, stack=stack)
            for mount in self.overlay.mounts:
                why = self._why_tracked(mount) or look.why_not(mount)
                if why and not self.overlay.is_allowed(mount):
                    yield f"In the service {self.overlay.service!r} {mount} {why}."
                    continue
                said = f"it {why}, as `allow-mounts` allows" if why else "it hides no built file"
                self.notes.append(f"Over the image of {self.overlay.service} is {mount}: {said}.")

    def _is_missing(self, mount: Mount) -> bool:
        if mount.kind not in {Kind.CONFIG, Kind.SECRET} or not mount.path:
            return False
        is_seen = not self.is_elsewhere and Path(mount.path).exists()
        return not is_seen and not has_files(self.engine, self.image_id, mount.path)

    def _why_tracked(self, mount: Mount) -> str | None:
        """In words, that a volume is made of what Git tracks, where the Engine alone knows that."""
        device = "" if self.is_elsewhere else device_of(self.engine, mount)
        tracked = tracked_at(Path(device)) if device and device != mount.path else None
        return (
            f"is made of {device} and has the bytes of that checkout, where Git tracks {tracked}" if tracked else None
        )


class _Look(Struct, kw_only=True):
    """What is asked once for all mounts of an image."""

    cover: MountCheck
    files: Files
    stack: ExitStack
    base: Files | None = None
    is_base_known: bool | None = None
    process: Process | None = None
    volumes: frozenset[str] = frozenset()
    needed: tuple[tuple[str, str], ...] = ()

    def why_not(self, mount: Mount) -> str | None:
        """What the mount hides, in words; None where nothing that counts."""
        if mount.is_renewed or mount.is_scratch:
            return None
        self._read()
        target = self.files.resolve(mount.target)
        is_read = mount.kind is Kind.SECRET and covers(SECRETS, mount.target)  # as in `--password-file /run/secrets/x`
        for name, path in self.needed if not is_read else ():
            if covers(target, path) or covers(mount.target, name):
                return f"covers {name}, which the container starts"
        hidden = self._hidden(mount, target)
        if hidden is None:
            return None
        known = "" if self.is_base_known else " (the image's base is unknown)"
        return f"hides files that the image's own layers added, such as {hidden}{known}"

    def _read(self) -> None:
        if self.process is not None:
            return
        image, self.volumes = image_process(self.cover.engine, self.cover.image_id)
        self.process = process_of(image, self.cover.overlay.settings)
        named = [path for path in named_paths(self.process) if not self._is_empty_folder(path)]
        found = programs(self.process, lambda path: self.files.stat(path) is not None)
        self.needed = tuple((path, self.files.resolve(path)) for path in (self.process.folder, *named, *found))

    def _is_empty_folder(self, path: str) -> bool:
        """Whether the image has a folder for data there, and none of its files in it."""
        return self.files.stat(path) is not None and self.files.first(path) is None

    def _hidden(self, mount: Mount, target: str) -> str | None:
        """Some file of the image's own that is not to be seen through the mount."""
        if self.files.first(target) is None:
            return None
        based = dict(self._base_files(target))
        built = ((path, one) for path, one in self.files.under(target) if path.rpartition("/")[2] not in PLACEHOLDERS)
        own = {path: identity for path, identity in built if based.get(path) != identity}
        if own and any(covers(volume, target) for volume in self.volumes):
            held = files_in_mount(self.cover.engine, self.cover.image_id, mount)
            own = {path: identity for path, identity in own.items() if held is not None and held.get(path) != identity}
        return min(own, default=None)

    def _base_files(self, path: str) -> Iterator[tuple[str, object]]:
        if self.is_base_known is None:
            base = self.cover.find_base()
            self.is_base_known = base is not None
            if base:
                self.base = self.stack.enter_context(files_of(self.cover.engine, base))
        return self.base.under(path) if self.base else iter(())
