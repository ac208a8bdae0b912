"""How the candidate stands to production, in full, shallow and empty repositories, and what differs between two."""

import itertools
import random
from hashlib import sha1

import pygit2
import pytest

from freshness.core.history import Comparison, Relation
from freshness.git import history
from freshness.git.checkout import open_or_make, open_repository
from freshness.git.differ import differing_paths
from freshness.git.history import behind_base, relation
from freshness.git.lines import compare_lines
from tests.support.forge import Forge
from tests.support.git import COMMIT_TIME, Executable, GitRepo, Link


def of(clone: GitRepo, production: str, candidate: str, forge: Forge | None, number: int | None = None) -> Comparison:
    address = forge.address if forge else None
    return relation(open_repository(clone.path), production, candidate, address, number=number)


def commit_many(repo: GitRepo, count: int) -> list[str]:
    return [repo.commit({"a": str(number)}) for number in range(count)]


def test_older_newer_and_diverged_are_told_in_a_full_clone_without_a_server(forge: Forge) -> None:
    first, second, third = commit_many(forge.repo, 3)
    forge.repo.branch("topic", second)
    topic = forge.repo.commit({"b": "1"})
    clone = forge.clone("clone")
    clone.git("fetch", "--quiet", "origin", "topic")
    assert of(clone, first, third, None).relation is Relation.AHEAD
    assert of(clone, third, first, None).relation is Relation.BEHIND
    assert of(clone, topic, third, None).relation is Relation.DIVERGED
    assert of(clone, third, third, None).relation is Relation.SAME
    assert forge.server.seen == []


@pytest.mark.parametrize("ids", ["ids are served", "only references are"])
@pytest.mark.parametrize("count", [5, 70])
def test_a_shallow_clone_is_deepened_until_production_is_met(forge: Forge, ids: str, count: int) -> None:
    """Fails where a shallow clone's missing parents count as none."""
    commits = commit_many(forge.repo, count)
    if ids == "ids are served":
        forge.allow_ids()
    clone = forge.shallow_clone()
    assert of(clone, commits[1], commits[-1], None).relation is Relation.UNKNOWN
    found = of(clone, commits[1], commits[-1], forge)
    assert (found.relation, found.ahead) == (Relation.AHEAD, count - 2)
    assert clone.git("for-each-ref", "refs/freshness") == ""
    clone.git("fsck")


def test_without_a_checkout_both_commits_are_fetched(forge: Forge) -> None:
    commits = commit_many(forge.repo, 4)
    forge.allow_ids()
    own = open_or_make(forge.folder / "none", forge.address, forge.folder)
    assert relation(own, commits[0], commits[3], forge.address).relation is Relation.AHEAD


def test_a_pull_requests_head_is_met_where_ids_are_not_served(forge: Forge) -> None:
    production = commit_many(forge.repo, 3)[-1]
    forge.repo.branch("topic")
    head = commit_many(forge.repo, 3)[-1]
    forge.repo.switch("main")
    forge.repo.git("branch", "--quiet", "-D", "topic")
    forge.pull_request(7, head)
    clone = forge.shallow_clone()
    assert of(clone, production, head, forge, 7).relation is Relation.AHEAD


def test_a_squash_merge_of_production_is_production(forge: Forge) -> None:
    commit_many(forge.repo, 2)
    forge.repo.branch("topic")
    production = forge.repo.commit({"b": "1"})
    forge.repo.switch("main")
    squash = forge.repo.commit({"b": "1"}, "Squashed differently")
    candidate = forge.repo.commit({"b": "2"})
    forge.allow_ids()
    found = of(forge.shallow_clone(), production, candidate, forge)
    assert (found.relation, found.via) == (Relation.AHEAD, squash)


def test_history_beyond_the_bound_is_unknown(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "DEPTHS", (2, 4))
    commits = commit_many(forge.repo, 8)
    forge.allow_ids()
    found = of(forge.shallow_clone(), commits[0], commits[-1], forge)
    assert (found.relation, bool(found.missing)) == (Relation.UNKNOWN, True)


def test_a_production_that_no_server_knows_is_unknown(forge: Forge) -> None:
    (commit,) = commit_many(forge.repo, 1)
    for options in ((), ("--depth=1",)):
        clone = forge.clone(f"clone{len(options)}", *options)
        assert of(clone, "d" * 40, commit, forge).relation is Relation.UNKNOWN


