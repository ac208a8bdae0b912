"""Which images are kept for a rollback, and under which tags."""

import pytest

from freshness.core.compose import Target
from freshness.core.kept import KeptTags, kept_after, kept_tags_of

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
    """I9. Breaks when `kept_after` keeps the candidate, or forgets what ran."""
    assert kept_after(kept, previous, candidate) == then


def test_the_tags_are_numbered_from_the_newest() -> None:
    tags = KeptTags(repository="host:5000/shop/web")

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

    assert KeptTags(repository="app").numbers(versions) == (1, 2, 10)
    assert KeptTags(repository="app", suffix="-web").numbers(versions) == (1, 3)


def kept(**images: str) -> str:
    target = Target(
        project="shop", service="web", image=images["web"], container="shop-web-1", address="127.0.0.1", port=8500,
        container_port=80,
    )  # fmt: skip
    config = {"name": "shop", "services": {name: {"image": image} for name, image in images.items()}}
    return kept_tags_of(target, config, "staging").name(1)


def test_two_services_of_one_repository_keep_their_previous_images_apart() -> None:
    """I9. Breaks when `kept_tags_of` looks at no other service: a rollback would find the other's image."""
    assert kept(web="shop/app:web", worker="shop/app:worker", staging="shop/app") == "shop/app:freshness-previous-web"
    assert kept(web="app:web", worker="docker.io/library/app") == "app:freshness-previous-web"


def test_staging_may_share_productions_repository() -> None:
    assert kept(web="shop/app", worker="shop/other", staging="shop/app:staging") == "shop/app:freshness-previous"
