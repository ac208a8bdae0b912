"""Tells which forge's runner a job runs on, or that it is a plain act run or a shell that no forge stands behind."""

from collections.abc import Mapping

Environment = Mapping[str, str]


def is_gitea(env: Environment) -> bool:
    """Gitea's runner sets ACT as well, so Gitea is asked first."""
    return env.get("GITEA_ACTIONS", "").lower() == "true"


def is_act(env: Environment) -> bool:
    """A plain act run: its GITHUB_SHA is the local HEAD, and its server address is a guess."""
    return env.get("ACT", "").lower() == "true" and not is_gitea(env)


def has_forge(env: Environment) -> bool:
    """Whether a forge made this run, so that it can be asked for a pull request's head and for branches."""
    return not is_act(env) and bool(env.get("GITHUB_SERVER_URL"))
