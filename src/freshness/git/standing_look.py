"""Looks whether a standing build context is as it was written, in other processes, while its gate goes on."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from msgspec import Struct

from freshness.errors import RepositoryError
from freshness.git.destination import OPEN_FOLDER
from freshness.git.export import NANOSECONDS
from freshness.git.seal import Seal, take_seal
from freshness.git.shares import Child, split, start_child
from freshness.git.standing_place import Place, open_place
from freshness.git.standing_state import State, read_state


class Look(Struct, frozen=True, kw_only=True):
    """`place` is ours alone; None where another run has it, or where there is none. Without `state` it is empty."""

    place: Place | None
    state: State | None = None
    children: tuple[Child, ...] = ()

    def end(self) -> State | None:
        """The state of a context in which everything is as it was written, else None."""
        if self.place is None or self.state is None:
            return None
        folder, seals = self.place.folder / self.state.name, _seals_of(self.state)
        try:
            same = all(child.wait() for child in self.children) if self.children else is_unchanged(folder, seals)
        except (OSError, RepositoryError):
            return None
        return self.state if same else None


@contextmanager
def looking_at_standing(env: Mapping[str, str], key: str) -> Iterator[Look]:
    """The place of `key`, locked until the block is left."""
    with open_place(env, key) as place, ExitStack() as until_left:
        state = read_state(place.state) if place else None
        if place is None or state is None or state.generation >= NANOSECONDS - 1:
            yield Look(place=place)
            return
        seals = _seals_of(state)
        shares = split(seals, [seal.files for _, seal in seals])
        children = []
        for share in shares if len(shares) > 1 else ():
            children.append(start_child(partial(is_unchanged, place.folder / state.name), share))
            until_left.callback(children[-1].end)
        yield Look(place=place, state=state, children=tuple(children))


def is_unchanged(folder: Path, seals: Sequence[tuple[bytes, Seal]]) -> bool:
    """Whether the folders at these paths have these seals. Raises OSError."""
    root = os.open(folder, OPEN_FOLDER)
    try:
        return all(take_seal(root, path) == seal for path, seal in seals)
    finally:
        os.close(root)


def _seals_of(state: State) -> list[tuple[bytes, Seal]]:
    return [(path, folder.seal) for path, folder in state.folders.items()]
