"""Which builds are let go: the oldest beyond those to be kept, and none that anything else needs or has named."""

import pytest

from freshness.core.builds import ListedImage, surplus_builds
from freshness.core.image import REVISION_LABEL, Image, familiar_name

NOW = 9


def commit(number: int) -> str:
    return f"{number:040x}"


def built(
    number: int, *others: str, label: str | None = None, repository: str = "shop", created: int = -1
) -> ListedImage:
    tags = (f"{repository}:{commit(number)}", *others)
    labels = {REVISION_LABEL: commit(number) if label is None else label}
    when = number if created < 0 else created
    return ListedImage(image=Image(id=f"sha256:{number}", tags=tags, labels=labels), created=when)


def of_service(number: int, name: str, **more: int) -> ListedImage:
    """The second build of a commit in one repository."""
    image = Image(id=f"sha256:{number}-{name}", tags=(f"shop:{commit(number)}-{name}",),
                  labels={REVISION_LABEL: commit(number)})  # fmt: skip
    return ListedImage(image=image, created=more.get("created", number))


def gone(
    *listed: ListedImage,
    keep: int = 1,
    used: tuple[str, ...] = (),
    current: tuple[str, ...] = (),
    repository: str = "shop",
) -> list[str]:
    found = surplus_builds(
        (*listed, built(NOW, f"{repository}:latest", repository=familiar_name(repository))),
        repository,
        names=("web", "api"),
        label=REVISION_LABEL,
        used=used,
        current=(f"sha256:{NOW}", *current),
        keep=keep,
    )
    return [one.image.id.removeprefix("sha256:") for one in found]


@pytest.mark.parametrize(("keep", "left"), [(1, "123"), (2, "12"), (3, "1"), (4, ""), (100, "")])
def test_the_newest_stay_and_the_oldest_goes_first(keep: int, left: str) -> None:
    """Fails when `surplus_builds` counts from the other end, or the one at hand not at all."""
    assert gone(built(2), built(3), built(1), keep=keep) == list(left)


def test_the_one_at_hand_is_the_newest_although_its_layers_are_old() -> None:
    """A build that was all cached is as old as the cache. Fails when time alone decides."""
    assert gone(built(20), built(21), keep=1) == ["20", "21"]


def test_builds_of_one_second_are_told_apart_alike_each_time() -> None:
    """Fails when the order of the Engine's list decides between them."""
    builds = [built(number, created=5) for number in (1, 2, 3)]

    assert gone(*builds, keep=3) == gone(*reversed(builds), keep=3) == ["1"]


@pytest.mark.parametrize(
    "stays",
    [
        built(1, "shop:freshness-previous"),
        built(1, "shop:freshness-previous.2-web"),
        built(1, "shop-production:latest"),
        built(1, "shop:v1"),
        built(1, label=commit(2)),
        built(1, label=""),
        built(1, label="<no value>"),
        built(1, repository="other"),
        ListedImage(image=Image(id="sha256:1", tags=("shop:cafe",), labels={REVISION_LABEL: "cafe"}), created=1),
        ListedImage(image=Image(id="sha256:1", tags=(f"shop:{commit(1)}",)), created=1),
        ListedImage(image=Image(id="sha256:1", tags=("<none>:<none>",), labels={REVISION_LABEL: commit(1)}), created=1),
        ListedImage(image=Image(id="sha256:1", labels={REVISION_LABEL: commit(1)}), created=1),
    ],
)
def test_what_has_another_name_or_is_none_of_ours_stays(stays: ListedImage) -> None:
    """Fails when `surplus_builds` lets go of one with two names, or `_is_build` asks for less than tag and label."""
    assert gone(stays) == []
    assert gone(stays, built(2)) == ["2"]


def test_what_a_container_uses_stays() -> None:
    """Fails when `used` is not looked at."""
    assert gone(built(1), built(2), used=("sha256:1",)) == ["2"]


@pytest.mark.parametrize("repository", ["docker.io/library/shop", "index.docker.io/shop", "shop"])
def test_the_repository_is_known_by_each_of_its_names(repository: str) -> None:
    """The Engine lists the shortest. Fails when names are compared as they are written."""
    assert gone(built(1), repository=repository) == ["1"]
    assert gone(built(1, repository="host:5000/team/shop"), repository="host:5000/team/shop") == ["1"]


def test_a_second_build_of_a_commit_goes_with_the_first() -> None:
    """Fails when `_is_build` knows the commit's tag alone, or `keep` counts images: half of a commit would go."""
    builds = [one for number in (1, 2) for one in (built(number), of_service(number, "api"))]

    assert gone(*builds, keep=3) == []
    assert gone(*builds, keep=2) == ["1", "1-api"]


def test_a_second_build_that_somebody_else_named_or_that_is_at_hand_stays() -> None:
    """Fails when any word behind the commit counts as a service's, or only one image of this gate is the newest."""
    stays = of_service(1, "debug"), of_service(2, "api", created=0)

    assert gone(*stays, current=("sha256:2-api",)) == []
    assert gone(*stays) == ["2-api"]
