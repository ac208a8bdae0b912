"""Which image a registry's documents name, and when what it holds is the Engine's image."""

import json

import pytest
from msgspec.structs import replace

from freshness.core.held import HeldImage, LocalImage, why_another
from freshness.core.manifest import TYPES, Manifest, NotAManifest, Platform, digest_of
from freshness.core.registry_name import MovingTag, Repository

OCI, DOCKER, OCI_INDEX, DOCKER_LIST = TYPES
AMD64 = Platform(os="linux", architecture="amd64")
ONE, TWO, THREE = (f"sha256:{digit * 64}" for digit in "123")
LOCAL = LocalImage(id=ONE, layers=(TWO, THREE), platform=AMD64)
HELD = HeldImage(digest=THREE, manifest=TWO, config=ONE, layers=(TWO, THREE))


def read(document: object, media_type: str) -> Manifest:
    return Manifest.read(json.dumps(document).encode(), media_type)


def entry(digest: str, architecture: str = "amd64", **more: object) -> dict[str, object]:
    return {"digest": digest, "platform": {"os": "linux", "architecture": architecture, **more}}


@pytest.mark.parametrize("media_type", [OCI, DOCKER])
def test_a_manifest_names_its_configuration(media_type: str) -> None:
    found = read({"config": {"digest": ONE}}, f"{media_type}; charset=utf-8")
    assert (found.config, found.is_index, found.media_type) == (ONE, False, media_type)
    assert found.digest == digest_of(found.content)


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
def test_an_index_names_the_one_child_of_the_platform(media_type: str) -> None:
    attestation = {**entry(THREE), "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    found = read({"manifests": [entry(TWO, "arm64"), entry(ONE), attestation]}, media_type)
    assert found.child(AMD64) == ONE


def test_of_two_variants_the_engines_own_is_taken() -> None:
    found = read({"manifests": [entry(ONE, "arm", variant="v7"), entry(TWO, "arm", variant="v6")]}, OCI_INDEX)
    assert found.child(Platform(os="linux", architecture="arm", variant="v6")) == TWO


@pytest.mark.parametrize(
    "entries", [[], [entry(ONE, "arm64")], [entry(ONE), entry(TWO)], ["x"], [{"digest": ONE}], 5, "x"]
)
def test_no_child_or_two_are_no_answer(entries: object) -> None:
    """Fails when the first one is taken."""
    with pytest.raises(NotAManifest):
        read({"manifests": entries}, OCI_INDEX).child(AMD64)


@pytest.mark.parametrize(
    ("document", "media_type"),
    [
        ({"config": {}}, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
        ({"config": {}}, "text/html"),
        ({"config": {}, "mediaType": OCI_INDEX}, OCI),
        ({"manifests": [], "config": {}}, OCI),
        ({"manifests": [], "layers": []}, OCI_INDEX),
        ([], OCI),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(document: object, media_type: str) -> None:
    """Fails when the header alone says what a document is (CVE-2021-41190)."""
    with pytest.raises(NotAManifest):
        read(document, media_type)


@pytest.mark.parametrize("config", [None, {}, {"digest": "sha256:short"}, {"digest": 7}, "x"])
def test_a_manifest_without_a_configuration_is_none(config: object) -> None:
    with pytest.raises(NotAManifest):
        assert read({"config": config}, OCI).config


@pytest.mark.parametrize("id_", [ONE, TWO, THREE])
def test_an_engine_may_call_it_by_either_digest(id_: str) -> None:
    assert why_another(HELD, replace(LOCAL, id=id_)) is None


@pytest.mark.parametrize(
    ("held", "local"),
    [
        (HELD, replace(LOCAL, id=f"sha256:{'4' * 64}")),
        (HELD, replace(LOCAL, layers=(TWO,))),
        (replace(HELD, layers=()), replace(LOCAL, layers=())),
    ],
)
def test_whatever_differs_makes_it_another_image(held: HeldImage, local: LocalImage) -> None:
    """Fails when any one of ID and layers is not compared."""
    assert why_another(held, local)


@pytest.mark.parametrize(
    ("text", "host", "path", "is_local"),
    [
        ("registry.example/team/shop", "registry.example", "team/shop", False),
        ("localhost/shop", "localhost", "shop", True),
        ("127.0.0.9:5000/shop", "127.0.0.9:5000", "shop", True),
        ("[::1]:5000/shop", "[::1]:5000", "shop", True),
        ("localhost.example/shop", "localhost.example", "shop", False),
        ("docker.io/shop", "docker.io", "shop", False),
    ],
)
def test_a_repository_names_its_host(text: str, host: str, path: str, *, is_local: bool) -> None:
    found = Repository.parse(text)
    assert found is not None
    assert (str(found), found.host, found.path, found.is_local) == (text, host, path, is_local)


@pytest.mark.parametrize(
    "text", ["shop", "team/shop", "registry.example/", "registry.example/shop:1", f"r.io/a@{ONE}", "r.io/A"]
)
def test_what_names_no_host_or_more_than_a_repository_is_none(text: str) -> None:
    assert Repository.parse(text) is None


def test_docker_hub_answers_under_another_name() -> None:
    found = Repository.parse("docker.io/shop")
    assert found is not None
    assert (found.api_host, found.api_path) == ("registry-1.docker.io", "library/shop")


@pytest.mark.parametrize("name", ["Web", "web--", "a/b", "_web"])
def test_a_services_name_that_no_registry_takes_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Repository(host="r.io", path="shop").below(name)


def test_all_images_of_an_index_are_asked_about_and_no_attestation_is() -> None:
    """Fails when the guard passes over a platform that another host pulls, or an index without images passes it."""
    attestation = {"digest": THREE, "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    unnamed = {"digest": TWO}
    assert read({"manifests": [entry(ONE), unnamed, attestation]}, OCI_INDEX).images == (ONE, TWO)
    with pytest.raises(NotAManifest):
        _ = read({"manifests": [attestation]}, OCI_INDEX).images


@pytest.mark.parametrize(
    ("text", "version", "repository"),
    [
        ("production", "production", None),
        ("registry.example/acme/live:production", "production", "registry.example/acme/live"),
        ("127.0.0.1:5000/live:v1", "v1", "127.0.0.1:5000/live"),
    ],
)
def test_a_tag_may_be_in_another_repository(text: str, version: str, repository: str | None) -> None:
    found = MovingTag.parse(text)
    assert found is not None
    assert (found.version, found.repository and str(found.repository)) == (version, repository)
    assert (str(found), found.previous) == (text, f"{version}-previous")


@pytest.mark.parametrize("text", ["", "live:production", ":production", "registry.example/live", "-x", "x" * 120])
def test_what_is_no_tag_to_move_is_none(text: str) -> None:
    """Fails when a tag is let pass beside which `-previous` finds no room, or a repository without its host."""
    assert MovingTag.parse(text) is None
