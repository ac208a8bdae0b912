"""A repository with a damaged object is an error of ours, before libgit2 reads the object."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from freshness.git.checkout import open_repository
from freshness.git.local import local_references
from freshness.git.sound import require_intact
from tests.support.forge import NAME, TOKEN, Forge
from tests.support.git import COMMIT_TIME, GitRepo

ROOT = Path(__file__).parents[3]
STAMP = f"A <a@b> {COMMIT_TIME} +0000"
Damage = Callable[[GitRepo], str]
LONG = os.urandom(2000).hex()
"""It deflates to more than is read of an object at first."""


def not_deflated(data: bytes) -> bytes:
    return b"junk" * len(data)


def with_a_wrong_checksum(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 255])


DAMAGES = (not_deflated, with_a_wrong_checksum)
"""Git and libgit2 say of both, in a sentence, that they cannot be read; the guard is told by its own."""


def spoil(repo: GitRepo, object_id: str, damage: Callable[[bytes], bytes]) -> str:
    file = repo.path / ".git" / "objects" / object_id[:2] / object_id[2:]
    data = file.read_bytes()
    file.unlink()
    file.write_bytes(damage(data))
    return object_id


def resolve(repo: GitRepo, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, which a time limit ends."""
    return subprocess.run(
        [sys.executable, "-I", str(ROOT / "src"), "resolve", *options],
        env={"HOME": os.devnull, "GITHUB_WORKSPACE": str(repo.path), **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )


def a_commit(repo: GitRepo) -> str:
    return repo.commit({"b": "2"}, message=LONG)


def a_parent(repo: GitRepo) -> str:
    commit = a_commit(repo)
    repo.commit({"b": "3"})
    return commit


def a_tag(repo: GitRepo) -> str:
    repo.git("tag", "--annotate", f"--message={LONG}", "v1")
    return repo.head("v1")


def a_tagged_blob(repo: GitRepo) -> str:
    blob = repo.write_object("blob", LONG.encode())
    repo.git("update-ref", "refs/tags/blob", blob)
    return blob


def a_blob_that_a_commit_calls_its_parent(repo: GitRepo) -> str:
    blob, tree = repo.write_object("blob", LONG.encode()), repo.head("HEAD^{tree}")
    raw = f"tree {tree}\nparent {blob}\nauthor {STAMP}\ncommitter {STAMP}\n\nHostile\n"
    (repo.path / ".git" / "refs" / "heads" / "bad").write_text(repo.write_object("commit", raw.encode()))
    return blob


MET = (a_commit, a_parent, a_tag, a_tagged_blob, a_blob_that_a_commit_calls_its_parent)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("damaged", MET)
def test_a_damaged_object_that_fetching_would_meet_is_an_error(
    forge: Forge, damaged: Damage, damage: Callable[[bytes], bytes]
) -> None:
    """Fails where `exchange` does not look before libgit2 does."""
    forge.repo.commit({"a": "1"})
    forge.allow_ids()
    clone = forge.clone("clone")
    wanted = forge.repo.commit({"a": "2"})
    object_id = spoil(clone, damaged(clone), damage)
    env = {"GITHUB_SERVER_URL": forge.server.url, "GITHUB_REPOSITORY": NAME, "GITHUB_TOKEN": TOKEN}
    ended = resolve(clone, GITHUB_EVENT_NAME="push", GITHUB_SHA=wanted, **env)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert f"object {object_id} cannot be read" in ended.stderr
    assert "git fsck" in ended.stderr


@pytest.mark.parametrize("damaged", [a_commit, a_tag, a_tagged_blob])
def test_a_damaged_object_at_a_references_tip_is_an_error_offline(forge: Forge, damaged: Damage) -> None:
    """Fails where libgit2 peels the reference."""
    first = forge.repo.commit({"a": "1"})
    clone = forge.clone("clone")
    object_id = spoil(clone, damaged(clone), with_a_wrong_checksum)
    ended = resolve(clone, "--offline", "--revision", first)
    assert (ended.returncode, f"object {object_id} cannot be read" in ended.stderr) == (3, True)


def emptied(_: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("damage", [emptied, with_a_wrong_checksum])
def test_a_damaged_blob_that_nobody_meets_and_an_empty_file_stop_nothing(
    repo: GitRepo, damage: Callable[[bytes], bytes]
) -> None:
    """A power cut leaves empty files."""
    commit = repo.commit({"a": LONG})
    spoil(repo, repo.head("HEAD:a"), damage)
    require_intact(open_repository(repo.path))
    assert local_references(open_repository(repo.path)) == {"refs/heads/main": commit}


def test_references_are_peeled_through_nested_tags_and_broken_ones_are_left_out(repo: GitRepo) -> None:
    commit = repo.commit({"a": "1"})
    repo.git("tag", "--annotate", "--message=1", "v1")
    repo.git("tag", "--annotate", "--message=2", "v2", "v1")
    repo.git("update-ref", "refs/tags/tree", repo.head("HEAD^{tree}"))
    repo.git("symbolic-ref", "refs/heads/same", "refs/heads/main")
    repo.git("symbolic-ref", "refs/heads/gone", "refs/heads/nowhere")
    (repo.path / ".git" / "refs" / "heads" / "dangling").write_text("a" * 40)
    expected = {"refs/heads/main", "refs/heads/same", "refs/tags/v1", "refs/tags/v2"}
    assert local_references(open_repository(repo.path)) == dict.fromkeys(expected, commit)
    require_intact(open_repository(repo.path))
