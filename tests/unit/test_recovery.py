"""What becomes of a cut promotion depends on what production runs."""

import pytest
from msgspec.structs import replace

from freshness.core.deployment import Deployment, Role
from freshness.core.lock import Record
from freshness.core.recovery import Recovery, decide_configuration, decide_recovery, decide_together

OLD, NEW, OTHER = ("sha256:" + digit * 64 for digit in "123")
RECORD = Record(tag="app", previous=OLD, candidate=NEW, tagged=OLD, kept=())
FIRST = Record(tag="app", previous="", candidate=NEW, tagged="", kept=())


@pytest.mark.parametrize(
    ("record", "running", "what"),
    [
        (RECORD, {OLD}, Recovery.UNDO),
        (RECORD, {NEW}, Recovery.FINISH),
        (RECORD, {OLD, NEW}, Recovery.FINISH),
        (RECORD, set(), Recovery.UNDO),
        (RECORD, {OTHER}, Recovery.LEAVE),
        (FIRST, set(), Recovery.UNDO),
        (FIRST, {NEW}, Recovery.FINISH),
        (FIRST, {OTHER}, Recovery.LEAVE),
    ],
)
def test_what_serves_decides(record: Record, running: set[str], what: Recovery) -> None:
    """I9. Breaks when what somebody else deployed meanwhile is undone, or what serves nothing is left."""
    assert decide_recovery(record, running) is what


SAME = replace(RECORD, previous=NEW, configuration="blue", former="red")
RAN = Deployment(
    project="shop", service="web", role=Role.PRODUCTION, image=NEW, configuration="red", made="hash of red"
)
FORMER, SWITCHED = {"hash of red"}, {"hash of blue"}
UNKNOWN = replace(SAME, former="")


@pytest.mark.parametrize(
    ("record", "recorded", "running", "is_partial", "what"),
    [
        (SAME, RAN, FORMER, False, Recovery.UNDO),
        (SAME, RAN, FORMER, True, Recovery.UNDO),
        (SAME, RAN, SWITCHED, False, Recovery.FINISH),
        (SAME, RAN, SWITCHED, True, Recovery.FINISH),
        (SAME, RAN, FORMER | SWITCHED, False, Recovery.FINISH),
        (SAME, replace(RAN, configuration="blue", made="hash of blue"), SWITCHED, True, Recovery.FINISH),
        (UNKNOWN, None, SWITCHED, False, Recovery.FINISH),
        (UNKNOWN, None, SWITCHED, True, Recovery.UNDO),
        (UNKNOWN, replace(RAN, configuration="blue", made="hash of blue"), SWITCHED, True, Recovery.FINISH),
    ],
)
def test_which_configuration_serves_is_told_by_what_was_recorded(
    record: Record,
    recorded: Deployment | None,
    running: set[str],
    is_partial: bool,  # noqa: FBT001 -- a case
    what: Recovery,
) -> None:
    """I9. Fails when a host that has not been switched yet is finished because its image is the right one."""
    assert decide_configuration(record, recorded, running, is_partial=is_partial) is what


@pytest.mark.parametrize(
    ("votes", "unchanged", "what"),
    [
        ([Recovery.FINISH, Recovery.UNDO], [True, True], Recovery.UNDO),
        ([Recovery.FINISH, Recovery.FINISH], [True, True], Recovery.FINISH),
        ([Recovery.FINISH, Recovery.UNDO], [False, True], Recovery.FINISH),
        ([Recovery.LEAVE, Recovery.FINISH], [True, True], Recovery.FINISH),
        ([Recovery.LEAVE], [True], Recovery.LEAVE),
    ],
)
def test_what_only_changes_its_configuration_counts_among_its_like(
    votes: list[Recovery], unchanged: list[bool], what: Recovery
) -> None:
    """I9. Fails when the first of them decides for all."""
    assert decide_together(votes, unchanged=unchanged) is what
