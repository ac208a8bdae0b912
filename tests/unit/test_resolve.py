"""`freshness resolve` says which commit, from which field and why, and what it would have to ask the forge for."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from freshness.cli.resolve import resolve_commit
from freshness.errors import RepositoryError, SettingsError
from tests import payloads
from tests.payloads import load
from tests.support.forge import AUTHORIZATION, NAME, TOKEN, Forge, serve_forge
from tests.support.git import GitRepo

ROOT = Path(__file__).parents[2]
PAYLOADS = Path(payloads.__file__).parent


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    with serve_forge(tmp_path) as served:
        yield served


def resolve(env: dict[str, str], *, offline: bool = False, **given: Any) -> dict[str, Any]:
    options = dict.fromkeys(("event", "event_name", "revision", "pr", "path")) | given
    found, text = resolve_commit({**options, "offline": offline, "as_json": True}, env, {})
    answer: dict[str, Any] = json.loads(text)
    assert found == (answer["revision"] is not None)
    assert list(answer) == ["revision", "tree", "source", "event", "number", "fork", "reason"]
    return answer


def at(forge: Forge, workspace: Path) -> dict[str, str]:
    """A job's environment on that forge."""
    return {
        "GITHUB_SERVER_URL": forge.server.url,
        "GITHUB_REPOSITORY": NAME,
        "GITHUB_WORKSPACE": str(workspace),
        "GITHUB_TOKEN": TOKEN,
    }


def written(folder: Path, payload: object) -> str:
    path = folder / "event.json"
    path.write_text(json.dumps(payload))
    return str(path)


def pull_request(commit: str, number: int = 7) -> dict[str, object]:
    own = {"full_name": NAME, "id": 1}
    return {
        "number": number,
        "pull_request": {"head": {"sha": commit, "repo": own}, "base": {"repo": own}},
        "repository": own,
    }


def test_an_event_is_resolved_offline_without_a_repository(tmp_path: Path) -> None:
    event, _, env = load("gitea-1.26/pull_request-opened")
    env |= {"GITHUB_WORKSPACE": str(tmp_path)}
    path = str(PAYLOADS / "gitea-1.26/pull_request-opened.json")
    answer = resolve(env, offline=True, event=path, event_name=event)
    assert (answer["revision"], answer["tree"], answer["number"]) == (
        "2ef4a4d649828c48d17d970fc8a9a9d1e2b704ff",
        None,
        1,
    )
    assert (answer["source"], answer["event"], answer["fork"]) == ("event.pull_request.head.sha", "pull_request", None)
    assert "head of pull request #1" in answer["reason"]


