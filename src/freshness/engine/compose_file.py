"""Finds what Compose would read, files and variables alike, and says it all in words that leave Compose no choice."""

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from msgspec import Struct, field

from freshness.core.discreet import Discreet
from freshness.core.secret import conceal_variables
from freshness.engine.docker_host import env_without_engine
from freshness.engine.plugin import find_plugin
from freshness.errors import Stale, Unreadable
from freshness.process.children import read
from freshness.settings.child_environment import compose_environment
from freshness.settings.model import GateSettings, PromoteSettings

READ_SECONDS = 60
NO_ENV_FILE = Path(os.devnull)
"""So that Compose looks for no other."""
# Compose's own names and its own order (compose-go, cli/options.go): the first that exists counts, of either list.
NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDES = (
    "compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml",
)  # fmt: skip

HONOURED = frozenset(
    {"COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR", "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME", "COMPOSE_ENV_FILES"}
)
"""What counts in an env file as Compose has it; it looks for COMPOSE_ENV_FILES there itself as little as we do."""

_FLOW_NAME = re.compile(r"""\A\s*\{(?:[^{}\[\]]*,)?\s*(["']?)name\1\s*:""")  # JSON, where it stands first
_PROJECT_NAME = re.compile(r"""^(["']?)name\1\s*:""", re.MULTILINE)
_OWN_VARIABLE = re.compile(r"\bCOMPOSE_[A-Za-z0-9_]+")
# A quoted value may be of several lines; without quotes, a comment ends it.
_ASSIGNMENT = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*[=:][ \t]*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|.*?(?=[ \t]+\#|[ \t]*$))""",
    re.MULTILINE | re.DOTALL,
)
_UNNAMED = "freshness-unnamed"


class ComposeFile(Discreet, frozen=True, kw_only=True):
    """The Compose files on this machine, in the order in which Compose merges them, and what else it reads for them.

    `folder` is the project's: relative mounts and `env_file:` start there. `env_files` are what is interpolated from,
    of several the last wins. `project` overrides the files' `name:`; None where Compose finds a name itself.
    `variables` are set for Compose, on top of what it inherits; with `only_inputs` it inherits no variables but those
    that a program needs, and the settings. `dropped` are Compose's own switches in the env files: they are set to
    nothing, since one of them could take production away or rename it. `digests` are of the files as they were found.
    """

    unshown: ClassVar = ("variables",)
    paths: tuple[Path, ...]
    folder: Path
    env_files: tuple[Path, ...]
    project: str | None
    variables: Mapping[str, str]
    only_inputs: bool
    dropped: frozenset[str] = frozenset()
    digests: Mapping[Path, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: GateSettings | PromoteSettings, env: Mapping[str, str]) -> "ComposeFile":
        """What the settings mean, else what Compose would read in the workspace. Raises SettingsError."""
        file = _Search(settings=settings, env=env).find()
        for path in file.env_files:
            for name, value in _ASSIGNMENT.findall(_text(path)):  # a name may stand there twice
                conceal_variables({name: value.strip("\"'")})
        return file

    @property
    def words(self) -> list[str]:
        """The files in Compose's own words."""
        files = [word for path in self.paths for word in ("--file", str(path))]
        env_files = [word for path in self.env_files for word in ("--env-file", str(path))]
        return [*files, "--project-directory", str(self.folder), *env_files]

    @property
    def given(self) -> str | None:
        """What Compose reads from its standard input: nothing."""
        return None

    @property
    def names(self) -> str:
        """The files in a sentence."""
        return " and ".join(map(str, self.paths))

    @property
    def how_to_give(self) -> str:
        """How a person gives a variable that these files interpolate, in a sentence."""
        env_files = " and ".join(str(path) for path in self.env_files if path != NO_ENV_FILE) or self.folder / ".env"
        if self.only_inputs:
            return f"set it in `compose-env`, in `compose-env-files` or in {env_files}"
        return f"export it in the shell, or set it in {env_files}"

    @property
    def changed(self) -> tuple[Path, ...]:
        """The files, and env files, that are no more what they were when they were found."""
        return tuple(path for path, digest in self.digests.items() if _digest(path) != digest)

    def require_unchanged(self) -> None:
        """Raises Stale where Compose would read, or has read, other files than those that were looked at."""
        changed = self.changed
        if changed:
            raise Stale(
                f"{' and '.join(map(str, changed))} changed during the run; expected what was read when it began.",
                "Let whatever writes there (an editor, a `git pull`) come to its end, then run again.",
            )

    def command(self, env: Mapping[str, str], project: str | None = None) -> list[str]:
        """The beginning of every call to Compose; `project` is the name where it is known by now."""
        name = project or self.project
        named = ["--project-name", name] if name else []
        # A service in a profile that is off is hidden from `config`, and could share our port unseen; `up` and `rm`
        # fail where ours depends on one.
        return [find_plugin("compose", env), *self.words, *named, "--profile", "*"]

    def ask(self, names: Iterable[str], env: Mapping[str, str]) -> Mapping[str, str | None]:
        """The values of these variables as Compose would find them; None for what is not set. Raises SettingsError."""
        return ask(names, self.folder, self.env_files, env, self.environment(env))[0]

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """What Compose inherits of `env`, and what is set for it."""
        return {**compose_environment(env, only_inputs=self.only_inputs), **self.variables}


