"""What the server says settles a question, contradicts a candidate, or clears a commit whose origin was left open."""

import pytest
from msgspec.structs import replace

from freshness.core.agreement import agree, confirm_head, settle
from freshness.core.fork import UNKNOWN_REPOSITORY
from freshness.core.revision import Candidate, Question
from freshness.errors import Refused, Superseded

ONE, OTHER = "a" * 40, "b" * 40
QUESTION = Question(number=7, event="issue_comment", asker="event.issue.number")
HEAD = Candidate(commit=ONE, source="event.pull_request.head.sha", event="pull_request", note="", number=7)
PUSHED = Candidate(commit=ONE, source="GITHUB_SHA", event="push", note="")


def test_a_question_is_answered_by_the_head_and_its_origin_stays_open() -> None:
    answer = settle(QUESTION, {"refs/pull/7/head": ONE, "refs/pull/8/head": OTHER, "refs/heads/main": OTHER})
    assert (answer.commit, answer.source, answer.number, answer.fork) == (
        ONE,
        "refs/pull/7/head",
        7,
        UNKNOWN_REPOSITORY,
    )
    assert ONE in answer.note
    assert "#7" in answer.note


@pytest.mark.parametrize(("sha", "said"), [("", False), (ONE, False), (OTHER, True)])
def test_an_answer_says_that_github_sha_is_another_commit_only_where_it_is(sha: str, *, said: bool) -> None:
    answer = settle(replace(QUESTION, sha=sha), {"refs/pull/7/head": ONE})
    assert (f"GITHUB_SHA {OTHER!r} is not it" in answer.note, "GITHUB_SHA" in answer.note) == (said, said)


@pytest.mark.parametrize("name", ["refs/pull/7/merge", "refs/tags/pull/7/head", "refs/remotes/pull/7/head"])
def test_a_question_about_a_pull_request_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="#7, but the server has no refs/pull/7/head"):
        settle(QUESTION, {name: ONE})


def test_what_a_branch_of_the_base_repository_stands_at_is_no_forks() -> None:
    """Fails where a tag, or a pull request's own reference, which the server has for forks too, clears it."""
    refs = {"refs/pull/7/head": ONE}
    assert settle(QUESTION, refs | {"refs/heads/topic": ONE}).fork is None
    for name in ("refs/pull/7/merge", "refs/tags/heads/topic", "refs/for/main"):
        assert settle(QUESTION, refs | {name: ONE}).fork == UNKNOWN_REPOSITORY


def test_a_branch_does_not_clear_a_fork_that_the_event_names() -> None:
    fork = replace(HEAD, fork="eve/app")
    assert settle(fork, {"refs/pull/7/head": ONE, "refs/heads/topic": ONE}) == fork


def test_a_head_that_moved_or_is_gone_supersedes() -> None:
    for references in ({"refs/pull/7/head": OTHER}, {}, {"refs/pull/8/head": ONE}):
        with pytest.raises(Superseded, match=rf"#7: event\.pull_request\.head\.sha says '{ONE}'"):
            confirm_head(HEAD, references)


def test_a_commit_of_no_pull_request_has_no_head_to_move() -> None:
    assert settle(PUSHED, {"refs/heads/main": OTHER}) == PUSHED


def test_sources_that_disagree_are_each_named() -> None:
    agree(7, {"one": ONE, "other": ONE, "third": ONE})
    with pytest.raises(Superseded, match=f"one says '{ONE}', other names none, third says '{OTHER}'"):
        agree(7, {"one": ONE, "other": "", "third": OTHER})
