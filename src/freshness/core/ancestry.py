"""Decides whether a promotion goes forward: production is never taken back, or sideways, without a reason."""

from typing import assert_never

from freshness.core.history import Comparison, Relation
from freshness.errors import Refused

IN_PRODUCTION, RAN_LAST = "the commit in production", "the commit that ran last"


def require_ancestry(
    found: Comparison,
    *,
    production: str,
    candidate: str,
    allow_rollback: str | None,
    allow_diverged: str | None,
    where: str = IN_PRODUCTION,
) -> str:
    """How the candidate stands to production, in a sentence for report and summary, with the reason that allows it.

    `production` and `candidate` are commit ids; `where` says what the first one is. Raises
    Refused for an older or diverged candidate without a reason, and always where the history does not tell.
    """
    match found.relation:
        case Relation.SAME:
            return (
                f"Production already runs {production}." if where == IN_PRODUCTION else f"It is {production}, {where}."
            )
        case Relation.AHEAD:
            squashed = f" (through {found.via}, which has the same tree)" if found.via else ""
            return f"{candidate} is {_commits(found.ahead)} ahead of {production}, {where}{squashed}."
        case Relation.BEHIND:
            return _allowed(
                f"{candidate} is {_commits(found.behind)} behind {production}, {where}",
                "allow-rollback",
                allow_rollback,
            )
        case Relation.DIVERGED:
            return _allowed(
                f"{candidate} lacks {_commits(found.behind)} of {production}, {where}",
                "allow-diverged",
                allow_diverged,
            )
        case Relation.UNKNOWN:
            raise _unknown(candidate, production)
        case _:
            assert_never(found.relation)


def _unknown(candidate: str, production: str) -> Refused:
    return Refused(
        f"Cannot tell whether {candidate} is newer than {production}, the commit in production: the Git history is"
        " incomplete.",
        "Push the commit in production, check out with `fetch-depth: 0`, or let `github-token` read the repository.",
    )


def _commits(count: int) -> str:
    return "1 commit" if count == 1 else f"{count} commits"


def _allowed(what: str, setting: str, reason: str | None) -> str:
    if reason is None:
        raise Refused(
            f"{what}; expected a commit that contains it.",
            f"Promote a commit that contains it, or give a reason in `{setting}`.",
        )
    return f"{what}; `{setting}` allows it: {reason}"
