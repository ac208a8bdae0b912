"""Decides whether one commit descends from another, over a history that may end early."""

from collections.abc import Callable, Collection, Iterator
from enum import StrEnum
from heapq import heappop, heappush

from msgspec import Struct, field

MOST_COMMITS = 100_000
"""Commits that are looked at before the question is given up."""

_CANDIDATE, _PRODUCTION, _BOTH = 1, 2, 3


class Relation(StrEnum):
    """Where the candidate stands, seen from what production runs. `UNKNOWN`: the history does not tell."""

    SAME = "same"
    AHEAD = "ahead"
    BEHIND = "behind"
    DIVERGED = "diverged"
    UNKNOWN = "unknown"


class CommitNode(Struct, frozen=True, kw_only=True):
    """What history needs of a commit: `committed_at` in seconds since the epoch, full ids."""

    tree: str
    parents: tuple[str, ...]
    committed_at: int


Read = Callable[[str], CommitNode | None]
"""Gives a commit, or None where the repository does not have it."""


class Comparison(Struct, frozen=True, kw_only=True):
    """How two commits stand. `ahead` and `behind` count what only the candidate and only production have.

    Where a commit is dated before its own parent the counts may be too high; the relation never depends on clocks.
    `missing` are commits that had to be looked at and are not there; with any, both counts are at least so many.
    `via` is a commit of the candidate's own whose tree is production's: a squash or rebase merge of it.
    """

    relation: Relation
    ahead: int
    behind: int
    missing: frozenset[str] = frozenset()
    via: str | None = None


def compare(read: Read, candidate: str, production: str, limit: int = MOST_COMMITS) -> Comparison:
    """How the candidate stands to production, newest commits first, no further back than where both histories meet.

    An equal tree counts only where the histories have not met yet: production may have reverted to a state that both
    once had, and a candidate that lacks the revert would silently undo it.
    """
    if candidate == production:
        return Comparison(relation=Relation.SAME, ahead=0, behind=0)
    walk = _Walk(read=read, limit=limit)
    complete = walk.paint(candidate, production)
    ahead, behind = walk.painted(_CANDIDATE), walk.painted(_PRODUCTION)
    descends = walk.colours.get(production) == _BOTH
    via = walk.with_tree_of(production, ahead) if complete and not descends else None
    return Comparison(
        relation=_relation(walk, candidate, production, via, complete=complete),
        ahead=len(ahead),
        behind=len(behind),
        missing=frozenset(walk.missing),
        via=via,
    )


def find_ancestor(
    read: Read, tips: Collection[str], wanted: str, limit: int = MOST_COMMITS
) -> tuple[bool, frozenset[str]]:
    """Whether `wanted` is one of the tips or an ancestor of one, and the commits that were missing on the way."""
    walk = _Walk(read=read, limit=limit)
    for tip in tips:
        walk.reach(tip, _CANDIDATE)
    for commit in walk.pop_all():
        if commit == wanted:
            return True, frozenset()
        walk.spread(commit)
    return False, frozenset(walk.missing)


def _relation(walk: "_Walk", candidate: str, production: str, via: str | None, *, complete: bool) -> Relation:
    if walk.colours.get(production) == _BOTH or via is not None:
        return Relation.AHEAD
    if walk.colours.get(candidate) == _BOTH:
        return Relation.BEHIND
    return Relation.DIVERGED if complete else Relation.UNKNOWN


class _Walk(Struct, kw_only=True):
    """The work in progress: each commit's colour says from which side it was reached; `open` are those of one side."""

    read: Read
    limit: int
    colours: dict[str, int] = field(default_factory=dict)
    nodes: dict[str, CommitNode] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    queue: list[tuple[int, str]] = field(default_factory=list)
    open: set[str] = field(default_factory=set)

    def paint(self, candidate: str, production: str) -> bool:
        """Walks until no commit of one side alone is left to follow; whether nothing was missing, or too much."""
        self.reach(candidate, _CANDIDATE)
        self.reach(production, _PRODUCTION)
        for commit in self.pop_all():
            self.spread(commit)
            if not self.open and not self._may_still_meet():
                break
        self._correct_skew()
        return not self.missing and len(self.nodes) < self.limit

    def _may_still_meet(self) -> bool:
        """Whether a commit in the queue is as new as one that was found on one side only, and may be its descendant."""
        singles = [self.nodes[name].committed_at for name, colour in self.colours.items() if colour != _BOTH]
        return bool(self.queue and singles) and -self.queue[0][0] >= min(singles)

    def pop_all(self) -> Iterator[str]:
        while self.queue and len(self.nodes) < self.limit:
            _, commit = heappop(self.queue)
            self.open.discard(commit)
            yield commit

    def spread(self, commit: str) -> None:
        for parent in self.nodes[commit].parents:
            self.reach(parent, self.colours[commit])

    def reach(self, commit: str, colour: int) -> None:
        known = self.colours.get(commit, 0)
        if known | colour == known or not self._find(commit):
            return
        self.colours[commit] = known | colour
        heappush(self.queue, (-self.nodes[commit].committed_at, commit))
        if self.colours[commit] == _BOTH:
            self.open.discard(commit)
        else:
            self.open.add(commit)

    def _find(self, commit: str) -> bool:
        if commit in self.nodes:
            return True
        node = self.read(commit)
        if node is None:
            self.missing.add(commit)
            return False
        self.nodes[commit] = node
        return True

    def _correct_skew(self) -> None:
        """A clock that was wrong may have let a shared commit's ancestor be reached first, from one side alone."""
        shared = [commit for commit, colour in self.colours.items() if colour == _BOTH]
        while shared:
            for parent in self.nodes[shared.pop()].parents:
                if self.colours.get(parent, _BOTH) != _BOTH:
                    self.colours[parent] = _BOTH
                    shared.append(parent)

    def painted(self, colour: int) -> list[str]:
        return [commit for commit, found in self.colours.items() if found == colour]

    def with_tree_of(self, commit: str, among: list[str]) -> str | None:
        tree = self.nodes[commit].tree
        return next((found for found in among if self.nodes[found].tree == tree), None)
