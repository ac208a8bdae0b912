"""Labels alone say what a Swarm service ran before; whatever else stands in its spec survives a write of ours."""

from freshness.core.image import Image
from freshness.core.registry_name import Reference, Repository
from freshness.core.swarm import find_reference, identity, is_ours
from freshness.core.swarm_record import Deployed, Ran, previous_after, read_deployed, revision_of
from freshness.engine.lock_store import config_name
from freshness.swarm.plan import Change
from freshness.swarm.retained import choose_back
from tests.support.swarm_answers import BEFORE, COMMIT, NEW, OLD, OTHER, RUN, a_service

LABEL = "org.opencontainers.image.revision"


def a_change(**labels: str) -> Change:
    return Change(
        service=a_service(OLD, labels={"team": "web", **labels}),
        image=NEW,
        candidate=Image(id=identity(NEW), labels={LABEL: COMMIT}),
        running=Image(id=identity(OLD), labels={LABEL: BEFORE}),
        label=LABEL,
        keep=2,
        run=RUN,
    )


def test_labels_are_read_as_they_were_written() -> None:
    made = Deployed(
        run=RUN, by="ada", url="https://forge.example/1", now=Ran(image=NEW, revision=COMMIT), before=Ran(image=OLD),
        together=("shop", "worker"), previous=(Ran(image=OLD), Ran(image=OTHER, revision=BEFORE)),
    )  # fmt: skip

    assert read_deployed(made.labels) == made
    assert all(map(is_ours, made.labels))
    assert made.labels["freshness.previous.2"] == f"{OTHER} {BEFORE}"


def test_a_service_that_nobody_promoted_has_no_record() -> None:
    empty = Deployed(run="", by="", url="", now=Ran(), before=Ran(), together=(), previous=())

    assert read_deployed({"freshness.revision": "not a commit", "freshness.test": "mine"}) == empty
    assert not is_ours("freshness.test")


def test_a_commit_is_known_of_the_image_that_it_was_proven_of() -> None:
    """Breaks when a label outlives the image: `docker service update --image` leaves it."""
    labels = a_change().deployed("ada", "", ("shop",)).labels

    assert (revision_of(labels, NEW), revision_of(labels, OLD), revision_of(labels, OTHER)) == (COMMIT, BEFORE, "")


def test_what_ran_before_comes_first_and_a_way_back_leaves_what_is_newer() -> None:
    """Breaks when a second rollback leads forward again."""
    a, b, c, d = (Ran(image=f"shop@sha256:{digit * 64}") for digit in "1234")

    assert previous_after(c, (b, a), d.image, 5) == (c, b, a)
    assert previous_after(c, (b, a), d.image, 2) == (c, b)
    assert previous_after(c, (b, a), b.image, 5) == (a,)
    assert previous_after(c, (b, a), a.image, 5) == ()


def test_a_rollback_takes_what_the_labels_name_as_it_was_spelt() -> None:
    spelt = OLD.replace("@", ":v1@")
    service = a_service(NEW, labels={"freshness.previous": f"{spelt} {BEFORE}", "freshness.previous.2": OTHER})

    assert choose_back(service, None, None).image == spelt
    assert choose_back(service, "2", None).image == OTHER
    assert choose_back(service, BEFORE[:8], None).image == spelt


def test_one_write_changes_image_and_our_labels_alone() -> None:
    """Breaks when the spec is built anew, or labels of others go."""
    change = a_change(**{"freshness.previous.7": "old", "freshness.test": "mine"})
    before = change.service.spec

    spec = change.service.with_image(NEW, change.deployed("ada", "", ("shop",)).labels, ())

    assert spec["TaskTemplate"]["ContainerSpec"] == {"Image": NEW, "Env": ["A=1"]}
    assert (spec["Labels"]["team"], spec["Labels"]["freshness.test"]) == ("web", "mine")
    assert "freshness.previous.7" not in spec["Labels"]
    assert spec["Labels"]["freshness.from"] == f"{OLD} {BEFORE}"
    assert {**spec, "Labels": 0, "TaskTemplate": 0} == {**before, "Labels": 0, "TaskTemplate": 0}
    assert change.service.image == OLD


def test_the_same_digest_is_the_same_image_however_it_is_spelt() -> None:
    """Breaks when names are compared: another spelling restarts every task."""
    digest = "sha256:" + "a" * 64

    assert {identity(f"{name}@{digest}") for name in ("shop", "shop:v1", "registry.example/shop")} == {digest}
    assert identity(digest) == digest
    assert identity("shop:v1") == "shop:v1"


def test_a_reference_is_read_with_a_tag_before_its_digest_too() -> None:
    digest = "sha256:" + "a" * 64
    hub = Reference(repository=Repository(host="docker.io", path="shop"), digest=digest)

    assert find_reference(f"registry.example:5000/shop:v1@{digest}") == Reference(
        repository=Repository(host="registry.example:5000", path="shop"), digest=digest
    )
    assert find_reference(f"shop:v1@{digest}") == hub
    assert find_reference("shop:v1") is None
    assert find_reference(digest) is None


def test_a_lock_has_a_name_that_a_config_may_have() -> None:
    """A Swarm takes no more than 64 characters."""
    long = f"freshness-swarm.shop.after.{RUN}"

    assert config_name("freshness-swarm.shop") == "freshness-swarm.shop"
    assert config_name(long) == long
    assert len(config_name(f"freshness-swarm.{'s' * 63}")) <= 64
    assert config_name("s" * 65) != config_name("s" * 66)
