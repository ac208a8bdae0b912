"""What `freshness init` decides and renders: pairs, checks, ports, and the workflow of the guide word for word."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from freshness.core.scaffold.check import SCRIPT_PATH, Source, base_of, choose_check
from freshness.core.scaffold.files import notes_of, render_host_file
from freshness.core.scaffold.layout import Layout, Member, Side, health_of, own_services, pair, twin_of
from freshness.core.scaffold.settings import render_settings
from freshness.core.scaffold.workflow import render_workflow, scalar

GUIDE = Path(__file__).parents[2] / "docs/getting-started.md"


def port(published: int, target: int = 8000) -> dict[str, object]:
    return {"target": target, "published": str(published), "protocol": "tcp", "host_ip": "127.0.0.1"}


def project(**services: Mapping[str, object]) -> dict[str, object]:
    return {"name": "shop", "services": services}


def test_the_workflow_is_the_one_of_the_guide() -> None:
    """Fails when a reader of the guide and `init` get two workflows."""
    blocks = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    (text,) = (block for block in blocks if "workflow_dispatch:" in block)
    staging = Side(members=(Member(name="shop-staging", health="/"),))
    production = Side(members=(Member(name="shop", health="/"),), published=8500)
    assert render_workflow(Layout(staging=staging, production=production)) == text


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("shop-staging", "shop"), ("staging_shop", "shop"), ("shop.stage", "shop"), ("a-staging-b", "a-b"),
        ("web_stage", "web_prod"), ("preview-api", "api-live"), ("staging", "production"),
        ("backstage", None), ("previewer", None), ("shop", None), ("other-staging", None),
    ],
)  # fmt: skip
def test_staging_is_paired_with_what_has_its_name_without_the_word(name: str, twin: str | None) -> None:
    """Fails when production's own word is not taken away: its staging would be promoted beside it."""
    services = ("production", "shop-prod", "shop", "a-b", "web_prod", "api-live", "back", "er")
    assert twin_of(name, services) == twin


def test_a_database_and_its_twin_are_no_application() -> None:
    """Fails when two services of one foreign image are taken for staging and production."""
    images = {"db": "postgres:17", "db-staging": "postgres:17", "web": "shop", "web-staging": "shop-staging"}
    found = project(**{name: {"image": image} for name, image in images.items()})
    assert pair(found, ()) == (("web-staging", "web"),)


def test_what_runs_the_image_of_what_is_built_is_the_applications_and_a_tool_is_not() -> None:
    found = project(
        web={"build": {"context": "."}, "image": "shop"},
        worker={"image": "shop"},
        tool={"image": "shop", "profiles": ["tools"]},
        db={"image": "postgres"},
    )
    assert own_services(found) == ("web", "worker")


@pytest.mark.parametrize(
    ("service", "dockerfile", "health"),
    [
        ({"ports": [port(8500)]}, "", "/"),
        ({"ports": [port(8500)], "healthcheck": {"test": ["CMD", "true"]}}, "", "none"),
        ({"ports": [port(8500)], "healthcheck": {"disable": True}}, "HEALTHCHECK CMD true", "/"),
        ({}, "FROM a\nHEALTHCHECK CMD true\n", "none"),
        ({}, "FROM a\nHEALTHCHECK NONE\n", "running"),
        ({}, "", "running"),
    ],
)
def test_health_is_the_healthcheck_else_http_else_that_it_runs(
    service: dict[str, object], dockerfile: str, health: str
) -> None:
    assert health_of(project(web=service), "web", dockerfile) == health


@pytest.mark.parametrize(
    ("dockerfile", "base"),
    [
        ("FROM python:3.13 AS Base\nFROM base\n", "python:3.13"),
        ("FROM --platform=linux/amd64 golang:1 AS build\nFROM scratch\n", "scratch"),
        ("", ""),
    ],
)
def test_the_base_is_that_of_the_last_stage(dockerfile: str, base: str) -> None:
    assert base_of(dockerfile) == base


@pytest.mark.parametrize(
    ("dockerfile", "path", "word"),
    [
        ("FROM python:3.13\nWORKDIR /app\nCOPY . .\n", SCRIPT_PATH, ""),
        ("FROM python:3.13\nCOPY . /srv/app/\n", f"/srv/app/{SCRIPT_PATH}", ""),
        ("FROM python:3.13\nCOPY app.py .\n", "", "python3 -c"),
        ("FROM python:3.13 AS one\nCOPY . .\nFROM python:3.13\nCOPY --from=one /x /x\n", "", "python3 -c"),
        ("FROM node:22-alpine\nCOPY . .\n", "", "node -e"),
        ("FROM nginx:alpine\n", "", "wget"),
        ("FROM scratch\n", "", "wget"),
    ],
)
def test_the_check_is_one_that_the_image_can_run(dockerfile: str, path: str, word: str) -> None:
    """Fails when a script is named that the image does not have."""
    check = choose_check(Source(dockerfile=dockerfile, context="api"), "/up")
    assert check.path == path
    assert (word in check.command) if word else not check.command
    assert check.file == (f"api/{SCRIPT_PATH}" if path else "")
    assert bool(check.note) == (dockerfile == "FROM scratch\n")
    if word:
        assert "/up" in check.command


def test_settings_that_are_the_same_on_both_sides_are_said_once() -> None:
    check = choose_check(Source(), "/")
    staging = Side(
        members=(Member(name="web", health="/", check=check), Member(name="worker", health="running")),
        jobs=("migrate",),
    )
    production = Side(
        members=(Member(name="web", health="/"), Member(name="worker", health="running")), jobs=("migrate",)
    )
    text = render_settings(Layout(staging=staging, production=production))
    headings = [line for line in text.splitlines() if line.startswith("[")]
    assert headings == ["[services.web]", "[services.worker]", "[environments.staging.services.web]", "[jobs.migrate]"]


def test_other_names_stand_in_their_environments_and_correspond_in_the_workflow() -> None:
    staging = Side(members=(Member(name="web-stage", health="/"), Member(name="api-stage", health="none", port=81)))
    production = Side(members=(Member(name="web", health="/"), Member(name="api", health="none")))
    layout = Layout(staging=staging, production=production)
    text = render_settings(layout)
    assert '[environments.staging.services.api-stage]\nhealth = "healthcheck"\nport = 81' in text
    assert "[environments.production.services.api]" in text
    assert "staging-service: web-stage api-stage" in render_workflow(layout)
    assert 'staging-service = "web-stage api-stage"' in render_host_file(layout)


def test_without_a_staging_the_gate_makes_a_throwaway_one_and_the_promotion_names_none() -> None:
    side = Side(members=(Member(name="web", health="/"),), published=80)
    text = render_workflow(Layout(staging=side, production=side, is_throwaway=True))
    assert text.count("throwaway-staging: true") == 1
    assert "staging-service" not in text
    assert "prod-port" not in text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("/", "/"),
        ("none", "none"),
        ("a b", "a b"),
        ("it's", "'it''s'"),
        ("-x", "'-x'"),
        ("a: b", "'a: b'"),
        ("#a", "'#a'"),
    ],
)
def test_what_means_something_in_yaml_is_quoted(value: str, written: str) -> None:
    assert scalar(value) == written


def test_a_path_that_nobody_knows_is_to_be_looked_at() -> None:
    side = Side(members=(Member(name="web", health="/"),))
    assert "has to answer 2xx" in " ".join(notes_of(Layout(staging=side, production=side)))
