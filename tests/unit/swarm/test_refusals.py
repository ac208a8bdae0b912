"""What speaks against an update of a Swarm service is said before anything is written, with what leads out."""

from typing import Any

import pytest

from freshness.core.manifest import Platform
from freshness.core.swarm import Service, platforms_in, registry_of
from freshness.core.swarm_job import job_spec, pick_image, result_of
from freshness.core.swarm_refusals import (
    pick_source,
    refuse_image,
    refuse_no_manager,
    refuse_other_commit,
    refuse_service,
    refuse_unprovable,
    require_all,
)
from freshness.errors import Refused, SettingsError
from freshness.settings.read import read_promote
from tests.support.swarm_answers import COMMIT, NEW, OLD, OTHER, RUN, a_service, a_task

IMAGE_ID = "sha256:" + "d" * 64
START_FIRST: dict[str, Any] = {"UpdateConfig": {"Order": "start-first"}}
HOST_PORT: dict[str, Any] = {"EndpointSpec": {"Ports": [{"PublishMode": "host", "PublishedPort": 8500}]}}


@pytest.mark.parametrize(
    ("swarm", "said"),
    [
        ({}, "in no swarm"),
        ({"LocalNodeState": "inactive"}, "in no swarm"),
        ({"LocalNodeState": "locked"}, "it says 'locked'"),
        ({"LocalNodeState": "active", "ControlAvailable": False}, "is a worker"),
    ],
)
def test_only_a_manager_is_asked(swarm: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said) as refusal:
        refuse_no_manager(swarm, "unix:///docker.sock")

    assert "Set DOCKER_HOST to a manager" in refusal.value.remedy


@pytest.mark.parametrize(
    ("service", "said"),
    [
        (a_service(Mode={"Global": {}}), "a global service"),
        (a_service(Mode={"ReplicatedJob": {"MaxConcurrent": 1}}), "a replicated-job service"),
        (a_service(Mode={"Replicated": {"Replicas": 0}}), "0 replicas"),
        (a_service(state="updating"), "being updated by somebody else"),
        (a_service(state="rollback_started"), "being updated by somebody else"),
        (a_service(state="paused", message="no luck"), r"stopped halfway \(Swarm says paused: no luck\)"),
        (a_service(state="rollback_paused"), "stopped halfway"),
        (a_service(**START_FIRST, **HOST_PORT), "publishes 8500 in mode host"),
        (a_service(RollbackConfig={"Order": "start-first"}, **HOST_PORT), "start-first"),
        (a_service(UpdateConfig={"Monitor": 900_000_000_000}), "takes at least 900 s"),
        (a_service(UpdateConfig={"Parallelism": 2, "Delay": 450_000_000_000}), "takes at least 910 s"),
    ],
)
def test_a_service_that_cannot_be_judged_is_refused(service: Service, said: str) -> None:
    with pytest.raises(Refused, match=said):
        refuse_service(service, seconds=900, hold=10)


@pytest.mark.parametrize(
    "service",
    [
        a_service(), a_service(state="completed"), a_service(state="rollback_completed"), a_service(**START_FIRST),
        a_service(**HOST_PORT), a_service(UpdateConfig={"Parallelism": 0, "Delay": 450_000_000_000}),
    ],
)  # fmt: skip
def test_a_service_with_any_order_and_failure_action_is_let_pass(service: Service) -> None:
    refuse_service(service, seconds=900, hold=10)


def test_the_hold_time_is_part_of_what_an_update_takes() -> None:
    """Breaks when a good image could never be held for so long, and would be taken back at the deadline."""
    refuse_service(a_service(), seconds=900, hold=899)
    with pytest.raises(Refused, match="takes at least 900 s by its delay, and its monitor or `hold-time`"):
        refuse_service(a_service(), seconds=900, hold=900)


def test_more_than_one_node_finds_an_image_by_its_digest_alone() -> None:
    refuse_image(NEW, 3)
    refuse_image(IMAGE_ID, 1)
    with pytest.raises(Refused, match="of which only the one that has it could run it"):
        refuse_image(IMAGE_ID, 3)
    with pytest.raises(Refused, match="names no image by its digest"):
        refuse_image("registry.example/shop:v1", 1)


def test_without_a_healthcheck_nothing_is_proven() -> None:
    """Breaks when `NONE`, which switches one off, is taken for one."""
    own: dict[str, Any] = {"Healthcheck": {"Test": ["CMD", "true"]}}
    for spec, image in (({}, own["Healthcheck"]), (own, None), (own, {"Test": ["NONE"]})):
        refuse_unprovable("shop", spec, image)
    for spec, image in (
        ({}, None),
        ({"Healthcheck": {"Test": ["NONE"]}}, own["Healthcheck"]),
        ({"Healthcheck": {}}, {}),
    ):
        with pytest.raises(Refused, match="has no HEALTHCHECK"):
            refuse_unprovable("shop", spec, image)


