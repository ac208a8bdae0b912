"""Reads the settings of the two actions and of their commands, and reports all problems at once."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from msgspec.structs import replace

from freshness.core.quoting import quoted
from freshness.core.run import Run
from freshness.core.scope import in_scope
from freshness.errors import SettingsError
from freshness.settings.declaration import Setting, Surroundings, assemble, settings_of
from freshness.settings.docker_host import host_problems
from freshness.settings.files import with_files
from freshness.settings.model import USUAL_STAGING, GateSettings, PromoteSettings
from freshness.settings.near_miss import near_misses
from freshness.settings.read_application import read_application
from freshness.settings.sources import BY_DEFAULT, Reading, Sources, raise_problems, read_table
from freshness.settings.status import StatusSettings
from freshness.settings.swarm import swarm_rules
from freshness.settings.table import GATE, PROMOTE, STATUS
from freshness.settings.values import WrongValue, revision

_S = TypeVar("_S", GateSettings, PromoteSettings)
Options = Mapping[str, str | None]
Texts = Mapping[str, str]


def read_gate(options: Options, env: Texts, env_file: Texts | None = None, *, cwd: Path | None = None) -> GateSettings:
    """The gate's settings. `options` are those of the command line, by name; None is "not given".

    `cwd` stands for the workspace where GITHUB_WORKSPACE is not set. Raises SettingsError with all problems.
    """
    sources = Sources(options=options, env=env, env_file=env_file or {})
    return _read(GateSettings, Reading(sources=sources, cwd=cwd, environment="staging", rules=_gate_rules))


def read_promote(
    options: Options,
    env: Texts,
    env_file: Texts | None = None,
    *,
    allow_unverified: bool = False,
    revision_required: bool = True,
    commit_follows: bool = False,
    cwd: Path | None = None,
) -> PromoteSettings:
    """The promotion's settings, as `read_gate`. `revision_required` is false for commands that bring their own.

    `commit_follows`: without a revision they are read again, with the file of a commit.

    No revision is required either with `allow_unverified`, disabled, or out of scope.
    """
    sources = Sources(options=options, env=env, env_file=env_file or {})
    reading = Reading(
        sources=sources,
        cwd=cwd,
        environment="production",
        rules=partial(_promote_rules, revision_required=revision_required and not allow_unverified),
        allow_unverified=allow_unverified,
        commit_follows=revision_required or commit_follows,
    )
    return _read(PromoteSettings, reading)


def read_status(options: Options, env: Texts, env_file: Texts) -> StatusSettings:
    """The settings of `commit-status`, as `read_gate`, from no files of settings. Raises SettingsError."""
    sources = Sources(options=options, env=env, env_file=env_file)
    surroundings = Surroundings(env=env, workspace=_workspace(env, None), problems=[], notes=[])
    found = read_table(STATUS, sources, surroundings)
    raise_problems(surroundings.problems)
    return assemble(StatusSettings, found, surroundings)


def with_commits_file(settings: _S, text: str) -> _S:
    """The settings with what the commit's own file says too, empty where it has none. Raises SettingsError."""
    return _read(type(settings), replace(settings.reading, commit_file=text, commit_follows=False))


def _read(kind: type[_S], reading: Reading) -> _S:
    """Text by text, then what depends on the surroundings, then the rules across settings, then the one value."""
    env = reading.sources.env
    surroundings = Surroundings(env=env, workspace=_workspace(env, reading.cwd), problems=[], notes=[])
    table = tuple(settings_of(kind))
    sources = with_files(reading, table, surroundings)
    values = read_table(table, sources, surroundings)
    unknown = _read_names(sources.env_file, surroundings)
    _require_absolute(surroundings)
    for title, endpoint in _endpoints(values, table, env):
        surroundings.problems.extend(host_problems(title, endpoint))
    reading.rules(values, surroundings)
    if kind is PromoteSettings and not values.get("swarm-service") and not _follow(reading, sources, table):
        _require_sources(values, surroundings)
    _require_proof(values, surroundings)
    application = read_application(values.get("service", ()), sources, table, values, surroundings)
    warnings = tuple(surroundings.notes) + unknown
    settings = assemble(kind, values, surroundings, application=application, reading=reading, warnings=warnings)
    return replace(settings, health=replace(settings.health, question=application.services[0].question))


def _endpoints(values: Mapping[str, Any], table: Iterable[Setting], env: Texts) -> Iterator[tuple[str, str]]:
    """Each address of a Docker host, and what names it."""
    yield "DOCKER_HOST", env.get("DOCKER_HOST", "")
    for one in table:
        if one.name in {"docker-host", "source-host"}:
            found = values.get(one.name) or ()
            yield from ((one.title, each) for each in ([found] if isinstance(found, str) else found))


def _gate_rules(values: Mapping[str, Any], surroundings: Surroundings) -> None:
    """What is wrong across the gate's settings; of what could not be read nothing is said twice."""
    if values.get("revision") is not None and values.get("pr") is not None:
        surroundings.refuse(
            "`revision` (GIT_SHA) and `pr` (PR) are both given; expected one of them.",
            "Give the commit's full id in `revision`, or the number in `pr` for the pull request's head.",
        )
    given = {argument.partition("=")[0] for argument in values.get("build-args", ())}
    for name in sorted(given & values.get("revision-args", frozenset())):
        surroundings.refuse(
            f"`build-args` (BUILD_ARGS) has {name}; expected no argument that the gate sets to the commit.",
            "Remove it there, or, if it is to hold something else, name another argument in `revision-args`.",
        )


