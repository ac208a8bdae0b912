"""Decides which variables our children (buildx, Compose) inherit."""

from collections.abc import Mapping

from freshness.settings.table import GATE, PROMOTE

_OURS = frozenset(setting.variable for setting in GATE + PROMOTE)
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


def foreign_environment(env: Mapping[str, str]) -> dict[str, str]:
    """`env` for a child process.

    The actions set every setting's variable, empty where its input is: an empty one is left out, since it would
    shadow the user's own value in the `.env` file that Compose interpolates.
    """
    return {name: value for name, value in env.items() if not _is_dropped(name, value)}


def _is_dropped(name: str, value: str) -> bool:
    return name in _DROPPED or name.startswith(_DROPPED_PREFIXES) or (name in _OURS and not value)
