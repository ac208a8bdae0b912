"""Which commit may become production: whose it is, how new, and whether the forge is asked."""

from msgspec import Struct

from freshness.core.run import Run
from freshness.settings import values
from freshness.settings.declaration import Surroundings, setting
from freshness.settings.kinds import Match


def _else_whether_there_is_a_forge(given: bool | None, surroundings: Surroundings) -> bool:  # noqa: FBT001 -- a value
    return Run.of(surroundings.env).has_forge if given is None else given


class Head(Struct, frozen=True, kw_only=True):
    """The pull request's head. `pr` is None for the event's."""

    pr: int | None = setting(
        values.optional(values.whole_number(1, 999_999_999, "a pull request's number")),
        "Pull request to gate, by number; for workflow_dispatch and the command line.",
        shown_default="from the event",
    )
    recheck: bool = setting(
        values.optional(values.switch),
        "At the end, ask the forge whether the commit is still the pull request's head.",
        name="recheck-head",
        shown_default="`true`; `false` outside a forge's own runs (plain act, a shell)",
        resolve=_else_whether_there_is_a_forge,
    )


class Forks(Struct, frozen=True, kw_only=True):
    """Whose commits the gate builds, and how new they are."""

    require_up_to_date: bool = setting(
        values.switch,
        "`true` closes the gate when the pull request's branch lacks commits of its base.",
        default="false",
    )
    allow: bool = setting(
        values.switch,
        "`true` builds forks' code on the Docker host, whose socket makes it root there.",
        name="allow-forks",
        default="false",
    )
    allow_with_secrets: bool = setting(
        values.switch,
        "`true`, with `allow-forks`, also on events whose runs have secrets: pull_request_target, workflow_run,"
        " issue_comment and all but pull_request and its reviews.",
        name="allow-forks-with-secrets",
        default="false",
    )


class Ancestry(Struct, frozen=True, kw_only=True):
    """How the promoted commit stands to what is expected and to what production runs.

    `allow_rollback` and `allow_diverged` are reasons in words, or None.
    """

    match: Match = setting(
        values.choice(Match, "Write commit, or tree if a squash or merge with an equal tree counts too."),
        "What the image must be built from: the expected `commit`, or (`tree`) a commit with the same tree.",
        default="commit",
    )
    allow_rollback: str | None = setting(
        values.optional(values.reason),
        "Reason for promoting a commit older than the one in production; recorded in report and summary.",
        shown_default="none",
    )
    allow_diverged: str | None = setting(
        values.optional(values.reason),
        "Reason for promoting a commit that lacks commits of production; recorded in report and summary.",
        shown_default="none",
    )
    require_known: bool = setting(
        values.switch, ("`true` refuses to replace a production image that has no commit label."), default="false"
    )
