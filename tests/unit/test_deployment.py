"""The labels of a deployment record's volume: read back as they were written, and nothing else taken for them."""

import json
from dataclasses import replace

import pytest

from freshness.core.deployment import Deployment, Recorded, Role, from_labels, newest, to_labels

SHOP = Deployment(
    project="shop",
    service="web",
    role=Role.PRODUCTION,
    repository="team/shop",
    files=("compose.yaml", "compose.override.yaml"),
    container="shop-web-1",
    ports=("127.0.0.1:8500->8000/tcp",),
    image="sha256:" + "a" * 64,
    revision="b" * 40,
    configuration='{"environment":{"DSN":"pä=ss"}}',
)


@pytest.mark.parametrize("deployment", [SHOP, Deployment(project="shop", service="web", role=Role.STAGING)])
def test_a_record_is_read_back_as_it_was_written(deployment: Deployment) -> None:
    assert from_labels(to_labels(deployment, 7)) == (7, deployment)


def test_what_a_later_release_adds_is_passed_over() -> None:
    labels = to_labels(SHOP, 1)
    value = json.loads(labels["freshness.value"]) | {"colour": "blue"}
    assert from_labels(labels | {"freshness.value": json.dumps(value)}) == (1, SHOP)


@pytest.mark.parametrize(
    "changed",
    [
        {"freshness.number": "one"},
        {"freshness.value": "{"},
        {"freshness.value": "[]"},
        {"freshness.value": '{"project":"shop","service":"web"}'},
        {"freshness.value": '{"project":"shop","service":"web","role":"canary"}'},
        {"freshness.deployment": "shop.api"},
    ],
)
def test_what_is_no_record_is_not_taken_for_one(changed: dict[str, str]) -> None:
    assert from_labels(to_labels(SHOP, 1) | changed) is None


def test_the_record_with_the_highest_number_counts() -> None:
    records = [Recorded(name=str(n), number=n, since="", deployment=replace(SHOP, revision=str(n))) for n in (2, 10, 9)]
    assert newest(records) == records[1]
    assert newest([]) is None
