"""Keeps a build context for each repository, and brings it from one commit's tree to the next by what differs.

Each file in it was written from a verified object, and is as it was written. The context's name is BuildKit's name for
what it was sent: under one name no two contents ever have the same path, size, mode and time, since a change takes the
commit's second and, in its nanoseconds, the number of the change. Whatever is in doubt ends the name.
"""

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

import pygit2
from msgspec import Struct
from msgspec.structs import replace
from pygit2.enums import ObjectType

from freshness.core.revision import Revision
from freshness.git.changes import Change, find_changes
from freshness.git.destination import OPEN_FOLDER
from freshness.git.export import NANOSECONDS, Exported, export_tree
from freshness.git.objects import ObjectStore
from freshness.git.seal import take_seal
from freshness.git.standing_look import Look
from freshness.git.standing_place import Place
from freshness.git.standing_state import Folder, State, this_boot, write_state
from freshness.git.write import remove_old, write_changes


class BuildContext(Struct, frozen=True, kw_only=True):
    """The commit's tree in `folder`; `written` files of it were made for that.

    `name` is for BuildKit. Whoever reads the folder holds `keepalive_fds` open.
    """

    folder: Path
    name: str
    exported: Exported
    written: int
    keepalive_fds: tuple[int, ...] = ()


def build_context(look: Look, repository: pygit2.Repository, revision: Revision, folder: Path) -> BuildContext:
    """The revision's tree, to build from: the standing context, else (another gate has it, no room) `folder`.

    Raises as `export_tree` does. Submodules and LFS pointers are named, and not refused.
    """
    context = bring_or_drop(look, look.place, repository, revision) if look.place else None
    if context is not None:
        return context
    exported = export_tree(repository, revision, folder, allow_incomplete=True)
    return BuildContext(folder=folder, name=revision.commit, exported=exported, written=exported.files)


def bring_or_drop(look: Look, place: Place, repository: pygit2.Repository, revision: Revision) -> BuildContext | None:
    """The standing context with the revision's tree; None where the disk does not do it. Raises what Git raises."""
    objects = ObjectStore.of(repository)
    objects.read(revision.commit, ObjectType.COMMIT)
    try:
        return bring(look.end() or begin(place), place, objects, revision)
    except OSError:
        with suppress(OSError):
            place.clear()
        return None


def bring(state: State, place: Place, objects: ObjectStore, revision: Revision) -> BuildContext:
    folder = place.folder / state.name
    written = 0
    root = os.open(folder, OPEN_FOLDER)
    try:
        changes = find_changes(objects, revision.tree, state.tree, lambda path, _tree: state.folders[path].tree)
        if changes:
            place.state.unlink(missing_ok=True)  # from here on, until it is written anew, nobody believes the context
            state, written = make(objects, root, state, changes, revision)
            write_state(place.state, state)
    finally:
        os.close(root)
    exported = state.exported()
    return BuildContext(folder=folder, name=state.name, exported=exported, written=written, keepalive_fds=(place.lock,))


def begin(place: Place) -> State:
    """An empty context under a name that never was."""
    place.clear()
    state = State(name=secrets.token_hex(16), boot=this_boot(), folders={})
    (place.folder / state.name).mkdir(0o700)
    return state


def make(objects: ObjectStore, root: int, state: State, changes: list[Change], revision: Revision) -> tuple[State, int]:
    """Changes the folder `root` to the revision's tree; the new state, and how many files were written."""
    generation = state.generation + 1
    times = (revision.committed_at * NANOSECONDS + generation,) * 2
    gone = remove_old(root, changes)
    written = write_changes(objects, root, changes, times)
    if os.fstat(root).st_mtime_ns != times[1]:
        raise OSError(errno.EOPNOTSUPP, "the file system keeps no nanoseconds")
    made = {change.path: Folder(tree=change.new, seal=take_seal(root, change.path)) for change in changes}
    kept = {path: folder for path, folder in state.folders.items() if not is_gone(path, gone)}
    state = replace(
        state,
        generation=generation,
        tree=revision.tree,
        folders=kept | made,
        submodules=(*(path for path in state.submodules if not is_gone(path, gone)), *written.submodules),
        pointers=(*(path for path in state.pointers if not is_gone(path, gone)), *written.pointers),
    )
    return state, written.files


def is_gone(path: bytes, gone: set[bytes]) -> bool:
    """Whether the path is one of those that were taken away, or was in one."""
    while path:
        if path in gone:
            return True
        path = path.rpartition(b"/")[0]
    return False
