"""The rows of the table about which commit may become production: whose, how new, and whether the forge is asked."""

from freshness.settings import values
from freshness.settings.kinds import Match
from freshness.settings.setting import Setting

_PR = Setting(
    name="pr",
    variable="PR",
    read=values.optional(values.whole_number(1, 999_999_999, "a pull request's number")),
    shown_default="from the event",
    about="Number of the pull request whose head is meant, for workflow_dispatch and the command line.",
)
_RECHECK_HEAD = Setting(
    name="recheck-head",
    variable="RECHECK_HEAD",
    read=values.optional(values.switch),
    shown_default="`true`; `false` where no forge made the run (plain act, a shell)",
    about="Ask the forge, when all else is done, whether the pull request's head is still the commit.",
)

GATE: tuple[Setting, ...] = (
    _PR,
    _RECHECK_HEAD,
    Setting(
        name="require-up-to-date",
        variable="REQUIRE_UP_TO_DATE",
        read=values.switch,
        default="false",
        about="`true` closes the gate when the pull request's branch lacks commits of its base.",
    ),
    Setting(
        name="allow-forks",
        variable="ALLOW_FORKS",
        read=values.switch,
        default="false",
        about="`true` builds the code of forks on the Docker host, whose socket makes it root there.",
    ),
    Setting(
        name="allow-forks-with-secrets",
        variable="ALLOW_FORKS_WITH_SECRETS",
        read=values.switch,
        default="false",
        about="`true`, besides `allow-forks`, also where the run holds secrets: pull_request_target, workflow_run, "
        "issue_comment and all but pull_request and its reviews.",
    ),
)

PROMOTE: tuple[Setting, ...] = (
    _PR,
    _RECHECK_HEAD,
    Setting(
        name="match",
        variable="MATCH",
        read=values.choice(Match, "Write commit, or tree where a squash or merge with an equal tree counts too."),
        default="commit",
        about="What the image is built from: the expected `commit`, or (`tree`) one with an equal tree.",
    ),
    Setting(
        name="allow-rollback",
        variable="ALLOW_ROLLBACK",
        read=values.optional(values.reason),
        shown_default="none",
        about="Reason for promoting a commit older than what production runs; recorded in report and summary.",
    ),
    Setting(
        name="allow-diverged",
        variable="ALLOW_DIVERGED",
        read=values.optional(values.reason),
        shown_default="none",
        about="Reason for promoting a commit that lacks what production runs; recorded in report and summary.",
    ),
    Setting(
        name="require-known",
        variable="REQUIRE_KNOWN",
        read=values.switch,
        default="false",
        about="`true` refuses to replace a production that names no commit.",
    ),
)
