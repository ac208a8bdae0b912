"""Finds a checkout's Compose files by their names, and reads them with Compose."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from freshness.core.run import Run
from freshness.core.scaffold.check import Source
from freshness.core.scaffold.layout import STAGING_WORD
from freshness.engine.compose_config import read_config
from freshness.engine.compose_file import NAMES, ComposeFile
from freshness.errors import Unreadable
from freshness.git.work_tree import WorkTree
from freshness.settings.child_environment import child_environment
from freshness.settings.read import read_gate

_FILE = re.compile(r"(?:docker-)?compose[-.]([\w-]+)\.ya?ml")
_PRODUCTION = re.compile(r"prod(uction)?|live", re.IGNORECASE)


class Project(Struct, frozen=True, kw_only=True):
    """Compose files as Compose reads them.

    `files` are those that have to be named, none where they are the usual ones; `paths` are all, within the checkout.
    """

    files: tuple[str, ...]
    paths: tuple[str, ...]
    config: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The project's."""
        name: str = self.config["name"]
        return name

    def sources(self, folder: Path) -> dict[str, Source]:
        """Of what each service is built; without `build:` of what lies at the top of the checkout."""
        found = {}
        for name, service in (self.config.get("services") or {}).items():
            build = service.get("build") or {}
            context = Path(str(build.get("context") or folder))
            path = context / (build.get("dockerfile") or "Dockerfile")
            text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
            within = context.relative_to(folder).as_posix() if context.is_relative_to(folder) else "."
            found[name] = Source(dockerfile=text, context=within)
        return found


class Reader(Struct, frozen=True, kw_only=True):
    """Reads the files of the checkout in `folder`. `given` are options of the command line, `run_env` is the run's."""

    folder: Path
    given: Mapping[str, str | None]
    run_env: Mapping[str, str]

    def production(self) -> Project:
        """What is named, else the usual file, with the one whose name says production. Raises SettingsError."""
        if named := self.given.get("compose_file"):
            return self.read(named.splitlines())
        said = self._files(_PRODUCTION)
        return self._whole_or_over(said[0], self._usual(), ()) if said else self.read(())

    def staging(self, production: Project, own: Sequence[str]) -> Project | None:
        """The file whose name says staging, alone or over production's; None where there is none that has `own`."""
        said = self._files(STAGING_WORD)
        if not said:
            return None
        found = self._whole_or_over(said[0], self._usual() or production.paths, own)
        return found if set(own) <= set(found.config.get("services") or {}) else None

    def read(self, files: Sequence[str]) -> Project:
        """Raises SettingsError with what Compose says."""
        env = self._env()
        settings = read_gate({**self.given, "compose_file": "\n".join(files) or None}, env)
        file = ComposeFile.of(settings, child_environment(env))
        config = read_config(file, child_environment(env))
        paths = (path.relative_to(self.folder) if path.is_relative_to(self.folder) else path for path in file.paths)
        return Project(files=tuple(files), paths=tuple(map(str, paths)), config=config)

    def _env(self) -> Mapping[str, str]:
        """A runner says whose repository it is; in a shell the clone's remote does."""
        named = Run.of(self.run_env).repository or WorkTree.around(self.folder / NAMES[0], None).repository()
        return {**self.run_env, "GITHUB_REPOSITORY": named, "GITHUB_WORKSPACE": str(self.folder)}

    def _whole_or_over(self, name: str, base: Sequence[str], own: Sequence[str]) -> Project:
        """The file alone, where it builds all that the base builds; else over the base."""
        try:
            alone = self.read([name])
        except Unreadable:
            if not base:
                raise
            return self.read([*base, name])
        if not base:
            return alone
        built = _built(self.read(base))
        is_whole = built <= _built(alone) if built else set(own) <= set(alone.config.get("services") or {})
        return alone if is_whole else self.read([*base, name])

    def _files(self, word: re.Pattern[str]) -> tuple[str, ...]:
        found = ((path.name, _FILE.fullmatch(path.name)) for path in self.folder.iterdir())
        return tuple(sorted(name for name, match in found if match and word.fullmatch(match[1])))

    def _usual(self) -> tuple[str, ...]:
        """What the others lie over, without the override that Compose adds on a developer's machine."""
        return tuple(name for name in NAMES if (self.folder / name).is_file())[:1]


def _built(project: Project) -> set[str]:
    return {name for name, service in (project.config.get("services") or {}).items() if service.get("build")}
