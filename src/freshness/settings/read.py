"""Reads the settings of the two actions and of their commands, and reports all problems at once."""

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from freshness.core.quoting import quoted
from freshness.core.runner import has_forge
from freshness.core.scope import in_scope
from freshness.errors import SettingsError
from freshness.settings.build_inputs import argument_warnings
from freshness.settings.compose_inputs import take_compose
from freshness.settings.docker_host import host_problems
from freshness.settings.model import CommandCheck, GateSettings, Health, PromoteSettings, ScriptCheck, SecretSource
from freshness.settings.near_miss import near_misses
from freshness.settings.sources import Problem, Sources, name_of, raise_problems, read_table
from freshness.settings.table import GATE, PROMOTE
from freshness.settings.values import WrongValue, revision


def read_gate(
    options: Mapping[str, str | None],
    env: Mapping[str, str],
    env_file: Mapping[str, str] | None = None,
    *,
    cwd: Path | None = None,
) -> GateSettings:
    """The gate's settings. `options` are those of the command line, by name; None is "not given".

    `cwd` stands for the workspace where GITHUB_WORKSPACE is not set. Raises SettingsError with all problems.
    """
    values, problems = read_table(GATE, Sources(options=options, env=env, env_file=env_file or {}))
    unknown = _read_names(env_file or {}, problems)
    workspace = _workspace(env, cwd, problems)
    secrets, notes = _usable_secrets(values.pop("secrets", ()), env, workspace, problems)
    compose = take_compose(values, env, workspace, problems)
    problems.extend(host_problems(env))
    if values.get("port") is not None and values.get("port") == values.get("prod_port"):
        problems.append(_same_port(values["port"]))
    if values.get("revision") is not None and values.get("pr") is not None:
        problems.append(_two_commits())
    problems.extend(_several(values.get("service", ()), "TARGET_SERVICE"))
    raise_problems(problems)
    folder, file = values.pop("path"), values.pop("file")
    return GateSettings(
        workspace=workspace,
        repository_folder=workspace / folder,
        repository=env.get("GITHUB_REPOSITORY") or None,
        compose=compose,
        services=values.pop("service"),
        file=file or values["context"] / "Dockerfile",
        secrets=secrets,
        health=_take_health(values),
        check=_take_check(values),
        token=values.pop("github_token"),
        recheck_head=_take_recheck_head(values, env),
        warnings=argument_warnings(values["build_args"]) + notes + unknown,
        **values,
    )


def read_promote(
    options: Mapping[str, str | None],
    env: Mapping[str, str],
    env_file: Mapping[str, str] | None = None,
    *,
    allow_unverified: bool = False,
    revision_required: bool = True,
    cwd: Path | None = None,
) -> PromoteSettings:
    """The promotion's settings, as `read_gate`. `revision_required` is false for commands that bring their own.

    No revision is required either where a person says so aloud (`allow_unverified`), disabled, or out of scope.
    """
    values, problems = read_table(PROMOTE, Sources(options=options, env=env, env_file=env_file or {}))
    unknown = _read_names(env_file or {}, problems)
    workspace = _workspace(env, cwd, problems)
    repository = env.get("GITHUB_REPOSITORY") or None
    enforced = values.get("enabled", True) and in_scope(repository, values.get("repos", ()))
    if revision_required and enforced and not allow_unverified and values.get("expected_revision", "") is None:
        problems.append(_no_revision())
    compose = take_compose(values, env, workspace, problems)
    problems.extend(host_problems(env))
    if values.get("recreate") is False and values.get("image", "") is None:
        problems.append(_no_tag_to_move())
    problems.extend(_several(values.get("service", ()), "PROD_SERVICE"))
    raise_problems(problems)
    return PromoteSettings(
        workspace=workspace,
        repository=repository,
        allow_unverified=allow_unverified,
        compose=compose,
        services=values.pop("service"),
        repository_folder=workspace / values.pop("path"),
        health=_take_health(values),
        token=values.pop("github_token"),
        recheck_head=_take_recheck_head(values, env),
        warnings=unknown,
        **values,
    )


def read_revision(option: str, text: str) -> str:
    """A full commit id from an option that is no setting. Raises SettingsError."""
    try:
        return revision(text)
    except WrongValue as wrong:
        raise SettingsError(f"{option} is {quoted(text)}; expected {wrong.expected}.", wrong.remedy) from wrong


