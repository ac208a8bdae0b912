"""What `docker compose config` says of how a service's image is built, mapped into the commit's tree."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from freshness.core.image import same_tag

Service = Mapping[str, Any]

HONOURED = frozenset({"context", "dockerfile", "args", "target", "additional_contexts", "secrets", "labels"})
WITHOUT_EFFECT = frozenset({"cache_from", "cache_to"})
"""They say where layers are kept, and not what is built: what BuildKit has is used, and no other cache is asked."""
IMAGE = "docker-image://"
"""An additional context that is an image: as much of the commit as what `FROM` names."""
_REMEDIES = {
    "dockerfile_inline": "Write it into a Dockerfile of the repository.",
    "platforms": "The image is built for the Engine that runs it: take the key out.",
    "ssh": "Fetch with a build secret in its place.",
    "tags": "The image gets the names that the services run: take the key out.",
}


class Definition(Struct, frozen=True, kw_only=True):
    """One build. Every path is relative to the commit's tree, and lies in it.

    `contexts` are the additional ones, by name: a path, or `docker-image://` and an image. `secrets` are the ids that
    the Dockerfile may ask for.
    """

    context: str
    dockerfile: str
    arguments: tuple[tuple[str, str], ...] = ()
    stage: str = ""
    contexts: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()


class Shared(Struct, frozen=True, kw_only=True):
    """One build and the services that run its image, in the order in which they were named."""

    definition: Definition
    services: tuple[str, ...]


def find_build_problems(config: Mapping[str, Any], services: Sequence[str], roots: Sequence[str]) -> Iterator[str]:
    """Every reason why these services cannot be built from the commit alone, each a sentence with its remedy.

    `roots` are the absolute paths of the checkout's top folder: as it was named, and without links.
    """
    for name in services:
        ours: Service = config["services"][name]
        if ours.get("build"):
            yield from _key_problems(name, ours["build"])
            yield from _path_problems(name, ours["build"], roots)
        elif _builder(config, name, services) is None:
            yield (
                f"The service {name!r} has no `build:`, and no other service that is named here builds its image"
                f" {_image_of(config, name)!r}. Give it a `build:`, or the `image:` of a service that has one and is"
                " named in `service` too; what comes from a registry is not of this commit: do not name it."
            )
    yield from _conflicts(config, services, roots)


def read_builds(config: Mapping[str, Any], services: Sequence[str], roots: Sequence[str]) -> tuple[Shared, ...]:
    """One build for each distinct definition; only where `find_build_problems` found none."""
    found: dict[Definition, list[str]] = {}
    for name in services:
        builder = name if config["services"][name].get("build") else _builder(config, name, services)
        definition = _read(config["services"][builder]["build"], roots)
        found.setdefault(definition, []).append(name)
    return tuple(Shared(definition=definition, services=tuple(names)) for definition, names in found.items())


def find_secret_problems(shared: Shared, given: Sequence[str]) -> Iterator[str]:
    """A secret's value is never taken from where a Compose file of the commit says: it could name any file here."""
    for name in shared.definition.secrets:
        if name not in given:
            yield (
                f"The build of {' and '.join(shared.services)} asks for the secret {name!r} (`build: secrets:`), which"
                f" the Compose file may not take from this host. Give it in the setting `secrets`: `id={name},env=NAME`"
                f" or `id={name},src=/absolute/path`."
            )


def find_unnamed(
    config: Mapping[str, Any], services: Sequence[str], production: Sequence[str], roots: Sequence[str]
) -> str:
    """A sentence on the other services that are built of the checkout; empty where there is none but `production`."""
    others = (config.get("services") or {}).items()
    built = [name for name, ours in others if ours.get("build") and not leaves_tree(ours["build"], roots)]
    left = sorted(set(built) - {*services, *production})
    if not left:
        return ""
    are = "is" if len(left) == 1 else "are"
    return (
        f"{', '.join(left)} {are} built of this repository too, and not named in `service`, so on another commit than"
        f" {services[0]}: name what belongs together."
    )


def leaves_tree(build: Service, roots: Sequence[str]) -> bool:
    """Whether its context is no folder of the checkout."""
    return _inside(str(build["context"]), roots) is None


