"""A promotion's outcome has its exit status, and a person gets commands that can be pasted."""

import shlex

import pytest

from freshness.core.compose import Target
from freshness.core.image import REVISION_LABEL, Image
from freshness.core.promotion import PromotionOutcome, manual_commands, name_revision

TARGET = Target(
    project="shop", service="web", image="host:5000/shop/web:live", container="shop-web-1", address="127.0.0.1",
    port=8500, container_port=80,
)  # fmt: skip
FILES = ["--file", "/srv/my shop/compose.yaml", "--file", "/srv/my shop/b.yaml", "--project-directory", "/srv/my shop"]
COMPOSE = ["docker", "compose", "-p", "shop", *FILES]
OLD, TAGGED = Image(id="sha256:01d"), Image(id="sha256:7a9")


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("promoted", 0), ("unchanged", 0), ("refused", 1), ("error", 3), ("rolled-back", 4), ("stranded", 5)],
)
def test_each_outcome_has_the_exit_status_of_the_design(outcome: str, status: int) -> None:
    """I9. Breaks when a failed promotion ends like a good one."""
    assert PromotionOutcome(outcome).exit_status == status
    assert {one.value for one in PromotionOutcome} == {
        "promoted", "unchanged", "refused", "error", "rolled-back", "stranded",
    }  # fmt: skip


def words(*commands: str) -> list[list[str]]:
    """Each command as a shell splits it."""
    return [shlex.split(command) for command in commands]


def test_the_way_back_by_hand_is_by_id_and_of_the_one_service() -> None:
    """I9. Breaks when the commands go by a tag, a path with a blank falls apart, or a profile that is off is missed."""
    tag, up = words(*manual_commands(TARGET, FILES, OLD, TAGGED))

    assert tag == ["docker", "tag", OLD.id, TARGET.image]
    assert up[: len(COMPOSE) + 2] == [*COMPOSE, "--profile", "*"]
    assert up[-1] == "web"
    assert {"up", "-d", "--no-deps", "--no-build", "--force-recreate"} <= set(up)


def test_where_it_is_known_what_ran_compose_gets_that_from_the_volume_that_has_it() -> None:
    """I9. Breaks when today's Compose file is named, or the values stand in the sentence."""
    _, up = manual_commands(TARGET, FILES, OLD, TAGGED, record="freshness.shop.web")

    read, compose = map(shlex.split, up.split(" | "))
    assert read[:3] == ["docker", "volume", "inspect"]
    assert read[-2:] == ['{{index .Labels "freshness.from.with"}}', "freshness.shop.web"]
    assert compose[:6] == ["docker", "compose", "-p", "shop", "-f", "-"]
    assert compose[-2:] == ["--force-recreate", "web"]


@pytest.mark.parametrize(
    ("tagged", "tag"), [(TAGGED, ["docker", "tag", TAGGED.id, TARGET.image]), (None, ["docker", "rmi", TARGET.image])]
)
def test_where_nothing_served_before_the_container_goes_and_the_tag_is_as_it_was(
    tagged: Image | None, tag: list[str]
) -> None:
    remove, restored = words(*manual_commands(TARGET, FILES, None, tagged))

    assert remove == [*COMPOSE, "--profile", "*", "rm", "--stop", "--force", "web"]
    assert restored == tag


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({REVISION_LABEL: "a" * 40}, f"(commit {'a' * 40})"),
        ({REVISION_LABEL: "main"}, "unproven"),
        ({REVISION_LABEL: ""}, "unproven"),
        ({}, "unproven"),
    ],
)
def test_an_image_is_named_with_the_commit_that_it_claims(labels: dict[str, str], said: str) -> None:
    """I9. Breaks when an image without a commit is called by what its label says all the same."""
    assert said in name_revision(Image(id="sha256:1", labels=labels), REVISION_LABEL)
