"""The settings of `commit-status`: what another job's gate or promotion said of itself, as its outputs hand it on."""

from msgspec import Struct

from freshness.core.secret import Secret
from freshness.settings import values
from freshness.settings.declaration import setting


class StatusSettings(Struct, frozen=True, kw_only=True):
    """All are as they were given: an output of a job that did not run can be empty, or the text of an expression."""

    verdict: str = setting(
        str, "Output `verdict` of the gate, or `outcome` of promote; `pending` before the job runs.", common=True
    )
    gate: str = setting(str, "Output `gate` of the gate: only with `open` is `fresh` a success.", common=True)
    reason: str = setting(str, "Output `reason`.", common=True)
    revision: str = setting(
        str,
        "Output `revision` of the gate: the commit that gets the status.",
        variable="GIT_SHA",
        shown_default="the pull request's head that the event names",
        common=True,
    )
    context: str = setting(
        values.status_name,
        "Name of the status, with the application's where a repository has several: `freshness/gate shop`.",
        name="commit-status",
        default="freshness/gate",
        common=True,
    )
    token: Secret | None = setting(
        values.optional(values.token),
        "Token that may set a status: of a job with `statuses: write`, on Gitea `contents: write`.",
        name="github-token",
        action_default="${{ github.token }}",
        sensitive=True,
        shown_default="`github.token`",
    )
