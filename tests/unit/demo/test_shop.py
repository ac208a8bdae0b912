"""The shop of the demo is called and placed as the demo looks for it, and breaks where the story says so."""

import subprocess
import sys
import tomllib

import pytest
from ruamel.yaml import YAML

from demo.places import ROOT, SHOP_IMAGE, SHOP_PORT, SHOP_PROJECT
from demo.shop_story import SERVICES, WORKER_FAILS

SHOP = ROOT / "demo/shop"


def test_its_compose_file_has_the_names_and_the_port_that_the_demo_takes_away() -> None:
    said = YAML(typ="safe").load(SHOP / "compose.yaml")
    assert said["name"] == SHOP_PROJECT
    assert {service["image"] for service in said["services"].values()} == {SHOP_IMAGE}
    assert said["services"]["web"]["ports"] == [f"127.0.0.1:{SHOP_PORT}:8000"]


def test_its_settings_name_every_service_and_production_has_the_migration() -> None:
    said = tomllib.loads((SHOP / "freshness.toml").read_text())
    services = YAML(typ="safe").load(SHOP / "compose.yaml")["services"]
    assert tuple(said["services"]) == SERVICES
    assert set(services) == {*SERVICES, *said["environments"]["production"]["jobs"]}


@pytest.mark.parametrize(
    ("role", "target", "status"),
    [("worker", "production", 1), ("worker", "staging", 0), ("web", "production", 0)],
)
def test_the_broken_commit_ends_the_worker_on_production_alone(role: str, target: str, status: int) -> None:
    words = (sys.executable, "-c", WORKER_FAILS, role)
    assert subprocess.run(words, check=False, env={"TARGET": target}, capture_output=True).returncode == status