def _read_names(env_file: Mapping[str, str], problems: list[Problem]) -> tuple[str, ...]:
    """A problem for each name that is a slip of a setting's, since that would be left out; a warning for all others."""
    known = {setting.variable for setting in GATE + PROMOTE}
    slips = near_misses(env_file, known)
    problems += [
        Problem(
            message=f"The env file sets {name}, which is no setting; expected {meant}.",
            remedy=f"Write {meant}; where {name} is the application's own, keep it in another file.",
        )
        for name, meant in slips.items()
    ]
    unknown = [name for name in env_file if name not in known and name not in slips]
    if not unknown:
        return ()
    return (f"The env file sets {', '.join(unknown)}: no setting is called so, and nothing here reads them.",)


def _workspace(env: Mapping[str, str], cwd: Path | None, problems: list[Problem]) -> Path:
    given = env.get("GITHUB_WORKSPACE", "")
    if not given:
        return cwd or Path.cwd()
    if not PurePosixPath(given).is_absolute():
        problems.append(
            Problem(
                message=f"GITHUB_WORKSPACE is {quoted(given)}; expected an absolute path.",
                remedy="Unset it in a shell; in a workflow the runner sets it.",
            )
        )
    return Path(given)


def _take_health(values: dict[str, Any]) -> Health:
    return Health(
        path=values.pop("health_path"),
        retries=values.pop("health_retries"),
        interval=values.pop("health_interval"),
        hold=values.pop("hold_time"),
    )


def _take_recheck_head(values: dict[str, Any], env: Mapping[str, str]) -> bool:
    """What is given, else whether there is a forge to ask."""
    given: bool | None = values.pop("recheck_head")
    return has_forge(env) if given is None else given


def _take_check(values: dict[str, Any]) -> ScriptCheck | CommandCheck:
    path, mode, argv = values.pop("check_path"), values.pop("check_mode"), values.pop("check_command")
    return CommandCheck(argv=argv) if argv else ScriptCheck(path=path, mode=mode)


def _usable_secrets(
    sources: tuple[SecretSource, ...], env: Mapping[str, str], workspace: Path, problems: list[Problem]
) -> tuple[tuple[SecretSource, ...], tuple[str, ...]]:
    """The secrets that exist, and a sentence for each variable that is not set.

    BuildKit would give an unset variable as an empty secret, which `required=true` in the Dockerfile accepts.
    """
    usable, notes = [], []
    for source in sources:
        if source.src is not None:
            problems.extend(_wrong_file(source.id, source.src, workspace))
        if source.env is not None and not env.get(source.env):
            notes.append(f"The build gets no secret {source.id}: the variable {source.env} is not set, or is empty.")
            continue
        usable.append(source)
    return tuple(usable), tuple(notes)


def _wrong_file(name: str, path: Path, workspace: Path) -> list[Problem]:
    """Follows symbolic links: one must not lead back into the workspace, where the commit's author writes."""
    setting = name_of("secrets", "BUILD_SECRETS")
    real = Path(os.path.realpath(path))
    if real.is_relative_to(os.path.realpath(workspace)):
        message = f"{setting} takes {name} from {quoted(str(path))}; expected a file outside the workspace."
        return [Problem(message=message, remedy="Keep the secret outside the checkout, or give it with env=.")]
    if not (real.is_file() and os.access(real, os.R_OK)):
        message = f"{setting} takes {name} from {quoted(str(path))}; expected a file that this user can read."
        return [Problem(message=message, remedy="Create it on the runner, or correct the path.")]
    return []


def _same_port(port: int) -> Problem:
    return Problem(
        message=f"{name_of('port', 'TARGET_PORT')} and {name_of('prod-port', 'PROD_PORT')} are both {port}; "
        "expected staging on a port of its own.",
        remedy="Give staging's port in `port` and production's in `prod-port`.",
    )


def _several(names: tuple[str, ...], variable: str) -> list[Problem]:
    """Until gate and promotion take an application of several services together, half of it would be left behind."""
    if len(names) <= 1:
        return []
    message = f"{name_of('service', variable)} names {len(names)} services; expected one: a run takes one service."
    return [Problem(message=message, remedy="Run once for each service.")]


def _two_commits() -> Problem:
    return Problem(
        message=f"{name_of('revision', 'GIT_SHA')} and {name_of('pr', 'PR')} are both given; expected one of them.",
        remedy="Give the commit's full id in `revision`, or leave it to the head of the pull request in `pr`.",
    )


def _no_revision() -> Problem:
    return Problem(
        message=f"{name_of('expected-revision', 'EXPECTED_REVISION')} is empty; "
        "expected the full id of the validated commit.",
        remedy="Give the gate's output `revision`; in a shell, what `git rev-parse` prints.",
    )


def _no_tag_to_move() -> Problem:
    return Problem(
        message=f"{name_of('recreate', 'RECREATE')} is false and {name_of('image', 'PROD_IMAGE')} is empty; "
        "expected the tag to move.",
        remedy="Name production's image tag in `image`.",
    )
