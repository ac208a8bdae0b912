"""What a build bakes into the image: production gets the arguments and the stage that staging was built with."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from freshness.core.compose import publishers_of
from freshness.core.definition import Shared, pairs

_OF_APPLICATION = re.compile(r"(?:NEXT_PUBLIC|NUXT_PUBLIC|VITE|REACT_APP|PUBLIC)_.+|.+_URL")
_OF_BUILD = re.compile(r"INDEX|REGISTRY|MIRROR|PROXY|REPO|DOWNLOAD|PACKAGE|TARBALL|GITHUB")
"""Of an address that the build alone asks nothing is in the image."""
_WHAT_TO_DO = (
    "Let the application read it when it starts, or serve it to the browser (say as /config.json), and take it out of"
    " the build arguments."
)


def find_baked(
    config: Mapping[str, Any], builds: Sequence[Shared], prod_port: int, exempt: Collection[str]
) -> Iterator[str]:
    """A sentence, with what to do, for the arguments of each build that are not the same for production, or may not be.

    Another service of the same Dockerfile tells: production's, by its port, in every argument; one that may be, in
    those that are the application's by their name. `exempt` are the arguments that get the commit. Where production's
    is another stage, that is said too.
    """
    for one in builds:
        yield from _find_stages(config, one, _twins(config, builds, one), prod_port)
        ours = {name: value for name, value in one.definition.arguments if name not in exempt}
        different, alike = _compare(config, ours, _twins(config, builds, one), prod_port)
        for name in sorted(different.keys() - set(exempt)):
            yield (
                f"The build argument {name} has another value for {different[name]} than for {one.services[0]}: the"
                f" image is built once, with that of {one.services[0]}, and production gets it. {_WHAT_TO_DO}"
            )
        known = different.keys() | alike
        unknown = [name for name, value in ours.items() if value and _is_of_application(name) and name not in known]
        if unknown:
            yield (
                f"What is given as {', '.join(unknown)} to the build of {one.services[0]} is part of the image:"
                f" production gets the same value. Where it needs another one: {_WHAT_TO_DO}"
            )


def _find_stages(config: Mapping[str, Any], one: Shared, twins: Sequence[str], prod_port: int) -> Iterator[str]:
    ours = one.definition.stage
    for name in publishers_of(config, prod_port):
        theirs = config["services"][name]["build"].get("target") or "" if name in twins else ours
        if theirs != ours:
            yield (
                f"The stage of {name} is {theirs or 'the last one'} (`build: target:`), that of {one.services[0]} is"
                f" {ours or 'the last one'}: production gets the image of the latter. Give both the same `target`."
            )


def _compare(
    config: Mapping[str, Any], ours: Mapping[str, str], twins: Sequence[str], prod_port: int
) -> tuple[dict[str, str], set[str]]:
    """The names that differ, each with the service for which it does, and those that are alike somewhere."""
    production = [name for name in publishers_of(config, prod_port) if name in twins]
    different: dict[str, str] = {}
    alike: set[str] = set()
    for twin in production or twins:
        theirs = dict(pairs(config["services"][twin]["build"].get("args")))
        for name in ours.keys() | theirs.keys():
            if ours.get(name) == theirs.get(name):
                alike.add(name)
            elif production or _is_of_application(name):
                different.setdefault(name, twin)
    return different, alike


def _is_of_application(name: str) -> bool:
    return _OF_APPLICATION.fullmatch(name) is not None and not (name.endswith("_URL") and _OF_BUILD.search(name))


def _twins(config: Mapping[str, Any], builds: Sequence[Shared], one: Shared) -> list[str]:
    """The services that are not this application's, and have the same context and Dockerfile as this build."""
    own = {name for shared in builds for name in shared.services}
    places = {_place(config["services"][name]) for name in one.services} - {None}
    return [name for name, service in config["services"].items() if name not in own and _place(service) in places]


def _place(service: Mapping[str, Any]) -> tuple[str, str] | None:
    build = service.get("build") or {}
    file = build.get("dockerfile") or "Dockerfile"
    return (str(build.get("context")), file) if build and not build.get("dockerfile_inline") else None
