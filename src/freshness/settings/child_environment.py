"""Decides which variables our children (buildx, Compose, ssh) inherit."""

import re
from collections.abc import Mapping

from freshness.settings.docker_host import at_host
from freshness.settings.table import GATE, PROMOTE

_OURS = frozenset(setting.variable for setting in GATE + PROMOTE)
_SENSITIVE = frozenset(setting.variable for setting in GATE + PROMOTE if setting.sensitive)
# These would lead Compose and buildx elsewhere than the settings say; the rest are the runner's file commands.
_DROPPED = frozenset(
    {"BUILDX_BUILDER"}
    | {
        f"{forge}_{name}"
        for forge in ("GITHUB", "GITEA")
        for name in ("OUTPUT", "ENV", "PATH", "STATE", "STEP_SUMMARY")
    }
)
# Every switch of Compose's own: COMPOSE_REMOVE_ORPHANS alone would take production away while staging is recreated.
_DROPPED_PREFIXES = ("COMPOSE_", "FRESHNESS_", "INPUT_")
# What a job may do at its forge is no business of a child, and Compose would interpolate it into a container.
_TOKEN = re.compile(r"ACTIONS_.*|(GITHUB|GITEA|FORGEJO|GH)_(.*_)?TOKEN")
# What a program needs to run at all, to find its Engine, and to reach it.
_NEEDED = re.compile(
    r"PATH|HOME|USER|LOGNAME|TMPDIR|TMP|TEMP|TZ|TERM|LANG|LC_[A-Z]+|XDG_[A-Z_]+|DOCKER_[A-Z_]+"
    r"|SSH_AUTH_SOCK|SSL_CERT_(FILE|DIR)|(HTTPS?|NO|ALL)_PROXY|(https?|no|all)_proxy"
)


def child_environment(env: Mapping[str, str], host: str | None = None) -> dict[str, str]:
    """`env` for a child process, which leads to this Docker `host` where one is given.

    The actions set every setting's variable, empty where its input is: an empty one is left out, since it would
    shadow the user's own value in the `.env` file that Compose interpolates. A token is left out by whatever name.
    """
    tokens = {value for name, value in env.items() if value and _TOKEN.fullmatch(name) and name.endswith("TOKEN")}
    kept = {name: value for name, value in env.items() if not _is_dropped(name, value) and value not in tokens}
    return at_host(kept, host)


def compose_environment(env: Mapping[str, str], *, only_inputs: bool) -> dict[str, str]:
    """`env` for Compose, which interpolates all of it. With `only_inputs`: inputs, and what a program needs to run."""
    found = child_environment(env)
    if only_inputs:
        return {name: value for name, value in found.items() if name in _OURS or _NEEDED.fullmatch(name)}
    return found


def _is_dropped(name: str, value: str) -> bool:
    return (
        name in _DROPPED
        or name in _SENSITIVE
        or name.startswith(_DROPPED_PREFIXES)
        or _TOKEN.fullmatch(name) is not None
        or (name in _OURS and not value)
    )
