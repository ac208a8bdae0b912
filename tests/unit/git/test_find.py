"""Which ids become a Revision."""

import pytest

from freshness.errors import Refused
from tests.support.git import COMMIT_TIME, GitRepo
from tests.support.revisions import find


def test_a_commit_becomes_a_revision_whatever_head_is(repo: GitRepo) -> None:
    commit = repo.commit({"a": "1"})
    tree = repo.head("HEAD^{tree}")
    repo.commit({"a": "2"})
    revision = find(repo, commit)
    assert (revision.commit, revision.tree, revision.committed_at) == (commit, tree, COMMIT_TIME)
    assert revision.source == "event.after"


def test_a_merge_and_a_signed_commit_are_commits(repo: GitRepo) -> None:
    repo.commit({"a": "1"})
    repo.branch("topic")
    repo.commit({"b": "1"})
    repo.switch("main")
    repo.commit({"c": "1"})
    merge = repo.merge("topic")
    assert find(repo, merge).tree == repo.head("HEAD^{tree}")
    head, _, message = repo.git("cat-file", "-p", merge).partition("\n\n")
    signed = repo.write_object("commit", f"{head}\ngpgsig -----BEGIN\n x\n\n{message}\n".encode())
    assert find(repo, signed).tree == repo.head("HEAD^{tree}")


def test_the_subject_is_the_first_line_of_the_message(repo: GitRepo) -> None:
    """Fails when `subject_of` takes the whole message, or fails at what is no UTF-8."""
    head, _, _ = repo.git("cat-file", "-p", repo.commit({"a": "1"})).partition("\n\n")
    odd = repo.write_object("commit", f"{head}\n\nFix ".encode() + b"\xff\n\nmore\n")
    assert find(repo, odd).subject == "Fix \ufffd"
    assert find(repo, repo.write_object("commit", f"{head}\n\n".encode())).subject == ""


@pytest.mark.parametrize(
    ("name", "kind"), [("v1", "tag"), ("HEAD^{tree}", "tree"), ("HEAD:a", "blob")], ids=["tag", "tree", "blob"]
)
def test_another_object_than_a_commit_is_refused_by_its_kind(repo: GitRepo, name: str, kind: str) -> None:
    """Fails where `find_revision` peels the object to a commit."""
    repo.commit({"a": "1"})
    repo.git("tag", "--annotate", "--message=1", "v1")
    with pytest.raises(Refused, match=rf"is a {kind} object; a commit was expected.*git rev-parse"):
        find(repo, repo.head(name))


@pytest.mark.parametrize(
    "text",
    ["", "main", "HEAD", "abc1234", "A" * 40, "0" * 40, "a" * 39, "a" * 41, "a" * 64, "a" * 39 + "\n", "a" * 40 + "\n"],
)
def test_what_is_no_full_lowercase_id_is_refused(repo: GitRepo, text: str) -> None:
    """Fails where the id is matched with `match`, which takes more than the whole, or is resolved as a name."""
    repo.commit({"a": "1"})
    with pytest.raises(Refused, match=r"event\.after is .*; expected a full commit id of 40 lower-case hex digits"):
        find(repo, text)


def test_a_branch_that_is_named_like_a_commit_is_not_it(repo: GitRepo) -> None:
    repo.commit({"a": "1"})
    repo.git("update-ref", f"refs/heads/{'a' * 40}", "HEAD")
    with pytest.raises(Refused, match="neither in the checkout nor on any known server"):
        find(repo, "a" * 40)


def test_a_missing_commit_is_refused_with_the_remedy(repo: GitRepo) -> None:
    with pytest.raises(Refused, match=r"names a{40}, which is neither .*Push the commit, or check out with"):
        find(repo, "a" * 40)


@pytest.mark.parametrize(
    "data",
    [
        "author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\n",
        "tree {tree}\nauthor A <a@b> 1 +0000\n\n",
        "tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 99999999999999 +0000\n\n",
        "tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> -1 +0000\n\n",
        "",
    ],
)
def test_a_malformed_commit_is_refused(repo: GitRepo, data: str) -> None:
    repo.commit({"a": "1"})
    commit = repo.write_object("commit", data.replace("{tree}", repo.head("HEAD^{tree}")).encode())
    with pytest.raises(Refused, match="which is a malformed commit object"):
        find(repo, commit)
