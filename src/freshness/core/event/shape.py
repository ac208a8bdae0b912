"""Tells the event by its payload where the runner only says `workflow_call`, as Gitea's does in a reusable workflow."""

from freshness.core.event.fields import Environment, Payload
from freshness.core.run import Run
from freshness.errors import Refused

# The key that a payload has, and the event that alone sends it; the first that is there decides.
_KEYS = (
    ("merge_group", "merge_group"),
    ("workflow_run", "workflow_run"),
    ("comment", "issue_comment"),
    ("release", "release"),
    ("schedule", "schedule"),
    ("after", "push"),
    ("workflow", "workflow_dispatch"),
    ("inputs", "workflow_dispatch"),
)


def caller_of(payload: Payload, env: Environment) -> str:
    """The event that started the calling workflow. Raises Refused where the payload is of none that names a commit."""
    if "pull_request" in payload:
        # The workflow of the base branch runs on pull_request_target alone, and has secrets for a fork's commit too.
        from_base = Run.of(env).ref.startswith("refs/heads/")
        return "pull_request_target" if from_base else "pull_request"
    for key, event in _KEYS:
        if key in payload:
            return event
    if payload.get("ref_type") in ("branch", "tag") and ("sha" in payload or "master_branch" in payload):
        return "create"
    raise Refused(
        "The event is 'workflow_call', and its payload is of no event that names a commit.",
        "Start the calling workflow on an event that names one, such as pull_request or push.",
    )
