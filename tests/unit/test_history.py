"""How two commits stand to each other, against the definition, on histories that forks, merges and clocks make."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from freshness.core.history import CommitNode, Relation, compare, find_ancestor

History = Mapping[str, CommitNode]


def history(**parents: str) -> dict[str, CommitNode]:
    """Commits by name with their parents' names; each has a tree of its own and is a second younger than the last."""
    return {
        name: CommitNode(tree=f"tree of {name}", parents=tuple(names.split()), committed_at=time)
        for time, (name, names) in enumerate(parents.items())
    }


def with_tree(commits: History, name: str, tree: str) -> dict[str, CommitNode]:
    node = commits[name]
    return {**commits, name: CommitNode(tree=tree, parents=node.parents, committed_at=node.committed_at)}


def relation(commits: History, candidate: str, production: str) -> Relation:
    return compare(commits.get, candidate, production).relation


LINE = history(a="", b="a", c="b", d="c")
FORKED = history(a="", b="a", p="b", q="p", c="b", d="c")


def test_a_commit_is_the_same_ahead_behind_or_diverged() -> None:
    assert relation(LINE, "c", "c") is Relation.SAME
    assert relation(LINE, "d", "b") is Relation.AHEAD
    assert relation(LINE, "b", "d") is Relation.BEHIND
    assert relation(FORKED, "d", "q") is Relation.DIVERGED
    assert relation(history(a="", x=""), "a", "x") is Relation.DIVERGED


def test_what_only_one_side_has_is_counted() -> None:
    found = compare(FORKED.get, "d", "p")
    assert (found.ahead, found.behind) == (2, 1)


def test_a_squash_of_production_makes_the_candidate_ahead() -> None:
    """Fails where only the commit itself counts: `c` is the squash merge of `p` and `q`."""
    squashed = with_tree(FORKED, "c", "tree of q")
    found = compare(squashed.get, "d", "q")
    assert (found.relation, found.via) == (Relation.AHEAD, "c")


def test_a_state_that_both_once_had_does_not_make_a_revert_of_it_ahead() -> None:
    """Fails where every ancestor's tree counts: production `q` reverted to `a`, and the candidate lacks the revert."""
    assert relation(with_tree(FORKED, "q", "tree of a"), "d", "q") is Relation.DIVERGED


def test_history_that_ends_early_is_unknown_unless_what_is_there_tells() -> None:
    shallow = {name: node for name, node in FORKED.items() if name not in {"a", "b"}}
    found = compare(shallow.get, "d", "q")
    assert (found.relation, found.missing) == (Relation.UNKNOWN, frozenset({"b"}))
    assert relation(shallow, "d", "c") is Relation.AHEAD
    assert relation(shallow, "c", "d") is Relation.BEHIND
    assert relation(with_tree(shallow, "c", "tree of q"), "d", "q") is Relation.UNKNOWN


def test_a_commit_that_is_not_there_is_unknown() -> None:
    for candidate, production in (("d", "x"), ("x", "d")):
        found = compare(LINE.get, candidate, production)
        assert (found.relation, "x" in found.missing) == (Relation.UNKNOWN, True)


def test_too_much_history_is_unknown_and_not_a_long_wait() -> None:
    long = history(**{f"c{number}": f"c{number - 1}" if number else "" for number in range(200)})
    long |= history(x="")
    assert compare(long.get, "c199", "x", limit=100).relation is Relation.UNKNOWN
    assert compare(long.get, "c199", "c150", limit=100).relation is Relation.AHEAD
    assert find_ancestor(long.get, {"c199"}, "c0", limit=100) == (False, frozenset())


def test_an_ancestor_is_found_from_any_tip() -> None:
    assert find_ancestor(FORKED.get, {"q", "d"}, "p") == (True, frozenset())
    assert find_ancestor(FORKED.get, {"d"}, "p") == (False, frozenset())
    assert find_ancestor(FORKED.get, {"d", "x"}, "p") == (False, frozenset({"x"}))


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Any history of up to twelve commits, with clocks that may be wrong, or too coarse to tell commits apart."""
    skewed = draw(st.booleans())
    names = [f"c{number}" for number in range(draw(st.integers(2, 12)))]
    return {
        name: CommitNode(
            tree=name,
            parents=tuple(draw(st.lists(st.sampled_from(names[:index]), max_size=3, unique=True)) if index else []),
            committed_at=draw(st.integers(0, 9)) if skewed else index // 3,
        )
        for index, name in enumerate(names)
    }


def clocks_are_right(commits: History) -> bool:
    nodes = commits.values()
    return all(commits[parent].committed_at <= node.committed_at for node in nodes for parent in node.parents)


def ancestors(commits: History, name: str) -> set[str]:
    return {name}.union(*(ancestors(commits, parent) for parent in commits[name].parents))


@given(commits=histories(), data=st.data())
def test_the_answer_is_that_of_the_definition_whatever_the_clocks_say(commits: History, data: st.DataObject) -> None:
    """Fails where the walk ends at the first commit that both have, or believes the clocks."""
    one, other = (data.draw(st.sampled_from(sorted(commits))) for _ in range(2))
    ours, theirs = ancestors(commits, one), ancestors(commits, other)
    expected = Relation.DIVERGED
    if one == other:
        expected = Relation.SAME
    elif other in ours:
        expected = Relation.AHEAD
    elif one in theirs:
        expected = Relation.BEHIND
    found = compare(commits.get, one, other)
    assert found.relation is expected
    if clocks_are_right(commits):
        assert (found.ahead, found.behind) == (len(ours - theirs), len(theirs - ours))
    assert find_ancestor(commits.get, {one}, other)[0] == (other in ours)
