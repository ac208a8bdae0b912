"""A bind mount that would take its files from another path than before, as a relative one does in another folder."""

import posixpath
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from freshness.core.mounts import Kind, Mount, normal


class Moved(Struct, frozen=True, kw_only=True):
    """A mount at `target`, with the paths on the Docker host that it had (`old`) and would have (`new`)."""

    target: str
    old: str
    new: str


def bound_by(mounts: Iterable[Mount]) -> dict[str, str]:
    """The path on the Docker host of each bind mount, by its target."""
    return {mount.target: normal(mount.path) for mount in mounts if mount.kind is Kind.BIND}


def find_moved(mounts: Iterable[Mount], before: Mapping[str, str]) -> tuple[Moved, ...]:
    """The bind mounts that have another path than `before` at the same target."""
    then = bound_by(mounts)
    both = sorted(target for target in then if target in before)
    return tuple(
        Moved(target=target, old=before[target], new=then[target]) for target in both if before[target] != then[target]
    )


def find_unmoved(mounts: Iterable[Mount], before: Mapping[str, str]) -> tuple[str, ...]:
    """The paths on the Docker host that are mounted at the same target as `before`."""
    return tuple(sorted({path for target, path in bound_by(mounts).items() if before.get(target) == path}))


def folder_before(moved: Moved, folder: str) -> str:
    """The folder in place of the project's, `folder`, with which a relative mount is what it was; empty where none."""
    inside = posixpath.relpath(moved.new, normal(folder))
    if inside == ".":
        return moved.old
    lies_below = not inside.startswith("..") and moved.old.endswith(f"/{inside}")
    return moved.old.removesuffix(f"/{inside}") if lies_below else ""


def explain_moved(what: str, lost: Sequence[Moved], folder: str) -> tuple[str, str]:
    """What would be lost of `what` runs or ran, and what to do, as sentences."""
    said = "; ".join(
        f"{what} mounts {one.old} at {one.target}, but this Compose file mounts {one.new}, which has no files"
        for one in lost
    )
    folders = sorted({folder_before(one, folder) for one in lost} - {""})
    first = lost[0]
    by_folder = f"Set `project-directory: {folders[0]}`, where relative mounts start; or write" if folders else "Write"
    message = f"{said}: the service would lose the files in {' and '.join(one.old for one in lost)}."
    remedy = (
        f"{by_folder} {first.old} into the Compose file as an absolute path, or use a named volume and copy the"
        f" files into it. If {first.new} is right, copy the files that you need into it."
    )
    return message, remedy
