"""The settings: one table, read into frozen values, with all problems at once."""

from freshness.settings.application import ApplicationSettings, JobSettings, ServiceSettings
from freshness.settings.child_environment import child_environment, compose_environment
from freshness.settings.env_file import read_env_file
from freshness.settings.kinds import CommandCheck, HealthKind, Incomplete, Match, ScriptCheck, SecretSource, UpdateOrder
from freshness.settings.model import ComposeSettings, GateSettings, Health, PromoteSettings
from freshness.settings.options import options
from freshness.settings.read import read_gate, read_promote, with_commits_file

__all__ = [
    "ApplicationSettings",
    "CommandCheck",
    "ComposeSettings",
    "GateSettings",
    "Health",
    "HealthKind",
    "Incomplete",
    "JobSettings",
    "Match",
    "PromoteSettings",
    "ScriptCheck",
    "SecretSource",
    "ServiceSettings",
    "UpdateOrder",
    "child_environment",
    "compose_environment",
    "options",
    "read_env_file",
    "read_gate",
    "read_promote",
    "with_commits_file",
]
