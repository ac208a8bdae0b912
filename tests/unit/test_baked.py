"""Which build arguments are named because the image, built once, has staging's value of them, and which are not."""

from typing import Any

import pytest

from freshness.core.baked import find_baked
from freshness.core.definition import read_builds

Arguments = dict[str, str | None]


def service(port: int, arguments: Arguments, dockerfile: str = "Dockerfile") -> dict[str, Any]:
    return {
        "build": {"context": "/srv/shop", "dockerfile": dockerfile, "args": arguments},
        "ports": [{"published": str(port), "target": 80}],
    }


def said(staging: Arguments, *, twin: Arguments | None = None, port: int = 8500, dockerfile: str = "Dockerfile") -> str:
    services = {"web": service(8501, staging)}
    if twin is not None:
        services["other"] = service(port, twin, dockerfile)
    config = {"name": "shop", "services": services}
    builds = read_builds(config, ["web"], ["/srv/shop"])
    return "\n".join(find_baked(config, builds, 8500, {"GIT_SHA"}))


@pytest.mark.parametrize("theirs", [{"MODE": "live"}, {}, {"MODE": None}])
def test_an_argument_of_another_value_for_production_is_named_without_its_value(theirs: Arguments) -> None:
    """Fails when `find_baked` does not compare, or takes an argument that production does not have for the same."""
    text = said({"MODE": "trial"}, twin=theirs)

    assert text.startswith("The build argument MODE has another value for other than for web:")
    assert "read it when it starts" in text
    assert "trial" not in text
    assert "live" not in text


def test_a_dockerfile_in_the_compose_file_is_not_the_same_one() -> None:
    """Fails when `_place` takes a build without `dockerfile` for one of the file `Dockerfile`, whatever it has."""
    other = {"build": {"context": "/srv/shop", "dockerfile_inline": "FROM scratch", "args": {"VITE_X": "1"}}}
    config = {"name": "shop", "services": {"web": service(8501, {}), "other": other}}

    assert [*find_baked(config, read_builds(config, ["web"], ["/srv/shop"]), 8500, ())] == []


def test_what_only_production_is_given_is_named_too() -> None:
    """Fails when the arguments of staging alone are looked at."""
    assert "VITE_API has another value for other" in said({}, twin={"VITE_API": "b"})


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("NEXT_PUBLIC_API", True), ("VITE_API", True), ("REACT_APP_X", True), ("PUBLIC_X", True),
        ("NUXT_PUBLIC_X", True), ("API_URL", True), ("VITE_GITHUB_URL_PREFIX", True),
        ("NODE_ENV", False), ("VERSION", False), ("URL_PREFIX", False), ("MY_PUBLIC_X", False), ("VITE_", False),
        ("PIP_INDEX_URL", False), ("NPM_REGISTRY_URL", False), ("PYTHON_DOWNLOAD_URL", False),
    ],
)  # fmt: skip
def test_where_production_is_not_known_the_name_decides(name: str, named: bool) -> None:  # noqa: FBT001 -- expected
    """Fails when a prefix is missing in `_OF_APPLICATION`, or what the build alone asks is taken for baked in."""
    assert said({name: "x"}).startswith(f"What is given as {name} to the build of web is part of the image") is named
    assert said({name: "x"}, twin={name: "y"}, port=9000).startswith(f"The build argument {name} has ") is named


@pytest.mark.parametrize(
    "quiet",
    [
        said({"API_URL": "x"}, twin={"API_URL": "x"}),
        said({"API_URL": "x"}, twin={"API_URL": "x"}, port=9000),
        said({"API_URL": ""}),
        said({"APP": "web"}, twin={"APP": "worker"}, port=9000),
        said({"APP": "web"}, twin={"APP": "proxy"}, dockerfile="proxy.Dockerfile"),
        said({"GIT_SHA": "a"}, twin={"GIT_SHA": "b"}),
    ],
)
def test_what_is_known_to_be_the_same_or_another_services_is_not_named(quiet: str) -> None:
    """Fails when an equal or empty value, the commit, or another Dockerfile's argument is a reason to speak."""
    assert quiet == ""


def test_each_argument_is_named_once_and_those_without_a_twin_in_one_sentence() -> None:
    """Fails when what differs is said to be unknown too, or each unknown one in a sentence of its own."""
    text = said({"API_URL": "a", "VITE_A": "1", "VITE_B": "2"}, twin={"API_URL": "b", "VITE_A": "1", "VITE_B": "2"})
    assert text.count("\n") == 0
    assert said({"VITE_A": "1", "VITE_B": "2"}).startswith("What is given as VITE_A, VITE_B to")


@pytest.mark.parametrize(("stage", "port", "named"), [("live", 8500, True), ("", 8500, False), ("live", 9000, False)])
def test_another_stage_of_production_is_named(stage: str, port: int, named: bool) -> None:  # noqa: FBT001 -- expected
    """Fails when `_find_stages` is not asked: production's `build:` says one stage, and gets another unseen."""
    web, shop = service(8501, {}), service(port, {})
    shop["build"]["target"] = stage
    config = {"name": "shop", "services": {"web": web, "shop": shop}}

    found = [*find_baked(config, read_builds(config, ["web"], ["/srv/shop"]), 8500, ())]

    assert [one.startswith("The stage of shop is live (`build: target:`)") for one in found] == [True] * named
