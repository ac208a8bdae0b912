"""Finds the text of each setting (option, environment, env file, default) and reads it, collecting every problem."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from freshness.core.quoting import quoted
from freshness.errors import SettingsError
from freshness.settings.declaration import Problem, Setting, Surroundings
from freshness.settings.values import WrongValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where settings come from, first wins: command line `options` by name, the environment, the env file.

    An option that is given counts even when it is empty (it then means the default); an empty variable counts as unset.
    """

    options: Mapping[str, str | None]
    env: Mapping[str, str]
    env_file: Mapping[str, str]

    def find(self, setting: Setting) -> tuple[str, str]:
        """The setting's text and where it comes from."""
        option = self.options.get(setting.name, self.options.get(setting.field))
        if option is not None:
            return option or setting.default, "on the command line"
        for variable in filter(None, (setting.carrier, setting.variable)):
            if self.env.get(variable, "").strip():
                return self.env[variable], "in the environment"
        if self.env_file.get(setting.variable, "").strip():
            return self.env_file[setting.variable], "in the env file"
        return setting.default, "by default"


def read_table(table: Iterable[Setting], sources: Sources, surroundings: Surroundings) -> dict[str, Any]:
    """The values by name; each that is missing there has its problem in `surroundings`."""
    values: dict[str, Any] = {}
    for setting in table:
        text, place = sources.find(setting)
        try:
            value = setting.read(_clean(text, setting))
        except WrongValue as wrong:
            surroundings.problems.append(_problem(setting, text, place, wrong))
            continue
        values[setting.name] = setting.resolve(value, surroundings) if setting.resolve else value
    return values


def raise_problems(problems: list[Problem]) -> None:
    """Raises one SettingsError for all problems, if there are any."""
    if not problems:
        return
    if len(problems) == 1:
        raise SettingsError(problems[0].message, problems[0].remedy)
    lines = "\n".join(f"- {problem.message} {problem.remedy}" for problem in problems)
    raise SettingsError(
        f"{len(problems)} settings are wrong:\n{lines}\n", "Nothing was touched; correct them and run again."
    )


def _clean(text: str, setting: Setting) -> str:
    stripped = text.replace("\r\n", "\n").strip()
    allowed = "\n\t" if setting.multiline or setting.words else ""
    if any(not _is_text(character) and character not in allowed for character in stripped):
        raise WrongValue("text without control characters", "Remove line breaks and other control characters from it.")
    return stripped


def _is_text(character: str) -> bool:
    """Neither C0, DEL, C1, the two Unicode line ends, nor a byte that was not UTF-8."""
    return (
        character >= " "
        and not "\x7f" <= character <= "\x9f"
        and character not in "\u2028\u2029"
        and not "\ud800" <= character <= "\udfff"
    )


def _problem(setting: Setting, text: str, place: str, wrong: WrongValue) -> Problem:
    got = "a value that is not shown" if setting.sensitive or setting.multiline else quoted(text)
    message = f"{setting.title} is {got} {place}; expected {wrong.expected}."
    return Problem(message=message, remedy=wrong.remedy)
