"""Declares a setting where its value stands: a dataclass's field whose metadata name, parse and explain it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One wrong setting: what was got and expected, and what to do, each a sentence."""

    message: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a value may depend on besides its text. `problems` and `notes` collect what is wrong or worth a warning."""

    env: Mapping[str, str]
    workspace: Path
    problems: list[Problem]
    notes: list[str]

    def refuse(self, message: str, remedy: str) -> None:
        """Adds a problem; all are reported at once."""
        self.problems.append(Problem(message=message, remedy=remedy))


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting: `name` is the input's and the option's, `variable` the environment's.

    `default` is the text that is read where nothing is given, `shown_default` what people see in its place.
    `words` are names with commas, blanks or line ends between them.
    `carrier` is the variable that carries the input in the actions where that is not `variable`; `action_default` is
    the input's own default there. `sensitive` values are never shown and have no option, which `ps` would show; `flags`
    are other names of the option.
    `resolve` turns the parsed value into the final one where that depends on the run's surroundings.
    """

    name: str
    read: Callable[[str], object]
    about: str
    variable: str = ""
    default: str = ""
    shown_default: str = ""
    common: bool = False
    multiline: bool = False
    words: bool = False
    required: bool = False
    sensitive: bool = False
    carrier: str = ""
    action_default: str = ""
    flags: tuple[str, ...] = ()
    resolve: Callable[[Any, Surroundings], object] | None = None

    @property
    def field(self) -> str:
        """The name as Python writes it."""
        return self.name.replace("-", "_")

    @property
    def title(self) -> str:
        """How every sentence names it."""
        return f"`{self.name}` ({self.variable})" if self.variable else f"`{self.name}`"


def setting(read: Callable[[str], object], about: str, **how: Any) -> Any:
    """A dataclass's field that is a setting, of the field's name where `name` says no other.

    Its default is what `read` makes of the default's text.
    """
    declared = Setting(name=how.pop("name", ""), read=read, about=about, **how)
    return field(default_factory=lambda: read(declared.default), metadata={"setting": declared})


def group(kind: type) -> Any:
    """A field that holds another dataclass of settings."""
    return field(default_factory=kind, metadata={"group": kind})


def derived(make: Callable[[Surroundings], object]) -> Any:
    """A field that no setting gives, but the run's surroundings."""
    return field(metadata={"derived": make})


def settings_of(kind: type) -> Iterator[Setting]:
    """Every setting that the dataclass declares, those of its groups where they stand."""
    for each in fields(kind):
        if "setting" in each.metadata:
            yield declared_by(each)
        elif "group" in each.metadata:
            yield from settings_of(each.metadata["group"])


def declared_by(each: Field[Any]) -> Setting:
    """The field's setting, with the names that follow from the field's own."""
    declared: Setting = each.metadata["setting"]
    name = declared.name or each.name.replace("_", "-")
    return replace(declared, name=name, variable=declared.variable or name.upper().replace("-", "_"))


def assemble(kind: type[_T], values: Mapping[str, object], surroundings: Surroundings, **given: object) -> _T:
    """The dataclass, with its groups, of the `values` by setting's name; `given` are fields of neither kind."""
    for each in fields(kind):  # type: ignore[arg-type]
        if "setting" in each.metadata:
            given[each.name] = values[declared_by(each).name]
        elif "group" in each.metadata:
            given[each.name] = assemble(each.metadata["group"], values, surroundings)
        elif "derived" in each.metadata:
            given[each.name] = each.metadata["derived"](surroundings)
    return kind(**given)
