"""Values that hold secrets beside what may be shown."""

from typing import ClassVar

from msgspec import Struct


class Discreet(Struct, frozen=True):
    """A value whose text leaves out the fields named `unshown`, which may hold secrets."""

    unshown: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        shown = (f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__ if name not in self.unshown)
        return f"{type(self).__name__}({', '.join(shown)})"
