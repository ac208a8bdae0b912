"""Makes the command line's options out of the table. Click is imported where it is used."""

from collections.abc import Callable
from typing import Any, TypeVar

from freshness.settings.declaration import Setting
from freshness.settings.table import DEPLOY, GATE, PROMOTE

_Command = TypeVar("_Command", bound=Callable[..., Any])
_TABLES = {"gate": GATE, "promote": PROMOTE, "deploy": DEPLOY}


def options(table: str, *names: str) -> Callable[[_Command], _Command]:
    """A decorator that adds the table's options (`gate`, `promote` or `deploy`), or the named ones of them.

    Each is a text or None, under the setting's field name: what `read_gate` and `read_promote` take as `options`.
    """
    settings = _TABLES[table]
    unknown = set(names) - {setting.name for setting in settings}
    if unknown:
        raise LookupError(f"the table {table} has no {', '.join(sorted(unknown))}")

    def decorate(command: _Command) -> _Command:
        import click

        for setting in reversed(settings):
            if setting.sensitive or (names and setting.name not in names):
                continue
            add = click.option(*setting.flags, f"--{setting.name}", setting.field, metavar="TEXT", help=_help(setting))
            command = add(command)
        return command

    return decorate


def _help(setting: Setting) -> str:
    default = setting.default or setting.shown_default.replace("`", "")
    text = setting.about.replace("`", "")
    needed = "; required" if setting.required else ""
    return f"{text} [{setting.variable}{f'; default: {default}' if default else needed}]"
