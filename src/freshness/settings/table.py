"""The settings of each command in the order of their declaration, for reading, options, actions and documents."""

from freshness.settings.declaration import Setting, settings_of
from freshness.settings.model import GateSettings, PromoteSettings
from freshness.settings.status import StatusSettings

GATE = tuple(settings_of(GateSettings))
PROMOTE = tuple(settings_of(PromoteSettings))
STATUS = tuple(settings_of(StatusSettings))
_FOUND_BY_DEPLOY = frozenset({
    "revision", "pr", "expected-revision", "source-image", "staging-service", "staging-compose-file",
    "staging-project", "deploy-environment",
})  # fmt: skip
_BOTH = (*GATE, *(setting for setting in PROMOTE if setting not in GATE))
_NAMES = [setting.name for setting in _BOTH]
DEPLOY = tuple(one for one in _BOTH if one.name not in _FOUND_BY_DEPLOY and _NAMES.count(one.name) == 1)
"""The options of `deploy`: those that mean the same to both, or are of one alone."""
# An input of the actions alone: install.sh reads it, before there is a Python.
PYTHON = Setting(
    name="python",
    carrier="FRESHNESS_PYTHON",
    read=str,
    shown_default="the runner's",
    about="Python interpreter for the action, 3.11 or newer: a name or an absolute path.",
)