def _promote_rules(values: Mapping[str, Any], surroundings: Surroundings, *, revision_required: bool) -> None:
    swarm_rules(values, surroundings)
    repository = Run.of(surroundings.env).repository or None
    enforced = values.get("enabled", True) and in_scope(repository, values.get("repos", ()))
    if revision_required and enforced and values.get("expected-revision", "") is None:
        surroundings.refuse(
            "`expected-revision` (EXPECTED_REVISION) is empty; expected the full id of the validated commit.",
            "Give the gate's output `revision`; in a shell, the output of `git rev-parse`.",
        )
    moves_a_tag = values.get("recreate") is False and values.get("registry-tag") is None
    if moves_a_tag and values.get("image", "") is None:
        surroundings.refuse(
            "`recreate` (RECREATE) is false and `image` (PROD_IMAGE) is empty; expected the tag to move.",
            "Name production's image tag in `image`, or a registry's in `registry-tag`.",
        )
    if moves_a_tag and len(values.get("service", ())) > 1:
        surroundings.refuse(
            "`recreate` (RECREATE) is false and `service` (PROD_SERVICE) names several; expected one tag to move.",
            "Move each tag by a run of its own, with its tag in `image` and its image in `source-image`.",
        )


def _follow(reading: Reading, sources: Sources, table: Iterable[Setting]) -> bool:
    """Whether the services are still to come, with the file of the commit."""
    by_default = next(sources.find(one)[1] for one in table if one.name == "service") == BY_DEFAULT
    return reading.commit_follows and by_default


def _require_proof(values: Mapping[str, Any], surroundings: Surroundings) -> None:
    if (values.get("health-path"), values.get("hold-time")) == ("running", 0):
        surroundings.refuse(
            "`health-path` (HEALTH_PATH) is running, and `hold-time` (HOLD_TIME) is 0; expected some seconds for which"
            " the container has to run.",
            "Set `hold-time` to as long as the service may take to fail.",
        )


def _require_sources(values: Mapping[str, Any], surroundings: Surroundings) -> None:
    """Each of several services has an image to promote, and there is one answer to which."""
    services, images = values.get("service", ()), values.get("source-images", {})
    staging = values.get("staging-service", USUAL_STAGING)
    if images and values.get("source-image"):
        surroundings.refuse(
            "`source-image` (SOURCE_IMAGE) and `source-images` (SOURCE_IMAGES) are both given; expected one of them.",
            "Give one image in `source-image`, or the gate's output `images` in `source-images`.",
        )
    if services and len(staging) != len(services) and (len(services) == 1 or staging != USUAL_STAGING):
        surroundings.refuse(
            f"`staging-service` (TARGET_SERVICE) names {len(staging)} services and `service` (PROD_SERVICE)"
            f" {len(services)}; expected as many, in one order.",
            "Name staging's service of each, or leave `staging-service` empty where the names are the same.",
        )
        return
    pairs = zip(services, staging if len(staging) == len(services) else services, strict=True)
    lacking = [name for name, other in pairs if images and not {name, other} & set(images)]
    if lacking:
        surroundings.refuse(
            f"`source-images` (SOURCE_IMAGES) has no image of {' and '.join(lacking)} (it has: {', '.join(images)}).",
            "Gate that service too; or, where staging calls it otherwise, name staging's services in"
            " `staging-service`, in the order of `service`.",
        )


def read_revision(option: str, text: str) -> str:
    """A full commit id from an option that is no setting. Raises SettingsError."""
    try:
        return revision(text)
    except WrongValue as wrong:
        raise SettingsError(f"{option} is {quoted(text)}; expected {wrong.expected}.", wrong.remedy) from wrong


def _read_names(env_file: Texts, surroundings: Surroundings) -> tuple[str, ...]:
    """A problem for each name that is a slip of a setting's, since that would be left out; a warning for all others."""
    known = {setting.variable for setting in GATE + PROMOTE}
    slips = near_misses(env_file, known)
    for name, meant in slips.items():
        surroundings.refuse(
            f"The env file sets {name}, which is no setting; expected {meant}.",
            f"Write {meant}; if {name} is the application's own, keep it in another file.",
        )
    unknown = [name for name in env_file if name not in known and name not in slips]
    if not unknown:
        return ()
    return (f"The env file sets {', '.join(unknown)}, which is not a setting and is ignored.",)


def _workspace(env: Texts, cwd: Path | None) -> Path:
    given = Run.of(env).workspace
    return Path(given) if given else cwd or Path.cwd()


def _require_absolute(surroundings: Surroundings) -> None:
    given = Run.of(surroundings.env).workspace
    if given and not PurePosixPath(given).is_absolute():
        surroundings.refuse(
            f"GITHUB_WORKSPACE is {quoted(given)}; expected an absolute path.",
            "Unset it in a shell; in a workflow the runner sets it.",
        )
