"""Which images are kept for a rollback, and under which tags."""

import pytest

from freshness.core.compose import Target
from freshness.core.retained import (
    RetainedImage,
    RetainedTags,
    choose_retained,
    in_table,
    left_by,
    retained_after,
    retained_tags_of,
)
from freshness.errors import FreshnessError, Refused, SettingsError

A, B, C, D = "sha256:a", "sha256:b", "sha256:c", "sha256:d"


@pytest.mark.parametrize(
    ("kept", "previous", "candidate", "then"),
    [
        ((), "", A, ()),  # a first deployment
        ((), A, B, (A,)),
        ((B, A), C, D, (C, B, A)),
        ((B, A), C, B, (C, A)),  # a rollback
        ((B, A), C, A, (C, B)),
        ((C, B), C, D, (C, B)),  # kept by hand already
        ((B, A), C, C, (B, A)),  # nothing changes
        ((B, A), "", C, (B, A)),  # production was taken away by hand
    ],
)
def test_what_ran_before_comes_first_and_each_image_once(
    kept: tuple[str, ...], previous: str, candidate: str, then: tuple[str, ...]
) -> None:
    """I9. Breaks when `retained_after` keeps the candidate, or forgets what ran."""
    assert retained_after(kept, previous, candidate) == then


def test_the_tags_are_numbered_from_the_newest() -> None:
    tags = RetainedTags(repository="host:5000/shop/web")

    assert [tags.name(1), tags.name(2)] == [
        "host:5000/shop/web:freshness-previous",
        "host:5000/shop/web:freshness-previous.2",
    ]


def test_only_our_own_tags_are_ours_in_order() -> None:
    """I9. Breaks when another service's tag is taken for ours, or `.10` comes before `.2`."""
    versions = [
        "latest", "freshness-previous.10", "freshness-previous", "freshness-previous.2", "freshness-previous-web",
        "freshness-previous.3-web", "freshness-previous.01", "freshness-previous.1", "freshness-previous.x",
    ]  # fmt: skip

    assert RetainedTags(repository="app").numbers(versions) == (1, 2, 10)
    assert RetainedTags(repository="app", suffix="-web").numbers(versions) == (1, 3)


def kept(**images: str) -> str:
    target = Target(
        project="shop", service="web", image=images["web"], container="shop-web-1", address="127.0.0.1", port=8500,
        container_port=80,
    )  # fmt: skip
    config = {"name": "shop", "services": {name: {"image": image} for name, image in images.items()}}
    return retained_tags_of(target, config, "staging").name(1)


def test_two_services_of_one_repository_keep_their_previous_images_apart() -> None:
    """I9. Breaks when `retained_tags_of` looks at no other service: a rollback would find the other's image."""
    assert kept(web="shop/app:web", worker="shop/app:worker", staging="shop/app") == "shop/app:freshness-previous-web"
    assert kept(web="app:web", worker="docker.io/library/app") == "app:freshness-previous-web"


def test_staging_may_share_productions_repository() -> None:
    assert kept(web="shop/app", worker="shop/other", staging="shop/app:staging") == "shop/app:freshness-previous"


ONE, TWO, THREE = "1" * 40, "2" * 40, "2" * 6 + "3" * 34
RUNS = "sha256:" + "9" * 64
KEPT = tuple(
    RetainedImage(number=number, image=f"sha256:{str(number) * 64}", revision=revision, left=left)
    for number, revision, left in ((1, THREE, True), (2, TWO, False), (3, ONE, False), (4, "", False))
)


@pytest.mark.parametrize(
    ("to", "number"),
    [
        (None, 2), ("1", 1), ("3", 3), (ONE, 3), ("1111111", 3), ("2222222", 2), ("2222223", 1), (KEPT[3].image, 4),
        ("sha256:4444444", 4),
    ],
)  # fmt: skip
def test_any_name_in_the_list_is_taken_and_without_one_the_newest_that_was_not_left(
    to: str | None, number: int
) -> None:
    """I9. Breaks when a rollback goes where another has come from, or a name of the list is not understood."""
    assert choose_retained(KEPT, RUNS, to, "app:freshness-previous").number == number


@pytest.mark.parametrize(
    ("to", "error", "said"),
    [
        ("111111", SettingsError, "expected a number"),
        ("v1.2", SettingsError, "expected a number"),
        ("", SettingsError, "expected a number"),
        ("5", Refused, "No previous image 5"),
        ("0" * 40, Refused, f"there are {THREE} and {TWO} and {ONE} and {KEPT[3].image}"),
    ],
)
def test_what_names_none_is_refused_with_what_there_is(to: str, error: type[FreshnessError], said: str) -> None:
    with pytest.raises(error, match="rollback --list") as refusal:
        choose_retained(KEPT, RUNS, to, "app:freshness-previous")
    assert said in str(refusal.value)


def test_what_names_two_commits_is_refused_and_two_images_of_one_commit_are_not() -> None:
    """Breaks when the first of two is taken for what was meant."""
    alike = (
        RetainedImage(number=1, image="sha256:a", revision="a" * 8 + "1" * 32),
        RetainedImage(number=2, image="b", revision="a" * 40),
    )
    same = tuple(RetainedImage(number=number, image=str(number), revision=ONE) for number in (1, 2))

    with pytest.raises(Refused, match="could be"):
        choose_retained(alike, RUNS, "aaaaaaa", "tag")
    assert choose_retained(same, RUNS, ONE, "tag").number == 1


def test_where_all_was_left_nothing_is_further_back() -> None:
    with pytest.raises(Refused, match=f"No older image to roll back to: production was rolled back from {THREE}"):
        choose_retained(KEPT[:1], RUNS, None, "tag")
    with pytest.raises(Refused, match="there is no tag"):
        choose_retained((), RUNS, None, "tag")


@pytest.mark.parametrize(
    ("kept", "candidate", "left"), [((B, A), B, (C,)), ((B, A), A, (C, B)), ((), D, (C,)), ((C, B), B, (C,))]
)
def test_a_rollback_leaves_what_ran_and_all_that_is_newer(
    kept: tuple[str, ...], candidate: str, left: tuple[str, ...]
) -> None:
    assert left_by(kept, C, candidate) == left


def test_the_list_says_what_runs_and_what_was_left() -> None:
    table = in_table(RetainedImage(number=0, image=RUNS, revision=TWO, configuration="{}"), KEPT).splitlines()

    assert table[1].split()[-2:] == ["runs", "now"]
    assert table[2].endswith("rolled back from *")
    assert "no label" in table[5]
    assert table[-1].startswith("* ")
    assert in_table(RetainedImage(number=0, image=""), ()).splitlines()[1].endswith("nothing is running")