class _Search(Struct, frozen=True, kw_only=True):
    settings: GateSettings | PromoteSettings
    env: Mapping[str, str]

    def find(self) -> ComposeFile:
        settings, compose = self.settings, self.settings.compose
        paths = self._split(compose.files, compose.separator)
        folder = compose.folder or (paths[0].parent if paths else settings.workspace)
        env_files = compose.env_files or _beside(folder)
        told, _ = self._ask(folder, env_files)
        if not paths:
            named = told.get("COMPOSE_FILE") or ""
            separator = compose.separator or told.get("COMPOSE_PATH_SEPARATOR") or ""
            paths = self._split((named,), separator) if named else _usual_files(settings.workspace)
            moved = compose.folder or paths[0].parent
            if moved != folder and not compose.env_files:
                folder, env_files = moved, (*_beside(moved), *env_files)
            folder = moved
            _require_files(paths, f", which COMPOSE_FILE in {' and '.join(map(str, env_files))} names" if named else "")
        _require_files(paths)
        dropped = {name for path in env_files for name in _OWN_VARIABLE.findall(_text(path))} - HONOURED
        return ComposeFile(
            paths=paths,
            folder=folder,
            env_files=env_files or (NO_ENV_FILE,),
            project=settings.compose.project or self._name(paths, folder, env_files),
            variables={**dict.fromkeys(dropped, ""), **compose.variables},
            dropped=frozenset(dropped),
            only_inputs=compose.only_inputs,
            digests={path: _digest(path) for path in (*paths, *env_files)},
        )

    def _split(self, texts: Sequence[str], separator: str) -> tuple[Path, ...]:
        parts = (part.strip() for text in texts for part in text.split(separator or os.pathsep))
        return tuple(self.settings.workspace / part for part in parts if part)

    def _ask(self, folder: Path, env_files: tuple[Path, ...]) -> tuple[Mapping[str, str | None], str | None]:
        """What these files say to Compose of Compose itself, and the project's name, where they say any."""
        if not any(_OWN_VARIABLE.search(_text(path)) for path in env_files):
            return {}, None
        inherited = compose_environment(self.env, only_inputs=self.settings.compose.only_inputs)
        return ask(("COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR"), folder, env_files, self.env, inherited)

    def _name(self, paths: tuple[Path, ...], folder: Path, env_files: tuple[Path, ...]) -> str | None:
        """The name for a project whose files give it none: the repository's, and never the folder's."""
        if any(map(_names_itself, paths)) or self._ask(folder, env_files)[1]:
            return None
        return _project_name(self.settings.repository, paths)


def ask(
    names: Iterable[str],
    folder: Path,
    env_files: Sequence[Path],
    env: Mapping[str, str],
    inherited: Mapping[str, str],
) -> tuple[Mapping[str, str | None], str | None]:
    """What Compose finds for these names (None: it is not set), and the project's name, where env files say one.

    Compose alone knows how an env file is written, so it is asked with a project of our own. `env` is the run's, which
    says where the workspace lies, and so which plugin is none of the commit's; Compose gets `inherited`. Raises
    SettingsError.
    """
    listed = ", ".join(json.dumps(name) for name in names)
    question = f"name: {_UNNAMED}\nservices: {{q: {{image: q, environment: [{listed}]}}}}\n"
    words = [word for path in env_files for word in ("--env-file", str(path))]
    argv = [find_plugin("compose", env), "--file", "-", "--project-directory", str(folder), *words]
    status, out, err = read(
        [*argv, "config", "--format", "json"], env_without_engine(inherited), READ_SECONDS, question
    )
    if status != 0:
        said = (err.splitlines() or ["no output"])[-1]
        raise Unreadable(
            f"Compose cannot read {' and '.join(map(str, env_files))}: {said}.",
            "Write NAME=value lines, and close every quote.",
        )
    config = json.loads(out)
    found: dict[str, str | None] = dict(config["services"]["q"]["environment"])
    return found, None if config["name"] == _UNNAMED else config["name"]


def _beside(folder: Path) -> tuple[Path, ...]:
    """The `.env` that Compose reads by itself."""
    path = folder / ".env"
    return (path,) if path.is_file() else ()


def _usual_files(folder: Path) -> tuple[Path, ...]:
    """What Compose reads where nothing names a file: the usual one, and the override beside it."""
    found = [folder / name for name in NAMES if (folder / name).is_file()]
    if not found:
        return (folder / NAMES[0],)
    overrides = [folder / name for name in OVERRIDES if (folder / name).is_file()]
    return (*found[:1], *overrides[:1])


def _require_files(paths: Sequence[Path], named: str = "") -> None:
    for path in paths:
        if not path.is_file():
            raise Unreadable(
                f"There is no Compose file at {path}{named}.",
                "Check the repository out first, or set `compose-file` to a path in the workspace or an absolute one.",
            )


def _digest(path: Path) -> str:
    """Empty for what is no file, or cannot be read."""
    try:
        return sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    except OSError:
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise Unreadable(
            f"The env file {path} cannot be read: {error.strerror}.", "Correct `compose-env-files`, or the file's mode."
        ) from error


def _names_itself(path: Path) -> bool:
    try:
        text = path.read_text(encoding="utf-8-sig")
        return (_FLOW_NAME if text.lstrip().startswith("{") else _PROJECT_NAME).search(text) is not None
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(f"The Compose file {path} cannot be read: {error}.", "Correct it.") from error


def _project_name(repository: str | None, paths: Sequence[Path]) -> str:
    """The repository's name in Compose's alphabet. Never the folder's: a runner names all workspaces alike."""
    name = re.sub(r"[^-_a-z0-9]", "", (repository or "").rpartition("/")[2].lower()).lstrip("-_")
    if not name:
        raise Unreadable(
            f"The Compose project has no name: {paths[0]} has no `name:`, and the repository's name is unknown.",
            "Add `name: NAME` to the Compose file, or set `project: NAME`, on a command line `--project NAME`.",
        )
    return name
