"""What is built for an application: by the Compose file's `build:`, or by the inputs where one service has none."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from freshness.core.compose import image_of, publishers_of
from freshness.core.definition import (
    Definition,
    Shared,
    find_build_problems,
    find_secret_problems,
    find_unnamed,
    leaves_tree,
    read_builds,
)
from freshness.core.image import repository_of, same_tag
from freshness.core.registry_name import Repository
from freshness.core.secret import Secret
from freshness.engine.build import Build, locate
from freshness.git.standing import BuildContext
from freshness.git.work_tree import find_root
from freshness.settings.model import GateSettings


class Builds(Struct, frozen=True, kw_only=True):
    """`shared` is one for each distinct build. `by_compose`: the Compose files say how, and are the image's input."""

    shared: tuple[Shared, ...] = ()
    by_compose: bool = False
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def find_builds(settings: GateSettings, config: Mapping[str, Any], names: Sequence[str]) -> Builds:
    """The builds of these services and jobs.

    For one service alone the inputs win; for those of one image they stand for a missing `build:`.
    """
    given, roots = settings.build, find_root(settings.source.folder)
    build = config["services"][names[0]].get("build")
    production = () if settings.throwaway else publishers_of(config, settings.prod_port)
    notes = tuple(filter(None, [find_unnamed(config, names, production, roots)]))
    is_told = given.given_context is not None or given.dockerfile is not None
    if (len(names) == 1 and (not build or is_told or leaves_tree(build, roots))) or _is_one_image(config, names):
        outside = build and not is_told
        note = (
            f"The `build:` of {names[0]} lies outside the checkout: {given.file} of the commit is built in its place."
        )
        return Builds(shared=(_by_inputs(settings, names),), notes=(*notes, *([note] if outside else ())))
    problems = [*find_build_problems(config, names, roots)]
    if is_told or (len(names) > 1 and given.target):
        problems.append(
            "`context`, `file` and `target` speak of one service: with several, say it in `build:` of each."
        )
    if problems:
        return Builds(problems=tuple(problems))
    shared = tuple(_with_inputs(settings, one) for one in read_builds(config, names, roots))
    secrets = [secret.id for secret in given.secrets]
    problems = [problem for one in shared for problem in find_secret_problems(one, secrets)]
    problems += _find_unpublishable(settings, shared)
    return Builds(shared=shared, by_compose=True, problems=tuple(problems), notes=notes)


def build_of(
    shared: Shared, settings: GateSettings, run_env: Mapping[str, str], built: BuildContext, commit: str, tag: str
) -> Build:
    """The build in the exported tree. Raises Refused where a link leads out of it, BuildFailed for what is missing."""
    definition, tree = shared.definition, built.folder
    context, dockerfile = locate(tree, PurePosixPath(definition.context), PurePosixPath(definition.dockerfile))
    return Build(
        name=built.name,
        keepalive_fds=built.keepalive_fds,
        context=context,
        subfolder=PurePosixPath(definition.context),
        dockerfile=dockerfile,
        commit=commit,
        label=settings.source.label,
        tag=tag,
        arguments=tuple(f"{name}={value}" for name, value in definition.arguments),
        labels=tuple(f"{name}={value}" for name, value in definition.labels),
        contexts=tuple(_locate_contexts(definition, tree)),
        secrets=tuple(secret.argument for secret in settings.build.secrets),
        variables={secret.carrier: Secret(run_env[secret.env]) for secret in settings.build.secrets if secret.env},
        stage=definition.stage or None,
        revision_arguments=tuple(sorted(settings.build.revision_arguments)),
        pull=settings.build.pull,
        timeout=settings.build.timeout,
    )


def tags_of(config: Mapping[str, Any], builds: Sequence[Shared], commit: str) -> tuple[str, ...]:
    """A tag for each build: its image repository, and the commit; a second build of one repository says whose it is."""
    tags: list[str] = []
    for one in builds:
        tag = f"{repository_of(image_of(config, one.services[0]))}:{commit}"
        tags.append(f"{tag}-{one.services[0]}" if tag in tags else tag)
    return tuple(tags)


def repositories_of(settings: GateSettings, builds: Sequence[Shared]) -> tuple[Repository, ...]:
    """Where each build is published: one alone in the registry's repository, several below it; none where none is."""
    repository = settings.registry.repository
    if repository is None:
        return ()
    return (repository,) if len(builds) == 1 else tuple(repository.below(one.services[0]) for one in builds)


def _find_unpublishable(settings: GateSettings, builds: Sequence[Shared]) -> Iterator[str]:
    repository = settings.registry.repository
    if repository is None or len(builds) == 1:
        return
    for name in [one.services[0] for one in builds]:
        try:
            repository.below(name)
        except ValueError:
            yield (
                f"The image of the service {name!r} would be published as {repository}/{name}, and no registry takes"
                " that name. Rename the service: lower case letters and digits, with `.`, `_` or `-` between them."
            )


def _is_one_image(config: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Whether all run one image, of which no Compose file says how it is built, as where a registry had it."""
    first, built = image_of(config, names[0]), (config["services"][name].get("build") for name in names)
    return not any(built) and all(same_tag(image_of(config, name), first) for name in names)


def _by_inputs(settings: GateSettings, services: Sequence[str]) -> Shared:
    return _with_inputs(
        settings,
        Shared(
            definition=Definition(context=str(settings.build.context), dockerfile=str(settings.build.file)),
            services=tuple(services),
        ),
    )


def _with_inputs(settings: GateSettings, shared: Shared) -> Shared:
    """Arguments of the inputs win over those of the same name."""
    ours = dict(argument.partition("=")[::2] for argument in settings.build.arguments)
    theirs = {name: value for name, value in shared.definition.arguments if name not in ours}
    definition = replace(
        shared.definition,
        arguments=tuple({**theirs, **ours}.items()),
        stage=settings.build.target or shared.definition.stage,
    )
    return replace(shared, definition=definition)


def _locate_contexts(definition: Definition, tree: Path) -> Iterator[tuple[str, Path | str]]:
    for name, place in definition.contexts:
        if "://" in place:
            yield name, place
        else:
            yield name, locate(tree, PurePosixPath(place), PurePosixPath(definition.dockerfile))[0]
