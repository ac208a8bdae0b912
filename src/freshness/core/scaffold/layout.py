"""Which services of a Compose project are the application's, and which of them are staging and which production."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from freshness.core.compose import image_of, published_ports
from freshness.core.image import same_tag
from freshness.core.scaffold.check import Check

Config = Mapping[str, Any]
STAGING_WORD = re.compile(r"(^|[-_.])(staging|stage|preview)($|[-_.])")
"""What tells a service or a file of staging from one of production."""
_PRODUCTION_WORD = re.compile(r"(^|[-_.])(production|prod|live)($|[-_.])")


class Member(Struct, frozen=True, kw_only=True):
    """A service of the application. `health` is an HTTP path, `none` (its HEALTHCHECK) or `running`.

    `port` is the one on the host, where it has to be said. `check` is what staging runs in it.
    """

    name: str
    health: str
    port: int | None = None
    check: Check | None = None


class Side(Struct, frozen=True, kw_only=True):
    """Staging or production. `files` are the Compose files within the repository, none where Compose finds them.

    `project` is given where the files of both would give the same one. `published` is the first service's port.
    """

    files: tuple[str, ...] = ()
    project: str = ""
    members: tuple[Member, ...] = ()
    jobs: tuple[str, ...] = ()
    published: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.members)


class Layout(Struct, frozen=True, kw_only=True):
    """Both sides; their services correspond by their order. `notes` are for the person who looks at the result.

    `is_throwaway`: there is no staging, so that each gate proves production's services in a project of its own.
    """

    staging: Side
    production: Side
    is_throwaway: bool = False
    notes: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether the inputs of the actions say it all, without a file of settings."""
        return len(self.staging.members) == 1 and not self.staging.jobs + self.production.jobs


def own_services(config: Config) -> tuple[str, ...]:
    """What is built, and what runs the image of that; what a profile hides is a tool, unless something needs it."""
    services: Mapping[str, Mapping[str, Any]] = config.get("services") or {}
    built = [name for name, one in services.items() if one.get("build")]
    images = [image_of(config, name) for name in built]
    needed = set(jobs_of(config))
    return tuple(
        name
        for name, one in services.items()
        if (name in built or any(same_tag(image_of(config, name), image) for image in images))
        and (name in needed or not one.get("profiles"))
    )


def jobs_of(config: Config) -> tuple[str, ...]:
    """What another service waits for until it has ended well."""
    services: Mapping[str, Mapping[str, Any]] = config.get("services") or {}
    found = (
        name
        for one in services.values()
        for name, how in (one.get("depends_on") or {}).items()
        if how.get("condition") == "service_completed_successfully"
    )
    return tuple(dict.fromkeys(found))


def pair(config: Config, own: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Staging and production of each service that one file has both of, by their names.

    Where neither is built in the file, they are told from a database and its twin by an image of their own.
    """
    services = config.get("services") or {}
    twins = ((name, twin) for name in services if (twin := twin_of(name, services)))
    return tuple(
        (name, twin)
        for name, twin in twins
        if {name, twin} & set(own) or not same_tag(image_of(config, name), image_of(config, twin))
    )


def twin_of(name: str, services: Collection[str]) -> str | None:
    """The one of production, where the name says staging: of `shop-staging` it is `shop`, else `shop-production`."""
    plain = _without(STAGING_WORD, name)
    if plain == name or plain in services:
        return plain if plain != name else None
    return next((one for one in services if one != plain and _without(_PRODUCTION_WORD, one) == plain), None)


def _without(word: re.Pattern[str], name: str) -> str:
    """The name without that word: `shop-staging`, `staging_shop` and `shop.stage` are `shop`; empty if it is all."""
    return word.sub(lambda found: found[1] if found[1] and found[3] else "", name)


def published_first(config: Config, names: Sequence[str]) -> tuple[str, ...]:
    """The service that the inputs speak of is one that can be asked, where there is any."""
    return tuple(sorted(names, key=lambda name: not published_ports(config, name)))


def health_of(config: Config, name: str, dockerfile: str) -> str:
    """Its HEALTHCHECK where it has one, else HTTP where it publishes a port, else that it runs."""
    said = config["services"][name].get("healthcheck") or {}
    has_own = bool(said) and not said.get("disable")
    if has_own or (not said and re.search(r"^\s*HEALTHCHECK\s+(?!NONE)", dockerfile, re.MULTILINE | re.IGNORECASE)):
        return "none"
    return "/" if published_ports(config, name) else "running"


def unknown_services(config: Config) -> Iterator[str]:
    """The services among which the application is, where none is built."""
    yield from (name for name, one in (config.get("services") or {}).items() if not one.get("profiles"))
