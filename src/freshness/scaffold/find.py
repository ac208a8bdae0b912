"""Finds the application in a checkout: in one Compose file with its staging, in two, or production's alone."""

from collections.abc import Sequence

from msgspec.structs import replace

from freshness.core.deployment import Role
from freshness.core.scaffold.layout import Layout, own_services, pair, unknown_services
from freshness.core.scaffold.side import in_order, make_side, with_check
from freshness.errors import SettingsError
from freshness.scaffold.project import Project, Reader


def find_layout(reader: Reader, services: Sequence[str]) -> Layout:
    """`services` are those that a person names, none where the files tell.

    Raises SettingsError where Compose cannot read the files, or nothing tells which services are the application.
    """
    production = reader.production()
    built = own_services(production.config)
    pairs = [one for one in pair(production.config, built) if not services or one[1] in services]
    if pairs:
        paired = {name for one in pairs for name in one}
        alone = [name for name in built if name not in paired and not services]
        return _in_one_file(reader, production, pairs, alone)
    own = _own(production, services)
    staging = reader.staging(production, own)
    if staging:
        return _in_two_files(reader, staging, production, own)
    return _production_alone(reader, production, own)


def _own(project: Project, named: Sequence[str]) -> tuple[str, ...]:
    known = project.config.get("services") or {}
    strange = [name for name in named if name not in known]
    if strange:
        has = ", ".join(sorted(known)) or "none"
        raise SettingsError(
            f"`--service` names {' and '.join(strange)}; the Compose file has {has}.", "Name services of that file."
        )
    own = tuple(named) or own_services(project.config)
    others = tuple(unknown_services(project.config))
    if own or len(others) == 1:
        return own or others
    raise SettingsError(
        f"None of the services {', '.join(others) or '(there are none)'} has `build:`, so which is the application?",
        "Name it: `freshness init --service NAME`, several with commas.",
    )


def _in_one_file(reader: Reader, project: Project, pairs: Sequence[tuple[str, str]], alone: Sequence[str]) -> Layout:
    partner, sources = dict(pairs), project.sources(reader.folder)
    staging = make_side(project.config, project.files, list(partner), Role.STAGING, sources)
    production = make_side(project.config, project.files, list(partner.values()), Role.PRODUCTION, sources)
    notes = tuple(f"{name} has no staging in the file, so it is neither gated nor promoted." for name in alone)
    ordered = in_order(production, [partner[name] for name in staging.names])
    return Layout(staging=staging, production=ordered, notes=notes)


def _in_two_files(reader: Reader, staging: Project, production: Project, own: Sequence[str]) -> Layout:
    folder = reader.folder
    first = make_side(staging.config, staging.files, own, Role.STAGING, staging.sources(folder))
    second = make_side(production.config, production.files, own, Role.PRODUCTION, production.sources(folder))
    if staging.name == production.name:
        first = replace(first, project=f"{production.name}-staging")
    return Layout(staging=first, production=in_order(second, first.names))


def _production_alone(reader: Reader, production: Project, own: Sequence[str]) -> Layout:
    """The gate proves production's own services in a project that it removes again."""
    config, sources = production.config, production.sources(reader.folder)
    side = make_side(config, production.files, own, Role.PRODUCTION, sources)
    note = (
        "there is no staging: each gate makes a project of its own, and removes it (docs/no-staging.md). For one that"
        f" stays, add a service {own[0]}-staging, or a compose.staging.yaml."
    )
    return Layout(staging=with_check(side, sources), production=side, is_throwaway=True, notes=(note,))