@pytest.mark.parametrize("depth", [(), ("--depth=1",)], ids=["full", "shallow"])
def test_a_branch_lacks_so_many_commits_of_its_base(forge: Forge, depth: tuple[str, ...]) -> None:
    first = commit_many(forge.repo, 2)[0]
    forge.repo.branch("topic")
    head = forge.repo.commit({"b": "1"})
    forge.repo.switch("main")
    forge.allow_ids()
    up_to_date, later = forge.repo.head(), commit_many(forge.repo, 5)[3]
    repository = open_repository(forge.clone("clone", *depth).path)
    assert behind_base(repository, head, up_to_date, forge.address) == 0
    assert behind_base(repository, head, later, forge.address) == 4
    assert behind_base(repository, head, first, forge.address) == 0
    assert behind_base(repository, head, "d" * 40, forge.address) is None


def test_an_equal_tree_does_not_bring_a_branch_up_to_date(forge: Forge) -> None:
    commit_many(forge.repo, 1)
    forge.repo.branch("topic")
    head = forge.repo.commit({"b": "1"})
    forge.repo.switch("main")
    squash = forge.repo.commit({"b": "1"}, "Squashed differently")
    assert behind_base(open_repository(forge.repo.path), head, squash, None) == 1


def test_paths_that_differ_are_named(repo: GitRepo) -> None:
    one = repo.commit({"same": "1", "a/b/c": "1", "a/b/same": "1", "gone": "1", "mode": "1", "kind": "x", "f": "1"})
    repo.commit({"f": None})
    changes = {"a/b/c": "2", "gone": None, "mode": Executable("1"), "kind": Link("x"), "new/x": "1", "f/x": "1"}
    other = repo.commit(changes)
    repository = open_repository(repo.path)
    assert differing_paths(repository, one, other) == ("a/b/c", "f", "gone", "kind", "mode", "new")
    assert differing_paths(repository, other, one) == differing_paths(repository, one, other)
    assert differing_paths(repository, one, one) == ()


def test_libgit2s_walk_never_contradicts_the_history(repo: GitRepo) -> None:
    """Also where clocks were wrong. Fails where `compare_lines` takes one count alone for an answer."""
    chance = random.Random(7)  # noqa: S311 (the same history each time)
    repository = open_repository(repo.path)
    tree = repository.TreeBuilder().write()
    ancestors: dict[str, set[str]] = {}
    for number in range(16):
        who = pygit2.Signature("Ada", "ada@example.org", COMMIT_TIME + chance.randrange(100))
        parents = chance.sample(list(ancestors), min(len(ancestors), chance.choice([1, 1, 2])))
        commit = str(repository.create_commit(None, who, who, str(number), tree, parents))
        ancestors[commit] = {commit}.union(*(ancestors[parent] for parent in parents))
    told = 0
    for one, other in itertools.product(ancestors, ancestors):
        found = compare_lines(repository, one, other)
        if found is not None:
            told += 1
            assert (found.relation is Relation.BEHIND) == (one in ancestors[other] - {other})
            assert (found.relation is Relation.AHEAD) == (other in ancestors[one] - {one})
    assert told == sum(len(found) * 2 - 1 for found in ancestors.values())


def test_a_commit_that_a_pack_holds_under_another_name_is_not_believed(repo: GitRepo) -> None:
    """I1. Fails where `compare_lines` leaves libgit2's verification off: the candidate would descend from anything."""
    production, candidate = repo.commit({"a": "1"}), repo.commit_tree(repo.head("HEAD^{tree}"))
    repository = open_repository(repo.path)
    forged = repo.git("cat-file", "commit", candidate).replace("\nauthor", f"\nparent {production}\nauthor", 1)
    other = repo.write_object("commit", forged.encode() + b"\n")
    pack = repo.path / ".git/objects/pack/pack"
    repo.git("pack-objects", "--quiet", str(pack), stdin=f"{other}\n".encode())
    for object_id in (other, candidate):
        (repo.path / ".git/objects" / object_id[:2] / object_id[2:]).unlink()
    (index,) = pack.parent.glob("pack-*.idx")
    data = index.read_bytes()[:-20]
    first = int(candidate[:2], 16)
    fan = b"".join((1 if byte >= first else 0).to_bytes(4, "big") for byte in range(256))
    data = data[:8] + fan + bytes.fromhex(candidate) + data[8 + 1024 + 20 :]
    index.chmod(0o644)
    index.write_bytes(data + sha1(data, usedforsecurity=False).digest())
    assert str(production) in repo.git("cat-file", "commit", candidate), "Git believes it"
    assert compare_lines(repository, candidate, production) is None
