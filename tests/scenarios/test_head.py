"""The pull request's head: all that name it have to agree, and the forge is asked first, last, and before promoting."""

import socket
from collections.abc import Callable

import pytest

from tests.support.engines import free_port
from tests.support.forge import AUTHORIZATION
from tests.support.jobs import GITEA, GITHUB, NUMBER, PLAIN_ACT, Hosted
from tests.support.promotions import LONG, Production
from tests.support.runner import Ended

REF = f"refs/pull/{NUMBER}/head"
NOT_ASKED = "`recheck-head` is false"


def on_gitea(hosted: Hosted, head: str) -> dict[str, str]:
    """A pull request's run: GITHUB_SHA is the head, and so is what is checked out."""
    return {**hosted.job(GITEA, head, hosted.check_out(REF)), **hosted.on_pull_request(head)}


def on_github(hosted: Hosted, head: str) -> dict[str, str]:
    """A pull request's run: GITHUB_SHA and the only commit that is checked out are a merge."""
    merge = hosted.merge_for_tests()
    return {
        **hosted.job(GITHUB, merge, hosted.check_out(f"refs/pull/{NUMBER}/merge")),
        **hosted.on_pull_request(head),
    }


Run = Callable[[Hosted, str], dict[str, str]]
FORGES = pytest.mark.parametrize("run", [on_gitea, on_github])


def assert_said(ended: Ended, text: str) -> None:
    """In the log, the summary and the report."""
    assert text in ended.log
    assert text in ended.summary
    assert any(text in note for note in ended.report["notes"])


def test_on_gitea_payload_sha_and_server_agree_and_the_server_is_asked_twice(hosted: Hosted) -> None:
    """Breaks when `confirm_head` in gate/last.py asks nothing, or `ask_references` takes more than one request."""
    head = hosted.open_pull_request()

    ended = hosted.runner.gate(**on_gitea(hosted, head))

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert ended.outputs["revision"] == head
    assert hosted.forge.server.seen == [AUTHORIZATION] * 2, "one request at the start, one at the end"
    assert ended.checks()["head"] == "passed"
    assert f"Commit {head[:12]} is the head of pull request #7 (event.pull_request.head.sha)." in ended.log


def test_on_github_the_head_is_fetched_and_built_not_the_merge(hosted: Hosted) -> None:
    """Breaks when `of_pull_request` takes GITHUB_SHA, or `find_revision` fetches nothing that the checkout lacks."""
    head = hosted.open_pull_request()
    variables = on_github(hosted, head)

    ended = hosted.runner.gate(**variables)

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert ended.outputs["revision"] == head != variables["GITHUB_SHA"]
    assert hosted.runner.sandbox.get(hosted.runner.app.staging_port, "/version") == (200, head)
    assert f"GITHUB_SHA '{variables['GITHUB_SHA'][:12]}' is not it" in ended.log


@FORGES
def test_a_rerun_of_an_old_run_is_superseded_before_anything_is_built(run: Run, hosted: Hosted) -> None:
    """Breaks when `settle` in core/agreement.py no longer confirms the head: a rerun has the first payload."""
    old = hosted.open_pull_request()
    variables = run(hosted, old)
    new = hosted.move_head()

    ended = hosted.runner.gate(**variables)

    assert ended.decision == ("closed", "superseded", 1), ended.log
    assert f"event.pull_request.head.sha says '{old}', {REF} says '{new}'" in ended.reason
    assert hosted.is_untouched()


@FORGES
def test_a_head_that_moves_while_staging_is_checked_closes_the_gate(run: Run, hosted: Hosted) -> None:
    """Breaks when `confirm_head` in gate/last.py is not called after the last check."""
    head = hosted.open_pull_request()
    with hosted.while_checking(**run(hosted, head)) as running:
        new = hosted.move_head()

    ended = running.end()

    assert ended.decision == ("closed", "superseded", 1), ended.log
    assert f"{REF} says '{new}'" in ended.reason
    assert ended.outputs["image-id"] == ""
    assert [name for name, result in ended.checks().items() if result != "passed"] == ["head"]


