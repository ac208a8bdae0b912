"""How an application's images are built, read from what Compose renders and mapped into the commit's tree."""

from typing import Any

import pytest

from freshness.core.definition import (
    Definition,
    Shared,
    find_build_problems,
    find_secret_problems,
    find_unnamed,
    read_builds,
)

ROOTS = ("/srv/shop", "/real/shop")
Services = dict[str, dict[str, Any]]


def config(services: Services) -> dict[str, Any]:
    return {"name": "shop", "services": services}


def build(context: str = "/srv/shop", **more: Any) -> dict[str, Any]:
    return {"context": context, "dockerfile": "Dockerfile", **more}


def problems(services: Services, *names: str) -> tuple[str, ...]:
    return tuple(find_build_problems(config(services), names or tuple(services), ROOTS))


def builds(services: Services) -> tuple[Shared, ...]:
    assert problems(services) == ()
    return read_builds(config(services), tuple(services), ROOTS)


def test_each_key_that_is_honoured_is_read_and_each_path_is_one_of_the_tree() -> None:
    """I1. Breaks when one of the keys is left out, or a path stays one of the work tree."""
    (shared,) = builds(
        {
            "api": {
                "build": build(
                    "/srv/shop/services/api",
                    dockerfile="../../docker/api.Dockerfile",
                    args={"B": "2$$", "A": 1, "UNSET": None},
                    target="run",
                    additional_contexts={"lib": "/real/shop/lib", "base": "docker-image://alpine:3"},
                    secrets=[{"source": "npm"}, {"source": "host", "target": "pip"}],
                    labels={"x": "y"},
                )
            }
        }
    )

    assert shared.definition == Definition(
        context="services/api",
        dockerfile="docker/api.Dockerfile",
        arguments=(("A", "1"), ("B", "2$")),
        stage="run",
        contexts=(("base", "docker-image://alpine:3"), ("lib", "lib")),
        secrets=("npm", "pip"),
        labels=(("x", "y"),),
    )


@pytest.mark.parametrize(
    "of_worker", [{"build": build()}, {"image": "shop"}, {"image": "shop:latest", "build": build()}]
)
def test_services_of_one_definition_or_one_image_share_one_build(of_worker: dict[str, Any]) -> None:
    """I3. Breaks when each service is built for itself: two builds of one commit may differ."""
    found = builds({"web": {"image": "shop", "build": build()}, "worker": of_worker})

    assert [shared.services for shared in found] == [("web", "worker")]
    assert found[0].definition.context == "."


def test_two_dockerfiles_of_one_repository_are_two_builds() -> None:
    found = builds({"api": {"build": build("/srv/shop/api")}, "web": {"build": build("/srv/shop/web")}})

    assert [(shared.services, shared.definition.dockerfile) for shared in found] == [
        (("api",), "api/Dockerfile"),
        (("web",), "web/Dockerfile"),
    ]


@pytest.mark.parametrize(
    "key",
    [
        "dockerfile_inline", "platforms", "ssh", "network", "entitlements", "privileged",
        "shm_size", "ulimits", "extra_hosts", "isolation", "tags", "no_cache", "pull", "provenance", "sbom",
        "a_key_that_is_yet_to_be_invented",
    ],
)  # fmt: skip
def test_a_key_that_is_not_honoured_is_refused_by_its_name(key: str) -> None:
    """Breaks when `HONOURED` holds it, or unknown keys pass: something else would be built without a word."""
    (problem,) = problems({"web": {"build": {**build(), key: "something"}}})

    assert f"The service 'web' has `build: {key}:`, which is not honoured here." in problem
    assert problems({"web": {"build": {**build(), key: False}}}) == ()


def test_where_layers_are_kept_and_extensions_are_no_matter() -> None:
    """Fails when what builds nothing else is refused."""
    given = {**build(), "cache_from": ["type=gha"], "cache_to": ["type=inline"], "x-bake": {"tags": ["a"]}}

    (shared,) = builds({"web": {"build": given}})

    assert shared == builds({"web": {"build": build()}})[0]


@pytest.mark.parametrize(
    ("named", "production", "said"),
    [
        (("web",), (), "shop, worker are built of this repository too"),
        (("web",), ("shop",), "worker is built of this repository too"),
        (("web", "worker"), ("shop",), ""),
    ],
)
def test_what_is_left_on_another_commit_is_said(named: tuple[str, ...], production: tuple[str, ...], said: str) -> None:
    """Fails when a service that is built here is left out without a word, or one that is not is named."""
    services = {name: {"build": build()} for name in ("web", "worker", "shop")}
    given = config({**services, "db": {"image": "postgres"}, "proxy": {"build": build("/srv/proxy")}})

    found = find_unnamed(given, named, production, ROOTS)

    assert found.startswith(said)
    assert bool(found) == bool(said)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"context": "https://github.com/x/y.git#main"}, "`build: context: https://github.com/x/y.git#main`"),
        ({"context": "git@github.com:x/y.git"}, "not of this commit"),
        ({"context": "/srv/shop-2"}, "outside the checkout at /srv/shop"),
        ({"context": "/srv/shop/../other"}, "outside the checkout"),
        ({"dockerfile": "../Dockerfile"}, "`build: dockerfile:` at"),
        ({"dockerfile": "/etc/Dockerfile"}, "`build: dockerfile:` at"),
        ({"additional_contexts": {"lib": "/srv/lib"}}, "`build: additional_contexts: lib:` at /srv/lib"),
        ({"additional_contexts": {"lib": "service:base"}}, "`build: additional_contexts: lib: service:base`"),
        ({"additional_contexts": {"lib": "oci-layout:///x"}}, "not of this commit"),
    ],
)
def test_what_leaves_the_tree_is_refused_by_its_name(changes: dict[str, Any], said: str) -> None:
    """I1. Breaks when `_inside` compares beginnings of names, or links of the path are not resolved in words."""
    (problem,) = problems({"web": {"build": {**build(), **changes}}})

    assert said in problem


@pytest.mark.parametrize("image", [None, "postgres:17"])
def test_a_service_that_nothing_here_builds_is_refused(image: str | None) -> None:
    """I3. Breaks when `_builder` takes a service that is not named: its image would be of another commit."""
    services: Services = {"web": {"image": "shop", "build": build()}, "db": {"image": image}}

    (problem,) = problems(services)

    assert "The service 'db' has no `build:`" in problem
    assert problems({**services, "worker": {"image": "shop"}}, "worker") != ()


def test_two_builds_of_one_image_name_are_refused() -> None:
    """Breaks when `_conflicts` is not asked: the later build would take the tag away from the first."""
    (problem,) = problems(
        {"a": {"image": "shop", "build": build()}, "b": {"image": "shop", "build": build(target="b")}}
    )

    assert "'a' and 'b' build the image 'shop' in two ways" in problem


def test_a_secret_comes_from_the_settings_alone() -> None:
    """Breaks when the Compose file's own source is taken: a pull request could name any file of the host."""
    (shared,) = builds({"web": {"build": build(secrets=[{"source": "npm"}])}})

    assert tuple(find_secret_problems(shared, ("npm",))) == ()
    (problem,) = find_secret_problems(shared, ())
    assert "`id=npm,env=NAME`" in problem