def test_the_tree_is_that_of_the_repository_at_hand(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    commit = repo.commit({"a": "1"})
    answer = resolve({"GITHUB_WORKSPACE": str(repo.path)}, offline=True, revision=commit)
    assert (answer["revision"], answer["tree"], answer["event"]) == (commit, repo.head("HEAD^{tree}"), None)


def test_a_fork_is_named_with_the_word_that_the_gate_refuses_it(tmp_path: Path) -> None:
    event, _, env = load("github/pull_request-from-fork")
    path = str(PAYLOADS / "github/pull_request-from-fork.json")
    answer = resolve(env | {"GITHUB_WORKSPACE": str(tmp_path)}, offline=True, event=path, event_name=event)
    assert answer["fork"] == "eve/app"
    assert "a fork, and the gate refuses it" in answer["reason"]


def test_a_fork_that_the_settings_allow_is_not_called_refused(tmp_path: Path) -> None:
    event, _, env = load("github/pull_request-from-fork")
    path = str(PAYLOADS / "github/pull_request-from-fork.json")
    env |= {"GITHUB_WORKSPACE": str(tmp_path), "ALLOW_FORKS": "true"}
    answer = resolve(env, offline=True, event=path, event_name=event)
    assert "eve/app, a fork, which the settings allow" in answer["reason"]


@pytest.mark.parametrize("given", [{"pr": "7"}, {"event_name": "issue_comment"}])
def test_what_only_the_server_knows_is_refused_offline_and_asked_online(
    forge: Forge, tmp_path: Path, given: dict[str, Any]
) -> None:
    commit = forge.repo.commit({"a": "1"})
    forge.pull_request(7, commit)
    forge.allow_ids()
    event = written(tmp_path, {"issue": {"number": 7, "pull_request": {}}, "repository": {"full_name": NAME}})
    given |= {"event": event} if "event_name" in given else {}
    env = at(forge, forge.clone("clone").path)
    refused = resolve(env, offline=True, **given)
    assert (refused["revision"], refused["number"], forge.server.seen) == (None, 7, [])
    assert "Only the server knows the head of pull request #7" in refused["reason"]
    answer = resolve(env, **given)
    assert (answer["revision"], answer["source"], answer["number"]) == (commit, "refs/pull/7/head", 7)
    assert forge.server.seen == [AUTHORIZATION], "one request"


def test_a_rerun_of_a_head_that_moved_is_superseded_online(forge: Forge, tmp_path: Path) -> None:
    """Fails where the payload alone is believed: a rerun has the old one."""
    old = forge.repo.commit({"a": "1"})
    forge.pull_request(7, forge.repo.commit({"a": "2"}))
    event = written(tmp_path, pull_request(old))
    answer = resolve(at(forge, tmp_path), event=event, event_name="pull_request")
    assert (answer["revision"], answer["number"]) == (None, 7)
    assert f"event.pull_request.head.sha says '{old}', refs/pull/7/head says" in answer["reason"]
    unasked = at(forge, forge.repo.path) | {"RECHECK_HEAD": "false"}
    assert resolve(unasked, event=event, event_name="pull_request")["revision"] == old


def test_a_commit_given_by_hand_is_shown_to_be_the_repositorys_own(forge: Forge, tmp_path: Path) -> None:
    commit = forge.repo.commit({"a": "1"})
    forge.repo.branch("theirs")
    fork = forge.repo.commit({"a": "theirs"})
    forge.repo.switch("main")
    forge.repo.git("branch", "--quiet", "-D", "theirs")
    clone = forge.clone("clone")
    clone.git("fetch", "--quiet", forge.repo.url, fork)
    env = at(forge, clone.path)
    assert resolve(env, revision=commit)["revision"] == commit
    for offline in (False, True):
        assert "no branch and no tag" in resolve(env, offline=offline, revision=fork)["reason"]


def test_without_a_checkout_exactly_the_commit_is_fetched_and_looked_up(forge: Forge, tmp_path: Path) -> None:
    """Fails where a commit is only looked up in a checkout: what is no commit of this repository would be named."""
    forge.repo.commit({"a": "1"})
    forge.repo.branch("theirs")
    fork = forge.repo.commit({"a": "theirs"})
    forge.repo.switch("main")
    commit = forge.repo.commit({"a": "2"})
    forge.repo.git("branch", "--quiet", "-D", "theirs")
    forge.allow_ids()
    env = at(forge, tmp_path / "empty") | {"RUNNER_TEMP": str(tmp_path)}
    before = set(tmp_path.iterdir())
    answer = resolve(env, revision=commit)
    assert (answer["revision"], answer["tree"]) == (commit, forge.repo.head("HEAD^{tree}"))
    assert "no branch and no tag" in resolve(env, revision=fork)["reason"]
    assert "neither in the checkout nor on" in resolve(env, revision="a" * 40)["reason"]
    assert set(tmp_path.iterdir()) == before, "the repository that it was fetched into is gone"


def test_what_was_not_looked_up_is_said(tmp_path: Path) -> None:
    """Fails where a null tree has no reason."""
    nowhere = {"GITHUB_WORKSPACE": str(tmp_path)}
    pushed = resolve(nowhere | {"GITHUB_EVENT_NAME": "push", "GITHUB_SHA": "a" * 40}, offline=True)
    assert pushed["reason"].endswith("not looked up: there is no local repository.")
    is_explicit = resolve(nowhere, revision="a" * 40)
    assert (is_explicit["revision"], is_explicit["tree"]) == ("a" * 40, None)
    assert is_explicit["reason"].endswith(
        "there is no local repository, and it is not yet verified that this repository contains it."
    )
    repo = GitRepo.init(tmp_path / "repo")
    repo.commit({"a": "1"})
    env = {"GITHUB_WORKSPACE": str(repo.path), "GITHUB_EVENT_NAME": "push", "GITHUB_SHA": "a" * 40}
    lacked = resolve(env, offline=True)
    assert (lacked["revision"], lacked["tree"]) == ("a" * 40, None)
    assert "the local checkout lacks the commit" in lacked["reason"]


@pytest.mark.parametrize("kind", ["tag", "tree"])
def test_what_is_no_commit_is_called_what_it_is(tmp_path: Path, kind: str) -> None:
    """Fails where reachability is looked at first: no branch has a tag object in its history."""
    repo = GitRepo.init(tmp_path / "repo")
    repo.commit({"a": "1"})
    repo.git("tag", "--annotate", "--message=1", "v1")
    named = repo.head("v1" if kind == "tag" else "HEAD^{tree}")
    reason = resolve({"GITHUB_WORKSPACE": str(repo.path)}, offline=True, revision=named)["reason"]
    assert f"is a {kind} object" in reason
    assert "git rev-parse 'NAME^{commit}'" in reason


def test_a_sha256_id_is_refused_where_a_repository_is_at_hand(tmp_path: Path) -> None:
    """Fails where libgit2 is asked for it, which raises TypeError."""
    repo = GitRepo.init(tmp_path / "repo")
    repo.commit({"a": "1"})
    env = {"GITHUB_WORKSPACE": str(repo.path), "GITHUB_EVENT_NAME": "push", "GITHUB_SHA": "a" * 64}
    assert "a commit of a SHA-256 repository" in resolve(env, offline=True)["reason"]


def test_an_event_file_without_its_events_name_is_a_usage_error(tmp_path: Path) -> None:
    event = written(tmp_path, pull_request("a" * 40))
    nowhere = {"GITHUB_WORKSPACE": str(tmp_path)}
    with pytest.raises(SettingsError, match="--event-name"):
        resolve(nowhere, offline=True, event=event, revision="a" * 40)
    assert resolve(nowhere | {"GITHUB_EVENT_NAME": "pull_request"}, offline=True, event=event)["number"] == 7


def test_a_forge_that_has_to_be_asked_and_is_not_named_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match=r"The forge must be asked.* do not name it\. Set both\."):
        resolve({"GITHUB_WORKSPACE": str(tmp_path), "RECHECK_HEAD": "true"}, pr="7")


@pytest.mark.parametrize(("name", "status"), [("pull_request-opened", 0), ("issues-opened", 1)])
def test_the_exit_status_says_whether_there_is_a_commit(tmp_path: Path, name: str, status: int) -> None:
    """Fails too where resolving imports Docker's client, which costs more than the rest together."""
    event, _, env = load(f"gitea-1.26/{name}")
    options = ["--offline", "--json", "--event", str(PAYLOADS / f"gitea-1.26/{name}.json"), "--event-name", event]
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-I", str(ROOT / "src"), "resolve", *options],
        env=env | {"GITHUB_WORKSPACE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == status
    assert (json.loads(run.stdout)["revision"] is None) == (status == 1)
    assert not {"docker", "requests"} & {line.rpartition("|")[2].strip() for line in run.stderr.splitlines()}
