"""What stands in a target's way is told with one remedy for each thing to do, not one for each thing found."""

from typing import Any

from freshness.core.compose import Target
from freshness.engine.conflicts import _in_the_way, _refusal
from freshness.engine.containers import PROJECT_LABEL, SERVICE_LABEL

TARGET = Target(
    project="shop", service="web", image="web", container="web", address="127.0.0.1", port=8500, container_port=80
)
PORTS = [{"PublicPort": 8500, "Type": "tcp"}]


def refusal(project: str, service: str) -> str:
    """Of a container that has the target's image, name and port."""
    labels = {PROJECT_LABEL: project, SERVICE_LABEL: service}
    entry: dict[str, Any] = {"Id": "c" * 64, "Names": ["/web"], "Image": "web", "Ports": PORTS}
    return str(_refusal(tuple(_in_the_way(entry, labels, TARGET))))


def test_a_renamed_project_is_told_how_to_keep_its_name_or_take_the_old_one_down() -> None:
    """Fails when `_in_the_way` does not compare the services, or still says what suits a stranger alone."""
    said = refusal("store", "web")

    assert "`project: store`" in said
    assert said.count("`docker compose -p store down`") == 1
    assert "docker rm" not in said


def test_a_stranger_is_to_be_removed_once_and_avoided_in_each_way() -> None:
    """Fails when `_refusal` repeats the removal for each thing that one container holds."""
    said = refusal("other", "api")

    assert said.count("`docker rm --force web`") == 1
    assert "`image: shop-web`" in said
    assert "`container_name`" in said
    assert "under `ports:`" in said
    assert "compose -p" not in said
