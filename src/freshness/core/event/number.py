"""Tells which pull request a payload is about, also where no commit can be chosen from it."""

from collections.abc import Iterator, Mapping

from freshness.core.event.fields import Payload, is_pull_number
from freshness.core.event.indirect import numbers_of_run


def number_in_payload(payload: Payload) -> int | None:
    """The pull request's number, where the payload tells exactly one. Nothing is raised for damaged ones."""
    told = {number for number in _numbers(payload) if is_pull_number(number)}
    return told.pop() if len(told) == 1 else None


def _numbers(payload: Payload) -> Iterator[object]:
    pull_request, issue, run = (payload.get(name) for name in ("pull_request", "issue", "workflow_run"))
    if isinstance(pull_request, Mapping):
        yield from (payload.get("number"), pull_request.get("number"))
    if isinstance(issue, Mapping) and isinstance(issue.get("pull_request"), Mapping):
        yield issue.get("number")
    if isinstance(run, Mapping):
        yield from numbers_of_run(run)
