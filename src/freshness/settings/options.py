"""Makes the command line's options out of the table, once a command is asked for them: the table takes its time."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from freshness.settings.declaration import Setting

_Command = TypeVar("_Command", bound=Callable[..., Any])


class SettingsCommand(click.Command):
    """A command with the options that `options` asked for, where it was asked among the others."""

    def get_params(self, context: click.Context) -> list[click.Parameter]:
        """As Click's own. Raises LookupError for a name that the table has not."""
        asked = getattr(self.callback, "__dict__", {}).pop("asked", None)
        if asked:
            table, names, after = asked
            place = len(self.params) - after
            self.params[place:place] = _options_of(table, names)
        return super().get_params(context)


class Commands(click.Group):
    """A group of them."""

    command_class = SettingsCommand


def options(table: str, *names: str) -> Callable[[_Command], _Command]:
    """A decorator that adds the table's options (`gate`, `promote` or `deploy`), or the named ones of them.

    Each is a text or None, under the setting's field name: what `read_gate` and `read_promote` take as `options`.
    """

    def decorate(command: _Command) -> _Command:
        known = vars(command)
        known["asked"] = table, names, len(known.get("__click_params__", ()))
        return command

    return decorate


def _options_of(table: str, names: tuple[str, ...]) -> list[click.Parameter]:
    from freshness.settings.table import DEPLOY, GATE, PROMOTE, STATUS

    settings = {"gate": GATE, "promote": PROMOTE, "deploy": DEPLOY, "commit-status": STATUS}[table]
    unknown = set(names) - {setting.name for setting in settings}
    if unknown:
        raise LookupError(f"the table {table} has no {', '.join(sorted(unknown))}")
    return [_option_of(one) for one in settings if not one.sensitive and (not names or one.name in names)]


def _option_of(setting: "Setting") -> click.Option:
    default = setting.default or setting.shown_default.replace("`", "")
    text = setting.about.replace("`", "")
    needed = "; required" if setting.required else ""
    about = f"{text} [{setting.variable}{f'; default: {default}' if default else needed}]"
    return click.Option([*setting.flags, f"--{setting.name}", setting.field], metavar="TEXT", help=about)
