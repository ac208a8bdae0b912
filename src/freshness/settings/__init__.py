"""The settings: one table, read into frozen values, with all problems at once."""

from freshness.settings.child_environment import compose_environment, foreign_environment
from freshness.settings.env_file import read_env_file
from freshness.settings.model import (
    CommandCheck,
    ComposeSettings,
    GateSettings,
    Health,
    Incomplete,
    Match,
    PromoteSettings,
    ScriptCheck,
    SecretSource,
    UpdateOrder,
)
from freshness.settings.options import options
from freshness.settings.read import read_gate, read_promote

__all__ = [
    "CommandCheck",
    "ComposeSettings",
    "GateSettings",
    "Health",
    "Incomplete",
    "Match",
    "PromoteSettings",
    "ScriptCheck",
    "SecretSource",
    "UpdateOrder",
    "compose_environment",
    "foreign_environment",
    "options",
    "read_env_file",
    "read_gate",
    "read_promote",
]
