"""Finds the text of each setting (option, environment, env file, default) and reads it, collecting every problem."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from msgspec import Struct, field

from freshness.core.discreet import Discreet
from freshness.core.quoting import quoted
from freshness.errors import SettingsError
from freshness.settings.declaration import Problem, Setting, Surroundings
from freshness.settings.values import WrongValue

Texts = Mapping[str, str]


BY_DEFAULT = "by default"


class SettingsFile(Struct, frozen=True, kw_only=True):
    """What a file of settings says, as text by the settings' names: of all environments, and of the one chosen.

    `place` is how sentences name it. `values` are what only the host's own file has. `shared_jobs` are also those
    of another environment.
    """

    place: str
    services: Mapping[str, Texts] = field(default_factory=dict)
    jobs: Mapping[str, Texts] = field(default_factory=dict)
    values: Texts = field(default_factory=dict)
    environments: tuple[str, ...] = ()
    shared_jobs: frozenset[str] = frozenset()


class Sources(Struct, frozen=True, kw_only=True):
    """Where settings come from, first wins: command line `options` by name, the environment, the env file, `files`.

    An option that is given counts even when it is empty (it then means the default); an empty variable counts as unset.
    Of the files the host's own is the first. `first` is the service that the settings of a single service speak of.
    """

    options: Mapping[str, str | None]
    env: Texts
    env_file: Texts
    files: tuple[SettingsFile, ...] = ()
    first: str = ""

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
        for file in self.files:
            if text := file.services.get(self.first, {}).get(setting.name) or self._value(file, setting):
                return text, f"in {file.place}"
        return setting.default, BY_DEFAULT

    def in_files(self, section: str, name: str, setting: Setting) -> tuple[str, str]:
        """As `find`, for a setting of a service or job of that name."""
        for file in self.files:
            if text := getattr(file, section).get(name, {}).get(setting.name):
                return text, f"in {file.place}"
        return setting.default, BY_DEFAULT

    def _value(self, file: SettingsFile, setting: Setting) -> str:
        """A file that has tables of services names the services by them."""
        return file.values.get(setting.name) or ("\n".join(file.services) if setting.field == "service" else "")


class Reading(Discreet, frozen=True, kw_only=True):
    """How settings were read, so that they can be read again with the file of the commit, once that is known.

    `environment` is the default one, `rules` those across settings. `commit_file` is the file's text; with
    `commit_follows` it is not known yet.
    """

    unshown: ClassVar = ("sources",)
    sources: Sources
    cwd: Path | None
    environment: str
    rules: Callable[[Mapping[str, Any], Surroundings], None]
    allow_unverified: bool = False
    commit_file: str = ""
    commit_follows: bool = True


def read_table(table: Iterable[Setting], sources: Sources, surroundings: Surroundings) -> dict[str, Any]:
    """The values by name; each that is missing there has its problem in `surroundings`."""
    values: dict[str, Any] = {}
    for setting in table:
        read_into(values, setting, sources.find(setting), surroundings)
    return values


def read_into(
    values: dict[str, Any], setting: Setting, found: tuple[str, str], surroundings: Surroundings, title: str = ""
) -> None:
    """Adds the value of the text that was `found` and where, or what is wrong with it to the problems."""
    text, place = found
    try:
        value = setting.read(_clean(text, setting))
    except WrongValue as wrong:
        surroundings.problems.append(_problem(setting, title or setting.title, text, place, wrong))
        return
    values[setting.name] = setting.resolve(value, surroundings) if setting.resolve else value


def raise_problems(problems: list[Problem]) -> None:
    """Raises one SettingsError for all problems, if there are any."""
    if not problems:
        return
    if len(problems) == 1:
        raise SettingsError(problems[0].message, problems[0].remedy)
    each = tuple(f"{problem.message} {problem.remedy}" for problem in problems)
    lines = "\n".join(f"- {one}" for one in each)
    raise SettingsError(
        f"{len(problems)} settings are wrong:\n{lines}\n", "Nothing was changed; correct them and run again.", each
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


def _problem(setting: Setting, title: str, text: str, place: str, wrong: WrongValue) -> Problem:
    got = "a value that is not shown" if setting.sensitive or setting.multiline else quoted(text)
    message = f"{title} is {got} {place}; expected {wrong.expected}."
    return Problem(message=message, remedy=wrong.remedy)
