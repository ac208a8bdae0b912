"""Looks at the repositories where images are published: may this user push there? Nothing is written."""

from collections.abc import Iterator, Mapping

from freshness.core.finding import Area, Finding
from freshness.core.registry_name import Repository
from freshness.doctor.trial import fine, unchecked
from freshness.registry.client import Registry
from freshness.registry.credentials import find_credentials


def look_at_registry(repository: Repository, env: Mapping[str, str]) -> Iterator[Finding]:
    """Raises RegistryError where it cannot be reached, or lets this user not push."""
    registry = Registry(repository, find_credentials(repository.host, env))
    if registry.may_push():
        yield fine(Area.REGISTRY, f"this user may push to {repository}.")
    else:
        yield unchecked(Area.REGISTRY, f"whether this user may push to {repository}: it answers as if none was there.")
