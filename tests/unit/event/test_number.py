"""Which pull request a payload tells, also where it is refused."""

import pytest

from freshness.core.event.number import number_in_payload
from tests.payloads import load

RUN = {"event": "pull_request", "head_sha": "a" * 40}


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("github/pull_request-from-fork", 7),
        ("github/pull_request_review-submitted", 7),
        ("github/issue_comment-pull", 7),
        ("github/issue_comment-issue", None),
        ("github/workflow_run", 7),
        ("github/workflow_run-from-fork", None),
        ("github/push-branch", None),
        ("gitea-1.26/workflow_run-completed-after-pull_request", 1),
    ],
)
def test_a_payload_tells_its_pull_request(name: str, number: int | None) -> None:
    assert number_in_payload(load(name)[1]) == number


@pytest.mark.parametrize(
    "payload",
    [
        {"number": 7},
        {"number": 7, "pull_request": {"number": 5}},
        {"number": "7", "pull_request": {"number": [7]}},
        {"issue": {"number": True, "pull_request": {}}},
        {"workflow_run": {**RUN, "pull_requests": [7, {"number": 7}, {"number": 8}]}},
        {"workflow_run": {**RUN, "event": "push", "pull_requests": [{"number": 7}]}},
        {"pull_request": 7, "issue": [], "workflow_run": "x"},
    ],
)
def test_what_is_damaged_or_of_two_minds_tells_none(payload: dict[str, object]) -> None:
    assert number_in_payload(payload) is None