def test_an_image_is_found_by_the_names_of_service_stack_and_staging() -> None:
    service = a_service(labels={"com.docker.stack.namespace": "acme"}, Name="acme_web")

    assert pick_source(service, {"acme_web": NEW, "web": OLD}, None, "") == NEW
    assert pick_source(service, {"web": OLD}, None, "") == OLD
    assert pick_source(service, {"web-preview": OLD}, None, "web-preview") == OLD
    assert pick_source(service, {}, OTHER, "") == OTHER
    with pytest.raises(Refused, match=r"no image is named for acme_web \(`source-images` has: shop\)"):
        pick_source(service, {"shop": NEW}, None, "")
    with pytest.raises(Refused, match="the swarm has no service worker"):
        require_all(("shop", "worker"), {"shop": service})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"source_image": NEW, "source_images": f'{{"shop": "{NEW}"}}'}, "are both given"),
        ({"recreate": "false"}, "expected one way"),
        ({"registry_tag": "production"}, "expected one way"),
        ({"docker_host": "ssh://one ssh://other"}, "expected one manager"),
        ({"swarm_service": "shop shop"}, "each service once"),
        ({"swarm_timeout": "1"}, "a number of seconds from 10"),
    ],
)
def test_what_has_no_meaning_in_a_swarm_is_a_settings_error(given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read_promote({"expected_revision": COMMIT, "swarm_service": "shop", **given}, {})


def test_several_services_are_promoted_in_the_order_given() -> None:
    settings = read_promote({"expected_revision": COMMIT, "swarm_service": "web, worker", "health_path": "/up"}, {})

    assert settings.swarm.services == ("web", "worker")
    assert settings.warnings == ("`health-path` is not asked in a swarm: its HEALTHCHECK decides.",)


def test_a_job_is_its_template_once_and_nothing_ends_it_but_itself() -> None:
    """Breaks when a HEALTHCHECK is left: an unhealthy task may be told as complete."""
    template = a_service(OLD, **HOST_PORT, Name="migrate", Mode={"Replicated": {"Replicas": 0}})

    spec = job_spec(template, NEW, RUN, ())

    assert spec == {
        "Name": "migrate-job-11111111",
        "Labels": {"freshness.job": "migrate", "freshness.run": RUN},
        "TaskTemplate": {
            "ContainerSpec": {"Image": NEW, "Env": ["A=1"], "Healthcheck": {"Test": ["NONE"]}},
            "Runtime": "container",
            "RestartPolicy": {"Condition": "none"},
        },
        "Mode": {"Replicated": {"Replicas": 1}},
    }
    assert len(job_spec(a_service(Name="m" * 63), NEW, RUN, ())["Name"]) == 63


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ({"Replicated": {"Replicas": 1}}, True), ({"Replicated": {"Replicas": 0}}, False), ({"Global": {}}, True),
        ({"ReplicatedJob": {"MaxConcurrent": 1}}, False), ({"GlobalJob": {}}, False),
    ],
)  # fmt: skip
def test_a_job_of_the_swarm_may_be_a_template_and_what_runs_always_may_not(
    mode: dict[str, Any], *, expected: bool
) -> None:
    """Breaks when a job's mode is read as one replica that runs always."""
    assert a_service(Mode=mode).runs_always is expected


def test_a_job_is_judged_by_its_task() -> None:
    assert result_of([]) is None
    assert result_of([a_task(1, state="running")]) is None
    ends = [
        (a_task(1, state="complete", status=0), 0, "exit status 0"),
        (a_task(1, state="failed", status=3, error="killed"), 3, "exit status 3: killed"),
        (a_task(1, state="rejected", error="No such image"), None, "No such image"),
        (a_task(1, state="orphaned"), None, "its task was orphaned"),
    ]  # fmt: skip
    for task, status, got in ends:
        result = result_of([task])
        assert result is not None
        assert (result.status, result.got) == (status, got)


def test_a_job_gets_the_image_of_its_repository_or_its_own() -> None:
    template = a_service("registry.example/shop:v1", Name="migrate")

    assert pick_image(template, {}, {OLD: NEW}) == NEW
    assert pick_image(template, {"migrate": OTHER}, {OLD: NEW}) == OTHER
    with pytest.raises(Refused, match="whose repository no service of this promotion runs"):
        pick_image(template, {}, {"registry.example/else:v1": "registry.example/else:v2"})


def test_what_is_gone_back_to_is_of_the_commit_that_the_labels_promise() -> None:
    """Breaks when a label alone says which commit a rollback goes to, or one image of an index does."""
    refuse_other_commit("shop", OLD, COMMIT, {COMMIT})
    refuse_other_commit("shop", OLD, "", {None})

    others: tuple[set[str | None], ...] = ({"d" * 40}, {None}, {COMMIT, "d" * 40})
    for found in others:
        with pytest.raises(Refused, match=f"call {OLD} an image of {COMMIT}"):
            refuse_other_commit("shop", OLD, COMMIT, found)


def test_an_image_is_placed_where_it_can_run() -> None:
    """Breaks when the platforms of the image before stay, as Docker's client had written them."""
    both = [{"OS": "linux", "Architecture": "amd64"}, {"OS": "linux", "Architecture": "arm64"}]
    service = a_service(TaskTemplate={"ContainerSpec": {"Image": OLD}, "Placement": {"Platforms": both}})
    amd64, arm = (Platform(os="linux", architecture=one) for one in ("amd64", "arm"))

    placed = service.with_image(NEW, {}, (amd64, amd64, arm))["TaskTemplate"]["Placement"]

    assert placed["Platforms"] == [both[0], {"OS": "linux", "Architecture": ""}]
    assert platforms_in(service.spec) == tuple(Platform(os="linux", architecture=one) for one in ("amd64", "arm64"))
    assert service.with_image(NEW, {}, ())["TaskTemplate"]["Placement"]["Platforms"] == both
    assert "Placement" not in a_service().with_image(NEW, {}, (amd64,))["TaskTemplate"]


def test_credentials_of_one_registry_are_no_other_ones() -> None:
    """Breaks when an image without a host, or with a tag or a port, seems to be elsewhere."""
    digest = "@sha256:" + "a" * 64
    assert registry_of(f"shop:v1{digest}") == registry_of("team/shop") == registry_of(f"docker.io/shop{digest}")
    assert registry_of(f"localhost:5000/shop:v1{digest}") == registry_of("localhost:5000/shop") == "localhost:5000"
