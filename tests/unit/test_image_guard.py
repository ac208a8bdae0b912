"""The guard accepts one label value and no other, and names of images are compared as Docker reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.core.image import (
    REVISION_LABEL,
    Image,
    familiar_name,
    guard,
    is_image_name,
    repository_of,
    same_tag,
)

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER = "f" * 40


def labelled(value: str | None, label: str = REVISION_LABEL) -> Image:
    return Image(id="sha256:1", labels={} if value is None else {label: value})


def test_exactly_the_expected_commit_is_accepted() -> None:
    assert guard(labelled(COMMIT), REVISION_LABEL, COMMIT) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "is missing"),
        ("", "is empty"),
        (" \t\n", "is empty"),
        ("<no value>", "says '<no value>'"),
        (OTHER, f"says '{OTHER}'"),
        (COMMIT[:12], f"says '{COMMIT[:12]}'"),
        (COMMIT.upper(), f"says '{COMMIT.upper()}'"),
        (f" {COMMIT}", f"says ' {COMMIT}'"),
        (f"{COMMIT}\n", f"says '{COMMIT}\\n'"),
        (f"{COMMIT}-dirty", "-dirty'"),
        ("$GIT_SHA", "says '$GIT_SHA'"),
    ],
)
def test_every_other_label_is_refused_and_quoted(value: str | None, said: str) -> None:
    """I2. Breaks when `guard` strips, shortens, or lowers what it compares."""
    problem = guard(labelled(value), REVISION_LABEL, COMMIT)

    assert problem is not None
    assert REVISION_LABEL in problem
    assert said in problem


def test_only_the_named_label_counts() -> None:
    """I2. Breaks when `guard` falls back to another label."""
    image = labelled(COMMIT, "org.example.commit")

    assert guard(image, "org.example.commit", COMMIT) is None
    assert guard(image, REVISION_LABEL, COMMIT) is not None


@given(st.text())
def test_no_text_but_the_commit_passes(value: str) -> None:
    assert (guard(labelled(value), REVISION_LABEL, COMMIT) is None) == (value == COMMIT)


@pytest.mark.parametrize(
    ("value", "revision"), [(COMMIT, COMMIT), ("a" * 64, "a" * 64), (None, None), ("", None), ("main", None)]
)
def test_only_a_full_commit_id_is_a_revision(value: str | None, revision: str | None) -> None:
    assert labelled(value).revision(REVISION_LABEL) == revision


@pytest.mark.parametrize(
    ("tag", "repository"),
    [
        ("app", "app"),
        ("app:v1", "app"),
        ("team/app:v1", "team/app"),
        ("host:5000/team/app", "host:5000/team/app"),
        ("host:5000/team/app:v1", "host:5000/team/app"),
    ],
)
def test_a_repository_is_the_name_without_its_tag(tag: str, repository: str) -> None:
    assert repository_of(tag) == repository


@pytest.mark.parametrize(
    "other",
    [
        "app",
        "app:latest",
        "library/app",
        "docker.io/app",
        "docker.io/library/app",
        "index.docker.io/app",
        "docker.io/library/app:latest",
    ],
)
def test_dockers_defaults_make_no_difference(other: str) -> None:
    """I6. Breaks when `_full_name` no longer fills in that default: two services could share one image unseen."""
    assert same_tag("app", other)
    assert same_tag(other, "app")


@pytest.mark.parametrize(
    "other", ["app:v1", "team/app", "localhost/app", "host:5000/app", "quay.io/library/app", "apps", "app-staging"]
)
def test_other_images_are_others(other: str) -> None:
    assert not same_tag("app", other)


@pytest.mark.parametrize(
    ("repository", "familiar"),
    [
        ("app", "app"),
        ("library/app", "app"),
        ("docker.io/app", "app"),
        ("index.docker.io/library/app", "app"),
        ("docker.io/acme/shop", "acme/shop"),
        ("acme/shop", "acme/shop"),
        ("library/acme/shop", "library/acme/shop"),
        ("localhost/library/app", "localhost/library/app"),
        ("host:5000/team/app", "host:5000/team/app"),
        ("quay.io/library/app", "quay.io/library/app"),
    ],
)
def test_a_repository_is_listed_under_its_familiar_name(repository: str, familiar: str) -> None:
    """I9. Fails when `familiar_name` leaves a default in, or takes one out that is none: kept images would be lost."""
    assert familiar_name(repository) == familiar


@pytest.mark.parametrize(
    "name",
    [
        "app",
        "team/app:v1",
        "Host.Example:5000/team/my_app__x--y:V.1_2-",
        "[::1]:5000/app",
        "a.b/c",
        "Host/app",
        "my_host.x/app",
        "a" * 255,
    ],
)
def test_an_images_name_is_taken_for_one(name: str) -> None:
    assert is_image_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "App",
        "team/App",
        "Web.Staging",
        "app:",
        "app:.x",
        "a..b",
        "a/-b",
        "",
        "a b",
        "app\n",
        "-h/a",
        "h-/a",
        "h..x/a",
        "h./a",
        "a" * 256,
        "0" * 64,
    ],
)
def test_what_docker_takes_for_no_name_is_none(name: str) -> None:
    """Fails when `is_image_name` searches where it has to match whole, or takes any dots and dashes for a domain."""
    assert not is_image_name(name)
