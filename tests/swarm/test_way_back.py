"""The way back of what real stacks have: another registry before, a tag in place of a digest."""

from tests.support.promotions import FIRST, SECOND, THIRD
from tests.support.registries import PASSWORD, USER
from tests.support.swarm_service import Release, Service
from tests.swarm.test_promotion import outcome


def test_the_nodes_keep_what_they_had_for_the_registry_of_before(closed_service: Service) -> None:
    """I9. We have a login for the new one alone. Fails when a way back leaves its image without credentials."""
    service, port = closed_service, closed_service.swarm.registry.port
    old, new = f"127.0.0.1:{port}", f"localhost:{port}"
    log_in(service, old)
    first, second, bad = service.build(FIRST), service.build(SECOND), service.build(THIRD, begin="exit 1")
    service.create(first, "--update-failure-action=pause", "--with-registry-auth")
    assert outcome(service.promote(second)) == (0, "promoted")
    service.sandbox.cli("logout", old)
    log_in(service, new)

    ended = service.promote(Release(revision=THIRD, image=bad.image.replace(old, new)))

    assert outcome(ended) == (4, "rolled-back"), ended.log
    service.assert_serves(second)
    start_anew_without_images(service, second)
    service.wait_until_running(second, seconds=30)


def log_in(service: Service, registry: str) -> None:
    service.sandbox.cli("login", "--username", USER, "--password", PASSWORD, registry)


def start_anew_without_images(service: Service, release: Release) -> None:
    """As on new nodes."""
    image_id = service.sandbox.image_id(release.image)
    assert image_id is not None
    service.sandbox.cli("service", "update", "--replicas=0", service.name)
    for node in service.swarm.nodes:
        node.engine.docker.images.remove(image_id, force=True)
    service.update("--replicas=3")


def test_back_to_a_tag_is_said_to_be_unproven(service: Service) -> None:
    """I12. A stack that was deployed with `--resolve-image never`: what the tag names by then nobody knows."""
    first, second, bad = service.build(FIRST), service.build(SECOND), service.build(THIRD, begin="exit 1")
    tag = f"{first.image.partition('@')[0]}:build-0"
    service.create(Release(revision=FIRST, image=tag))

    failed = service.promote(bad)

    assert outcome(failed) == (4, "rolled-back"), failed.log
    assert f"Not proven: which image {tag} is" in failed.reason
    assert outcome(service.promote(second)) == (0, "promoted")
    back = service.run("rollback")
    assert outcome(back) == (1, "refused"), back.log
    assert "with `--to`" in back.reason
    assert "gate" not in back.reason
    service.assert_serves(second)