def _builder(config: Mapping[str, Any], name: str, services: Sequence[str]) -> str | None:
    """The named service whose build gives this one its image."""
    others = (other for other in services if other != name and config["services"][other].get("build"))
    image = _image_of(config, name)
    return next((other for other in others if same_tag(_image_of(config, other), image)), None)


def _image_of(config: Mapping[str, Any], name: str) -> str:
    return config["services"][name].get("image") or f"{config['name']}-{name}"


def _key_problems(name: str, build: Service) -> Iterator[str]:
    for key in sorted(set(build) - HONOURED - WITHOUT_EFFECT):
        if build[key] and not key.startswith("x-"):
            remedy = _REMEDIES.get(key, "Take the key out, or say it in the Dockerfile.")
            yield f"The service {name!r} has `build: {key}:`, which is not honoured here. {remedy}"


def _path_problems(name: str, build: Service, roots: Sequence[str]) -> Iterator[str]:
    places = {"context": str(build["context"])}
    for key, value in (build.get("additional_contexts") or {}).items():
        if not str(value).startswith(IMAGE):
            places[f"additional_contexts: {key}"] = str(value)
    if _inside(places["context"], roots) is not None and not _is_url(places["context"]):
        places["dockerfile"] = posixpath.join(places["context"], build.get("dockerfile") or "Dockerfile")
    for key, place in places.items():
        if _is_url(place):
            yield (
                f"The service {name!r} has `build: {key}: {place}`, which is not of this commit. Give it a folder of"
                " the repository; what another repository holds comes in as a submodule, or as an image."
            )
        elif _inside(place, roots) is None:
            yield (
                f"The service {name!r} has `build: {key}:` at {place}, outside the checkout at {roots[0]}. Only what"
                " the commit holds is built: move it into the repository, or set `project-directory` to the checkout."
            )


def _conflicts(config: Mapping[str, Any], services: Sequence[str], roots: Sequence[str]) -> Iterator[str]:
    """Two builds of one name: the second would take the first one's tag away."""
    building = [name for name in services if config["services"][name].get("build")]
    building = [name for name in building if not leaves_tree(config["services"][name]["build"], roots)]
    for number, name in enumerate(building):
        for other in building[:number]:
            one, two = (config["services"][each]["build"] for each in (other, name))
            if same_tag(_image_of(config, name), _image_of(config, other)) and _read(one, roots) != _read(two, roots):
                yield (
                    f"The services {other!r} and {name!r} build the image {_image_of(config, name)!r} in two ways. Give"
                    " each an `image:` of its own, or both the same `build:`."
                )


def _read(build: Service, roots: Sequence[str]) -> Definition:
    context = str(build["context"])
    dockerfile = posixpath.join(context, build.get("dockerfile") or "Dockerfile")
    contexts = {name: str(place) for name, place in (build.get("additional_contexts") or {}).items()}
    return Definition(
        context=_inside(context, roots) or ".",
        dockerfile=_inside(dockerfile, roots) or "Dockerfile",
        arguments=pairs(build.get("args")),
        stage=build.get("target") or "",
        contexts=tuple(
            (name, place if place.startswith(IMAGE) else _inside(place, roots) or ".")
            for name, place in sorted(contexts.items())
        ),
        secrets=tuple(sorted(used.get("target") or used["source"] for used in build.get("secrets") or ())),
        labels=pairs(build.get("labels")),
    )


def pairs(given: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...]:
    """What has no value is left out, as Compose does; it prints each `$` of a value twice."""
    named = ((name, value) for name, value in (given or {}).items() if value is not None)
    return tuple(sorted((name, str(value).replace("$$", "$")) for name, value in named))


def _is_url(place: str) -> bool:
    """Compose makes every folder an absolute path, and leaves all else as it was written."""
    return not place.startswith("/")


def _inside(place: str, roots: Sequence[str]) -> str | None:
    """The path within the checkout, None where it lies outside."""
    path = posixpath.normpath(place)
    for root in roots:
        if path == root:
            return "."
        if path.startswith(f"{root.rstrip('/')}/"):
            return path[len(root.rstrip("/")) + 1 :]
    return None
