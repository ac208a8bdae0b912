"""Reads the settings of gate and promotion, the files included, as a deployment of the checkout's HEAD would."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from freshness.core.finding import Area, Finding
from freshness.core.quoting import quoted
from freshness.core.run import Run
from freshness.doctor.trial import attempt, fine, note
from freshness.git.checkout import open_repository
from freshness.git.commit_file import read_commit_file
from freshness.git.named import find_named
from freshness.git.uncommitted import in_words, uncommitted_paths
from freshness.git.work_tree import WorkTree
from freshness.settings.declaration import Setting
from freshness.settings.host_file import host_file
from freshness.settings.known_secrets import conceal_known
from freshness.settings.model import GateSettings, PromoteSettings
from freshness.settings.read import read_gate, read_promote, with_commits_file
from freshness.settings.table import GATE, PROMOTE

Texts = Mapping[str, str]
_SOME_IMAGE = f"sha256:{'0' * 64}"
"""A promotion is told the gate's image, so that nothing else needs to name it."""


class Asked(Struct, frozen=True, kw_only=True):
    """What the command was given: options by name, the environment, and the env file."""

    given: Mapping[str, str | None]
    run_env: Texts
    env_file: Texts


class Read(Struct, frozen=True, kw_only=True):
    """What could be read; None where a finding says why not. `commit` is HEAD of the checkout in `folder`."""

    folder: Path
    commit: str | None
    gate: GateSettings | None
    promote: PromoteSettings | None

    @property
    def timeout(self) -> float | None:
        """Seconds for an answer of the Engine, where settings say it."""
        return self.gate.engine.timeout if self.gate else self.promote.engine.timeout if self.promote else None


def read_settings(asked: Asked) -> tuple[Read, tuple[Finding, ...]]:
    """Both halves, each with its own problems."""
    plain, refused = attempt(Area.SETTINGS, lambda: read_gate(asked.given, asked.run_env, asked.env_file))
    folder = plain.source.folder if plain else Path(Run.of(asked.run_env).workspace or Path.cwd())
    named, lost = attempt(Area.COMMIT, lambda: find_named(folder, "HEAD"))
    commit = named[0] if named else None
    gate, wrong = attempt(Area.SETTINGS, lambda: _gate(asked, commit)) if plain else (None, refused)
    promote, also_wrong = attempt(Area.SETTINGS, lambda: _promote(asked, commit))
    found = [fine(Area.COMMIT, f"HEAD is {commit} {quoted(named[1])}.")] if named else []
    read = Read(folder=folder, commit=commit, gate=gate, promote=promote)
    return read, (*wrong, *also_wrong, *lost, *_host_notes(asked, folder), *_notes(read), *found)


def look_at_work_tree(folder: Path) -> Iterator[Finding]:
    """What a person may take for part of the build. Raises RepositoryError."""
    paths = uncommitted_paths(open_repository(folder))
    if paths:
        yield note(Area.COMMIT, in_words(paths), "Commit what belongs to the deployment: only the commit is built.")


def _gate(asked: Asked, commit: str | None) -> GateSettings:
    settings = read_gate({**asked.given, "revision": commit, "pr": None}, asked.run_env, asked.env_file)
    conceal_known(settings, asked.run_env, asked.env_file)
    return with_commits_file(settings, _commits_file(settings, commit))


def _promote(asked: Asked, commit: str | None) -> PromoteSettings:
    given = {**asked.given, "expected_revision": commit, "source_image": _SOME_IMAGE}
    settings = read_promote(given, asked.run_env, asked.env_file, revision_required=commit is not None)
    conceal_known(settings, asked.run_env, asked.env_file)
    return with_commits_file(settings, _commits_file(settings, commit))


def _commits_file(settings: GateSettings | PromoteSettings, commit: str | None) -> str:
    path = settings.files.path
    if commit is None or path is None:
        return ""
    return read_commit_file(open_repository(settings.source.folder), commit, path)


def _notes(read: Read) -> Iterator[Finding]:
    for settings, what, table in ((read.gate, "gate", GATE), (read.promote, "promotion", PROMOTE)):
        if settings:
            names = " and ".join(settings.services)
            yield from _unnamed(settings.services, what, next(one for one in table if one.name == "service"))
            yield fine(Area.SETTINGS, f"the {what} takes the service {names}; every setting can be read.")
            yield from (note(Area.SETTINGS, one) for one in settings.warnings)


def _unnamed(services: tuple[str, ...], what: str, setting: Setting) -> Iterator[Finding]:
    """A workflow's inputs are not seen from here."""
    if services == (setting.default,):
        yield note(
            Area.SETTINGS,
            f"the {what}'s service is {setting.default}, the default.",
            f"Give what a workflow's inputs say as variables ({setting.variable}), or in the host's file of settings.",
        )


def _host_notes(asked: Asked, folder: Path) -> Iterator[Finding]:
    """Whether the host's own file counts: in a shell nothing says whose repository it is."""
    named = WorkTree.around(folder / "freshness.toml", None).repository()
    said = Run.of(asked.run_env).repository
    path = host_file(said or named, asked.run_env)
    if path is None or not path.is_file():
        return
    if said:
        yield fine(Area.SETTINGS, f"the host's own file is {path}.")
    else:
        got = f"{path} is not read, as nothing says that this is {named}."
        yield note(Area.SETTINGS, got, f"export GITHUB_REPOSITORY={named}")
