"""Events about one commit of the repository itself: pushes, tags, releases, schedules, dispatches and merge queues."""

from msgspec.structs import replace

from freshness.core.event.fields import (
    Environment,
    Payload,
    full_id,
    is_zero_id,
    object_at,
    remedy_for,
)
from freshness.core.quoting import quoted
from freshness.core.revision import Candidate
from freshness.core.run import Run
from freshness.errors import Refused, Superseded

_WHAT = {
    "create": "the commit of the new branch or tag",
    "release": "the commit of the release's tag",
    "schedule": "the tip of the default branch when the schedule fired",
    "workflow_dispatch": "the tip of the branch or tag that the workflow was started on",
}
GROUP_HEAD = "event.merge_group.head_sha"


def of_start(event: str, _: Payload, env: Environment) -> Candidate:
    """The commit that the run was started on."""
    commit = full_id(Run.of(env).sha or None, "GITHUB_SHA", "Set `revision` to the commit.")
    what = "the local HEAD" if Run.of(env).is_act else _WHAT[event]
    note = f"Commit {commit} is {what} (GITHUB_SHA)."
    return Candidate(commit=commit, source="GITHUB_SHA", event=event, note=note)


def of_release(event: str, payload: Payload, env: Environment) -> Candidate:
    """The commit of the release's tag. A draft has none yet."""
    release = object_at(payload, "release", "event", remedy_for(event, env, "`release`"))
    if release.get("draft") is True or payload.get("action") in ("deleted", "unpublished"):
        raise Refused(
            f"The release's action is {quoted(payload.get('action'))}, so its tag names no commit; expected a release.",
            "Run the gate when a release is published.",
        )
    return of_start(event, payload, env)


def of_push(event: str, payload: Payload, env: Environment) -> Candidate:
    """The pushed commit. A deletion names none; `after` may be a tag object, or the push before."""
    after = payload.get("after")
    if payload.get("deleted") is True or is_zero_id(after):
        raise Refused(
            "The push deleted its branch or tag; expected a commit.",
            "There is nothing to gate: run it on other pushes.",
        )
    commit = full_id(Run.of(env).sha or None, "GITHUB_SHA", "Set `revision` to the commit.")
    what = "the local HEAD, which act calls pushed" if Run.of(env).is_act else "the pushed one"
    note = f"Commit {commit} is {what} (GITHUB_SHA)."
    candidate = Candidate(commit=commit, source="GITHUB_SHA", event=event, note=note)
    if not isinstance(after, str) or after.lower() == commit:
        return candidate
    why = f"; event.after says {quoted(after)}, which is a tag object or an earlier push to the same branch."
    return replace(candidate, note=note.removesuffix(".") + why)


def of_merge_group(event: str, payload: Payload, env: Environment) -> Candidate:
    """The merge that GitHub's queue made and means to fast-forward the branch to."""
    remedy = remedy_for(event, env, "`merge_group.head_sha`")
    if payload.get("action") == "destroyed":
        raise Refused("The merge group was destroyed; expected one to check.", "Run on the type checks_requested.")
    group = object_at(payload, "merge_group", "event", remedy)
    commit = full_id(group.get("head_sha"), GROUP_HEAD, remedy)
    sha = Run.of(env).commit
    if sha not in {"", commit} and not Run.of(env).is_act:
        raise Superseded(
            f"The merge group: {GROUP_HEAD} says {commit}, GITHUB_SHA says {quoted(sha)}; expected the same commit.",
            "Put the pull request into the queue again.",
        )
    note = f"Commit {commit} is the one that the merge queue would merge ({GROUP_HEAD})."
    return Candidate(commit=commit, source=GROUP_HEAD, event=event, note=note)
