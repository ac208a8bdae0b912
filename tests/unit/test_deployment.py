"""The labels of a deployment record's volume: read back as they were written, and nothing else taken for them."""

import json

import pytest
from msgspec.structs import replace

from freshness.core.deployment import (
    Deployment,
    Recorded,
    Role,
    Served,
    from_labels,
    newest,
    served_then,
    signed,
    to_labels,
)

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
    made="c" * 64,
    kept=(
        Served(image="sha256:" + "1" * 64, revision="d" * 40, configuration='{"a":1}', replaced="2026-11-28T20:00:00Z"),
        Served(image="sha256:" + "2" * 64, left=True),
    ),
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


def test_it_is_signed_by_who_put_the_image_there_and_by_nobody_who_wrote_something_else() -> None:
    """Fails when `signed` signs every write: who adopted a target later would have deployed it."""
    first = signed(SHOP, None, who="ada", run="https://forge/1")
    again = signed(replace(first, files=("other.yaml",)), first, who="grace", run="")
    changed = signed(replace(first, configuration="{}"), first, who="grace", run="")

    assert (first.who, first.run) == ("ada", "https://forge/1")
    assert (again.who, again.run) == ("ada", "https://forge/1")
    assert (changed.who, changed.run) == ("grace", "")
    assert signed(replace(SHOP, image=""), None, who="ada", run="").who == ""
    assert from_labels(to_labels(first, 1)) == (1, first)


def test_the_record_with_the_highest_number_counts() -> None:
    records = [Recorded(name=str(n), number=n, since="", deployment=replace(SHOP, revision=str(n))) for n in (2, 10, 9)]
    assert newest(records) == records[1]
    assert newest([]) is None


def test_a_configuration_stands_in_a_label_of_its_own_as_compose_reads_it_and_is_never_printed() -> None:
    """Breaks when the configuration is JSON within JSON: nobody could give it to Compose by hand."""
    labels = to_labels(SHOP, 1)

    assert labels["freshness.configuration"] == SHOP.configuration
    assert "DSN" not in labels["freshness.value"]
    assert "DSN" not in repr(SHOP)


A, B, C = (Served(image=letter) for letter in "abc")


def test_what_ran_before_is_kept_with_what_is_known_of_it() -> None:
    before = replace(SHOP, image="c", kept=(replace(B, configuration="{}", left=True), A))

    then = served_then(
        before, ["c", "b", "x"], previous=replace(C, configuration="[]"), left=(), now="now", current=Served(image="d")
    )

    assert then == (
        Served(image="c", configuration="[]", replaced="now"),
        Served(image="b", configuration="{}", left=True),
        Served(image="x"),
    )


def test_what_a_rollback_leaves_is_marked_until_it_runs_again() -> None:
    """Breaks when a mark is lost, or one outlives the promotion of its image."""
    before = replace(SHOP, image="c", kept=(B, A))
    back = replace(
        before,
        image="a",
        kept=served_then(before, "cb", previous=C, left=("c", "b"), now="", current=A, goes_back=True),
    )
    assert [one.left for one in back.kept] == [True, True]

    again = served_then(back, "ab", previous=A, left=(), now="", current=C)  # "c" was promoted again

    assert [(one.image, one.left) for one in again] == [("a", False), ("b", True)]


ONE, TWO, THREE = (Served(image="a", configuration=text) for text in ("1", "2", "3"))


def then(before: Deployment, current: Served, previous: Served, *, goes_back: bool = False) -> Deployment:
    """The record once `current` serves in place of `previous`."""
    kept = served_then(
        before, [], current=current, previous=previous, left=(), now="now", goes_back=goes_back
    )  # fmt: skip
    return replace(before, image="a", configuration=current.configuration, kept=kept)


def test_another_configuration_of_the_same_image_is_kept_too_and_read_back() -> None:
    """I9. Breaks when configurations are kept by their image alone: the second one takes the place of the first."""
    second = then(replace(SHOP, image="a", kept=()), TWO, ONE)
    third = then(second, THREE, TWO)

    assert [one.configuration for one in third.kept] == ["2", "1"]
    assert from_labels(to_labels(third, 1)) == (1, third)


def test_a_rollback_to_another_configuration_marks_what_it_goes_past() -> None:
    """Breaks when a second rollback would go forward to the configuration that was just left."""
    third = then(then(replace(SHOP, image="a", kept=()), TWO, ONE), THREE, TWO)

    back = then(third, ONE, THREE, goes_back=True)

    assert [(one.configuration, one.left) for one in back.kept] == [("3", True), ("2", True)]
    assert [(one.configuration, one.left) for one in then(back, TWO, ONE).kept] == [("1", False), ("3", True)]
