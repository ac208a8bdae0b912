"""What one row of the table of settings says."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting: `name` is the input's and the option's, `variable` the environment's.

    `default` is the text that is read where nothing is given, `shown_default` what people see in its place.
    `words` are names with commas, blanks or line ends between them.
    `carrier` is the variable that carries the input in the actions where that is not `variable`; `action_default` is
    the input's own default there. `sensitive` values are never shown and have no option, which `ps` would show.
    """

    name: str
    variable: str
    read: Callable[[str], object]
    about: str
    default: str = ""
    shown_default: str = ""
    common: bool = False
    multiline: bool = False
    words: bool = False
    required: bool = False
    sensitive: bool = False
    carrier: str = ""
    action_default: str = ""

    @property
    def field(self) -> str:
        """The name as Python writes it."""
        return self.name.replace("-", "_")
