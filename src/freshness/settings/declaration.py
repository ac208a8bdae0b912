"""Declares a setting where its value stands: a field whose default is made by what names, parses and explains it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard, TypeVar

from msgspec import NODEFAULT, Struct, field
from msgspec.structs import fields, replace

_T = TypeVar("_T", bound=Struct)


class Problem(Struct, frozen=True, kw_only=True):
    """One wrong setting: what was got and expected, and what to do, each a sentence."""

    message: str
    remedy: str


class Surroundings(Struct, frozen=True, kw_only=True):
    """What a value may depend on besides its text. `problems` and `notes` collect what is wrong or worth a warning."""

    env: Mapping[str, str]
    workspace: Path
    problems: list[Problem]
    notes: list[str]

    def refuse(self, message: str, remedy: str) -> None:
        """Adds a problem; all are reported at once."""
        self.problems.append(Problem(message=message, remedy=remedy))


class Setting(Struct, frozen=True, kw_only=True):
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

    def __call__(self) -> object:
        """The default of the field: what is read of the default's text."""
        return self.read(self.default)

    @property
    def field(self) -> str:
        """The name as Python writes it."""
        return self.name.replace("-", "_")

    @property
    def title(self) -> str:
        """How every sentence names it."""
        return f"`{self.name}` ({self.variable})" if self.variable else f"`{self.name}`"


class Derived(Struct, frozen=True):
    """Makes the value of a field that no setting gives, but the run's surroundings."""

    make: Callable[[Surroundings], object]

    def __call__(self) -> object:
        raise TypeError("what the surroundings say has no default")


def setting(read: Callable[[str], object], about: str, **how: Any) -> Any:
    """A field that is a setting, of the field's name where `name` says no other."""
    return field(default_factory=Setting(name=how.pop("name", ""), read=read, about=about, **how))


def group(kind: type) -> Any:
    """A field that holds more settings."""
    return field(default_factory=kind)


def derived(make: Callable[[Surroundings], object]) -> Any:
    """A field that no setting gives, but the run's surroundings."""
    return field(default_factory=Derived(make))


def settings_of(kind: type[Struct]) -> Iterator[Setting]:
    """Every setting that is declared there, those of its groups where they stand."""
    for name, made_by in _declared(kind):
        if isinstance(made_by, Setting):
            yield named(made_by, name)
        elif is_group(made_by):
            yield from settings_of(made_by)


def assemble(kind: type[_T], values: Mapping[str, object], surroundings: Surroundings, **given: object) -> _T:
    """The settings, with their groups, of the `values` by setting's name; `given` are fields of neither kind."""
    for name, made_by in _declared(kind):
        if isinstance(made_by, Setting):
            given[name] = values[named(made_by, name).name]
        elif isinstance(made_by, Derived):
            given[name] = made_by.make(surroundings)
        elif is_group(made_by):
            given[name] = assemble(made_by, values, surroundings)
    return kind(**given)


def _declared(kind: type[Struct]) -> Iterator[tuple[str, Any]]:
    """The fields that have something that makes their default."""
    for each in fields(kind):
        if each.default_factory is not NODEFAULT:
            yield each.name, each.default_factory


def is_group(made_by: object) -> TypeGuard[type[Struct]]:
    """Whether it makes the default of a field that holds more settings."""
    return isinstance(made_by, type) and issubclass(made_by, Struct)


def named(declared: Setting, field_name: str) -> Setting:
    """The setting, with the names that follow from the field's own."""
    name = declared.name or field_name.replace("_", "-")
    return replace(declared, name=name, variable=declared.variable or name.upper().replace("-", "_"))
