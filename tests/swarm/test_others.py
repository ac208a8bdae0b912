"""Somebody else writes to the same service: it is seen by the spec, and never overwritten nor taken for ours."""

from pathlib import Path

import pytest

from tests.support.docker_proxy import docker_proxy
from tests.support.promotions import FIRST, SECOND, THIRD
from tests.support.runner import eventually
from tests.support.swarm_service import Service
from tests.swarm.test_promotion import outcome

WRITE = "POST /services/*/update"


def test_a_label_that_is_written_between_our_look_and_our_write_is_a_refusal(service: Service) -> None:
    """Swarm says it with 500. Fails when the write is tried again upon a spec that nobody looked at."""
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(first)
    with docker_proxy(service.sandbox.engine.host) as proxy:
        proxy.before(WRITE, lambda _call: service.update("--label-add", "colour=green"))

        ended = service.promote(second, DOCKER_HOST=proxy.host)

    assert ended.status in {1, 3}, ended.log
    assert service.image == first.image
    assert service.labels["colour"] == "green"
    assert service.locks() == []
    service.assert_serves(first)
    assert outcome(service.promote(second)) == (0, "promoted")
    assert service.labels["colour"] == "green"


@pytest.mark.parametrize("words", [("--image", "{third}"), ("--image", "{first}")], ids=["forward", "back"])
def test_another_image_in_mid_update_is_left_alone_and_ours_is_not_called_promoted(
    service: Service, words: tuple[str, ...]
) -> None:
    """Fails when the end of another's update is taken for the end of ours, or theirs is taken back."""
    first, second, third = service.build(FIRST), service.build(SECOND), service.build(THIRD)
    service.create(first, "--update-parallelism=1", "--update-monitor=5s")
    run = service.start(second)
    eventually(lambda: service.update_state == "updating", "our update")

    service.update(*(word.format(first=first.image, third=third.image) for word in words))
    ended = run.end(150)

    assert ended.outputs["outcome"] not in {"promoted", "unchanged"}, ended.log
    assert service.locks() == []
    theirs = first if "{first}" in words else third
    service.wait_until_running(theirs)
    service.stays(theirs, seconds=5)


@pytest.mark.parametrize(
    "words",
    [("--label-add", "colour=green"), ("--force",), ("--replicas=4",)],
    ids=["a label", "by force", "one replica more"],
)
@pytest.mark.parametrize("begin", ["", "exit 1"], ids=["good", "bad"])
def test_a_write_in_mid_update_disarms_swarms_rollback_and_not_ours(
    service: Service, words: tuple[str, ...], begin: str
) -> None:
    """I9. Swarm rolls back from the new image to the new image. Fails when the way back is left to it."""
    first, second = service.build(FIRST), service.build(SECOND, begin=begin)
    service.create(first, "--update-parallelism=1", "--update-monitor=5s", "--restart-delay=1s")
    run = service.start(second)
    eventually(lambda: service.update_state == "updating", "our update")

    service.update(*words)
    ended = run.end(150)

    proven = outcome(ended) == (0, "promoted")
    assert proven or ended.outputs["outcome"] in {"rolled-back", "stranded", "error"}, ended.log
    assert not (proven and begin), ended.log
    service.assert_serves(second if proven else first)
    assert service.locks() == []


def test_our_label_that_is_taken_away_in_mid_update_is_what_the_reason_names(service: Service) -> None:
    """As `stack deploy` takes it. Fails when the same image is named as what was got, and what was expected."""
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(first, "--update-parallelism=1")
    run = service.start(second)
    eventually(lambda: second.image in service.running(), "the first slot on the new image")

    service.update("--label-rm", "freshness.run")
    ended = run.end(150)

    assert outcome(ended) == (5, "stranded"), ended.log
    assert "the label `freshness.run` of this run is gone" in ended.reason
    assert service.image == second.image


def test_a_stack_that_is_deployed_by_hand_afterwards_is_seen(stack: Service, tmp_path: Path) -> None:
    """`--resolve-image always`, the default, takes the promotion back; the next one is no repetition."""
    first, second = stack.build(FIRST), stack.build(SECOND)
    file = tmp_path / "stack.yaml"
    tag = f"{first.image.partition('@')[0]}:build-0"
    file.write_text(STACK.format(image=tag))
    deploy = ("stack", "deploy", "--compose-file", str(file))
    stack.sandbox.cli(*deploy, stack.sandbox.name)
    eventually(lambda: len(stack.running()) == 2, "the stack")
    assert outcome(stack.promote(second)) == (0, "promoted")

    stack.sandbox.cli(*deploy, "--resolve-image=changed", stack.sandbox.name)
    stack.stays(second, seconds=3)
    stack.sandbox.cli(*deploy, stack.sandbox.name)
    eventually(lambda: second.image not in stack.running() and len(stack.running()) == 2, "taken back by hand")
    stack.wait_until("completed")
    told = stack.run("status")
    ended = stack.promote(second)

    assert SECOND[:12] not in told.log.splitlines()[0], told.log
    assert outcome(ended) == (0, "promoted"), ended.log
    stack.assert_serves(second)


STACK = """\
version: "3.8"
services:
  web:
    image: {image}
    deploy:
      endpoint_mode: dnsrr
      replicas: 2
      update_config: {{parallelism: 0, monitor: 2s, failure_action: rollback}}
"""
