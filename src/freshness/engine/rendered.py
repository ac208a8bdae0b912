"""A project as Compose once rendered it, from which Compose makes a service again as it was."""

from collections.abc import Mapping
from typing import ClassVar

from freshness.core.discreet import Discreet
from freshness.engine.compose_file import NO_ENV_FILE, ComposeFile
from freshness.engine.plugin import find_plugin

FILE_NAME = "-"
"""What Compose's label then says of the file: it came by standard input."""


class Rendered(Discreet, frozen=True, kw_only=True):
    """A configuration that was recorded; `file` is today's, whose folder and environment Compose gets.

    It holds secrets: Compose reads it from memory, by its standard input, and it is in no file, log or argument.
    """

    unshown: ClassVar = ("text",)
    text: str
    file: ComposeFile

    def command(self, env: Mapping[str, str], project: str | None = None) -> list[str]:
        """The beginning of every call to Compose.

        Every value is filled in; secrets may still be in env files, as far as these are there.
        """
        named = ["--project-name", project] if project else []
        there = [path for path in self.file.env_files if path.exists()] or [NO_ENV_FILE]
        env_files = [word for path in there for word in ("--env-file", str(path))]
        words = ["--file", FILE_NAME, "--project-directory", str(self.file.folder), *env_files]
        return [find_plugin("compose", env), *words, *named, "--profile", "*"]

    def require_unchanged(self) -> None:
        """It is no file that could change."""

    @property
    def given(self) -> str:
        """What Compose reads."""
        return self.text

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """What Compose inherits: the values of `secrets: environment:` are in no configuration."""
        return self.file.environment(env)