def test_on_gitea_a_sha_that_is_not_the_payloads_head_is_superseded(hosted: Hosted) -> None:
    """Breaks when `of_pull_request` no longer insists on Gitea's GITHUB_SHA: quick pushes set the two apart."""
    old = hosted.open_pull_request()
    new = hosted.move_head()

    ended = hosted.runner.gate(**hosted.job(GITEA, old), **hosted.on_pull_request(new))

    assert ended.decision == ("closed", "superseded", 1), ended.log
    assert f"GITHUB_SHA ({REF}) says '{old}'" in ended.reason
    assert hosted.is_untouched()


@pytest.mark.parametrize("wrong", ["nobody answers", "the token is refused", "there is no such repository"])
def test_a_forge_that_cannot_be_asked_is_an_error_and_nothing_is_built(wrong: str, hosted: Hosted) -> None:
    """Breaks when `resolve_candidate` takes what the forge does not answer for agreement."""
    head = hosted.open_pull_request()
    with_what = {
        "nobody answers": {"GITHUB_SERVER_URL": f"http://127.0.0.1:{free_port()}"},
        "the token is refused": {"GITHUB_TOKEN": "another"},
        "there is no such repository": {"GITHUB_REPOSITORY": "org/other"},
    }[wrong]

    ended = hosted.runner.gate(**on_gitea(hosted, head) | with_what)

    assert ended.decision == ("closed", "error", 3), ended.log
    assert "asking for branches and pull requests from" in ended.reason
    assert hosted.is_untouched()


def refuse_the_token(hosted: Hosted) -> None:
    """As when the job's token expires while it runs."""
    hosted.forge.server.authorization = "Basic another"


@pytest.mark.parametrize("change", [Hosted.stop_serving, refuse_the_token])
def test_a_forge_that_cannot_be_asked_at_the_end_closes_the_gate(
    change: Callable[[Hosted], None], hosted: Hosted
) -> None:
    """Breaks when `confirm_head` in gate/last.py passes over a RepositoryError."""
    head = hosted.open_pull_request()
    with hosted.while_checking(**on_gitea(hosted, head)) as running:
        change(hosted)

    ended = running.end()

    assert ended.decision == ("closed", "error", 3), ended.log
    assert ended.outputs["image-id"] == ""
    assert "asking for branches and pull requests" in ended.reason


def test_a_failed_check_stays_the_verdict_where_the_forge_cannot_be_asked_either(hosted: Hosted) -> None:
    """Breaks when `_result` in gate/request.py takes the exit status of another error than the verdict's."""
    head = hosted.open_pull_request()
    check = {"CHECK_COMMAND": "sh -c 'echo blocked; until [ -e /tmp/go ]; do sleep 0.05; done; exit 1'"}
    running = hosted.runner.start_gate(**on_gitea(hosted, head), **check)
    running.wait_for("│ blocked")
    hosted.stop_serving()
    hosted.runner.in_staging("touch", "/tmp/go")  # noqa: S108 -- the container's own

    ended = running.end()

    assert ended.decision == ("closed", "check-failed", 1), ended.log
    assert ended.checks()["head"] == "error"


@pytest.mark.parametrize(
    "unasked",
    [{**GITEA, "RECHECK_HEAD": "false"}, PLAIN_ACT, {"GITHUB_SERVER_URL": ""}],
    ids=["switched off", "plain act", "a shell"],
)
def test_not_asking_is_said_aloud_and_asks_nothing(unasked: dict[str, str], hosted: Hosted) -> None:
    """Breaks when `has_forge` is true for plain act, or `confirm_head` in gate/last.py says nothing."""
    head = hosted.open_pull_request()
    hosted.forge.pull_request(NUMBER, hosted.repo.head("main"))

    ended = hosted.runner.gate(**hosted.job({}, head) | hosted.on_pull_request(head) | unasked)

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert hosted.forge.server.seen == []
    assert_said(ended, NOT_ASKED)


def test_a_branch_that_lacks_commits_of_its_base_is_counted_and_refused(hosted: Hosted) -> None:
    """Breaks when `permitted_revision` in resolve_commit.py ignores `require-up-to-date`, or counts the wrong side."""
    head = hosted.open_pull_request()
    for content in ("1", "2"):
        hosted.repo.commit({"main.txt": content})
    hosted.push("main")
    up_to_date = {"REQUIRE_UP_TO_DATE": "true"}

    ended = hosted.runner.gate(**on_github(hosted, head), **up_to_date)

    assert ended.decision == ("closed", "refused", 1), ended.log
    assert f"{head} lacks 2 commits of its base main" in ended.reason
    assert hosted.is_untouched()

    hosted.repo.switch("feature")
    merged = hosted.repo.merge("main")
    hosted.push("feature")
    hosted.forge.pull_request(NUMBER, merged)
    assert hosted.runner.gate(**on_gitea(hosted, merged), **up_to_date).decision == ("open", "fresh", 0)


