"""Opens a deployment of an environment at GitHub, and says how it goes. Gitea 1.26 has no such interface."""

from collections.abc import Mapping

from freshness.ci.forge_calls import ForgeCalls, Unanswered

NEEDS = "the job needs `deployments: write`, and a forge that has deployments, as GitHub does"


def open_deployment(calls: ForgeCalls, commit: str, environment: str) -> int:
    """A deployment of that very commit, whatever its other statuses say. Returns its id. Raises as `ForgeCalls.ask`.

    https://docs.github.com/en/rest/deployments/deployments#create-a-deployment
    """
    payload = {"ref": commit, "environment": environment, "auto_merge": False, "required_contexts": []}
    made = calls.ask("POST", "deployments", NEEDS, payload)
    found = made.get("id") if isinstance(made, Mapping) else None
    if not isinstance(found, int):
        raise Unanswered("the forge named no deployment")
    return found


def set_state(calls: ForgeCalls, deployment: int, state: str, description: str, log_url: str) -> None:
    """`state` is `in_progress`, or a commit status's word. Raises as `ForgeCalls.ask`.

    https://docs.github.com/en/rest/deployments/statuses#create-a-deployment-status
    """
    payload = {"state": state, "description": description, **({"log_url": log_url} if log_url else {})}
    calls.ask("POST", f"deployments/{deployment}/statuses", NEEDS, payload)
