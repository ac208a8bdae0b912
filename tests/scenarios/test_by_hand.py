"""A commit or a pull request that a person names: the base repository itself must have it, and the forge is asked."""

from collections.abc import Callable

import pytest

from tests.support.forge import AUTHORIZATION
from tests.support.jobs import GITEA, NUMBER, Hosted

NAMED: dict[str, Callable[[Hosted], dict[str, str]]] = {
    "comment": lambda hosted: hosted.on_comment(),
    "pr": lambda hosted: hosted.on_dispatch(PR=str(NUMBER)),
}


@pytest.mark.parametrize("named", NAMED)
def test_of_a_pull_request_that_is_only_named_the_server_tells_the_head(named: str, hosted: Hosted) -> None:
    """Breaks when `of_comment` or `_by_number` takes GITHUB_SHA, which is the default branch's tip."""
    head, main = hosted.open_pull_request(), hosted.repo.head("main")

    ended = hosted.runner.gate(**hosted.job(GITEA, main, hosted.check_out("refs/heads/main")), **NAMED[named](hosted))

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert ended.outputs["revision"] == head != main
    assert ended.report["candidate"]["source"] == "refs/pull/7/head"
    assert set(hosted.forge.server.seen) == {AUTHORIZATION}


@pytest.mark.parametrize("named", NAMED)
def test_a_forks_head_that_is_only_named_is_refused(named: str, hosted: Hosted) -> None:
    """Breaks when `settle` takes a head that no branch stands at for the repository's own."""
    head, main = hosted.open_from_fork(), hosted.repo.head("main")

    ended = hosted.runner.gate(**hosted.job(GITEA, main, hosted.check_out("refs/heads/main")), **NAMED[named](hosted))

    assert ended.decision == ("closed", "refused", 1), ended.log
    assert f"{head} comes from a repository that the event does not name" in ended.reason
    assert hosted.is_untouched()


@pytest.mark.parametrize("where", ["at a branch", "in a branch's history", "at a tag"])
def test_a_commit_by_hand_that_the_repository_has_is_fresh(where: str, hosted: Hosted) -> None:
    """Breaks when `require_reachable` looks at branches alone, or no further than a shallow checkout goes."""
    commit = hosted.repo.commit({"by-hand.txt": "1"})
    if where == "at a tag":
        hosted.repo.git("tag", "--annotate", "--message=Release", "v1")
        hosted.repo.git("reset", "--quiet", "--hard", "HEAD^")
        hosted.push("v1")
    if where == "in a branch's history":
        hosted.repo.commit({"by-hand.txt": "2"})
    hosted.push("main")
    checkout = hosted.check_out("refs/heads/main")

    ended = hosted.runner.gate(
        **hosted.job(GITEA, hosted.repo.head("main"), checkout), **hosted.on_dispatch(GIT_SHA=commit)
    )

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert ended.outputs["revision"] == commit


def test_a_forks_commit_by_hand_is_refused_although_the_forge_serves_it(hosted: Hosted) -> None:
    """Breaks when `permitted_revision` in resolve_commit.py no longer insists that the commit is reachable."""
    fork, main = hosted.open_from_fork(), hosted.repo.head("main")
    checkout = hosted.check_out("refs/heads/main")

    ended = hosted.runner.gate(**hosted.job(GITEA, main, checkout), **hosted.on_dispatch(GIT_SHA=fork))

    assert ended.decision == ("closed", "refused", 1), ended.log
    assert f"revision names {fork}, which is in the history of no branch and no tag" in ended.reason
    assert hosted.is_untouched()


@pytest.mark.parametrize("own", [True, False], ids=["own", "a fork's"])
def test_without_the_forge_the_clones_references_decide(hosted: Hosted, *, own: bool) -> None:
    """Breaks when `local_references` takes `refs/remotes/pull/` for the repository's own, or the forge is asked."""
    commit = hosted.open_pull_request() if own else hosted.open_from_fork()
    clone = hosted.forge.clone("clone")
    clone.git("fetch", "--quiet", hosted.forge.repo.url, f"refs/pull/{NUMBER}/head:refs/remotes/pull/{NUMBER}/head")

    ended = hosted.runner.gate(
        **hosted.job(GITEA, clone.head(), clone), **hosted.on_dispatch(GIT_SHA=commit, RECHECK_HEAD="false")
    )

    assert ended.decision == (("open", "fresh", 0) if own else ("closed", "refused", 1)), ended.log
    assert hosted.forge.server.seen == []
    assert own or "no branch and no tag of this clone" in ended.reason