ABOUT: dict[str, Callable[[Hosted, str], dict[str, str]]] = {
    "pull_request": lambda hosted, head: hosted.on_pull_request(head),
    "comment": lambda hosted, _: hosted.on_comment(),
    "pr": lambda hosted, _: hosted.on_dispatch(PR=str(NUMBER)),
}


@pytest.mark.parametrize("about", ABOUT)
def test_a_promotion_asks_once_more_since_single_jobs_are_rerun(about: str, hosted: Hosted) -> None:
    """Breaks when `confirm_head` in ancestry.py asks nothing, or `_pull_request_of_event` finds no pull request."""
    head = hosted.open_pull_request()
    production = Production(runner=hosted.runner, record=lambda *_: None)
    image = production.build(head)
    variables = {
        **hosted.job(GITEA, head), **ABOUT[about](hosted, head), "EXPECTED_REVISION": head, "SOURCE_IMAGE": image.id,
    }  # fmt: skip
    new = hosted.move_head()
    before = production.state()

    ended = hosted.runner.start("promote", **variables).end()

    assert (ended.status, ended.outputs["outcome"]) == (1, "refused"), ended.log
    assert f"{REF} says '{new}'" in ended.reason
    assert production.state() == before

    hosted.forge.pull_request(NUMBER, head)
    hosted.forge.server.seen.clear()
    assert hosted.runner.start("promote", **variables, **LONG).end().outputs["outcome"] == "promoted"
    assert hosted.forge.server.seen == [AUTHORIZATION], "one request"


def test_a_promotion_that_cannot_ask_is_an_error_and_one_that_may_not_says_so(hosted: Hosted) -> None:
    """Breaks when `confirm_head` in ancestry.py passes over a RepositoryError, or `require_ancestry` says no note."""
    head = hosted.open_pull_request()
    production = Production(runner=hosted.runner, record=lambda *_: None)
    image = production.build(head)
    variables = {
        **hosted.job(GITEA, head), **hosted.on_pull_request(head), **LONG,
        "EXPECTED_REVISION": head, "SOURCE_IMAGE": image.id,
    }  # fmt: skip
    hosted.stop_serving()
    before = production.state()

    ended = hosted.runner.start("promote", **variables).end()

    assert (ended.status, ended.outputs["outcome"]) == (3, "error"), ended.log
    assert production.state() == before

    ended = hosted.runner.start("promote", **variables, RECHECK_HEAD="false").end()
    assert (ended.status, ended.outputs["outcome"]) == (0, "promoted"), ended.log
    assert_said(ended, NOT_ASKED)


def test_an_http_forge_behind_a_proxy_is_told_and_a_full_checkout_leads_out(hosted: Hosted) -> None:
    """Fails when `explain` in git/transfer.py leaves the proxy out, or its remedy still asks the forge."""
    head = hosted.open_pull_request()
    hosted.repo.switch("feature")
    behind = {
        **hosted.job(GITEA, head), **hosted.on_pull_request(head), "no_proxy": "other.example", "NO_PROXY": "",
        "GITHUB_SERVER_URL": f"http://127.0.0.1:{free_port()}",
    }  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        address = f"http://ann:hunter2@127.0.0.1:{proxy.getsockname()[1]}"
        ended = hosted.runner.gate(**behind, http_proxy=address)
        near = hosted.runner.gate(**{**behind, "no_proxy": "127.0.0.0/8"}, http_proxy=address)
        out = hosted.runner.gate(**behind, http_proxy=address, RECHECK_HEAD="false")

    assert ended.decision == ("closed", "error", 3), ended.log
    assert "http_proxy names a proxy, and libgit2 uses none for http:// addresses" in ended.reason
    assert "hunter2" not in f"{ended.log}{ended.written}{ended.summary}{ended.report}"
    assert "names a proxy" not in near.reason
    assert out.decision == ("open", "fresh", 0), out.log
    assert_said(out, NOT_ASKED)
