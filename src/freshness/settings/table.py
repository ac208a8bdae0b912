"""The settings of each command in the order of their declaration, for reading, options, actions and documents."""

from freshness.settings.declaration import Setting, settings_of
from freshness.settings.model import GateSettings, PromoteSettings

GATE = tuple(settings_of(GateSettings))
PROMOTE = tuple(settings_of(PromoteSettings))
# An input of the actions alone: install.sh reads it, before there is a Python.
PYTHON = Setting(
    name="python",
    carrier="FRESHNESS_PYTHON",
    read=str,
    shown_default="the runner's",
    about="Python interpreter for the action, 3.11 or newer: a name or an absolute path.",
)
