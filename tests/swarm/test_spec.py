"""What a promotion leaves of a service's spec, and which spec it refuses."""

from typing import Any

from tests.support.engines import free_port
from tests.support.promotions import FIRST, SECOND, THIRD
from tests.support.swarm_service import Release, Service
from tests.swarm.test_promotion import outcome

RICH = (
    "--cap-add=NET_ADMIN", "--cap-drop=MKNOD", "--constraint=node.platform.os==linux", "--container-label=a=b",
    "--dns=10.9.8.7", "--dns-option=ndots:2", "--dns-search=shop.example", "--env=A=ä=b", "--env=EMPTY=",
    "--group=2000", "--host=peer:10.9.8.6", "--hostname={{.Service.Name}}-{{.Task.Slot}}", "--init",
    "--isolation=default", "--label=traefik.http.routers.shop.rule=Host(`shop.example`)", "--limit-cpu=0.5",
    "--limit-memory=256m", "--limit-pids=100", "--log-driver=json-file", "--log-opt=max-size=1m",
    "--mount=type=tmpfs,destination=/scratch,tmpfs-size=1m,tmpfs-mode=1770", "--placement-pref=spread=node.id",
    "--replicas-max-per-node=3", "--reserve-cpu=0.01", "--reserve-memory=8m", "--restart-condition=any",
    "--restart-delay=1s", "--restart-max-attempts=9", "--restart-window=30s", "--rollback-delay=1s",
    "--rollback-failure-action=continue", "--rollback-max-failure-ratio=0.5", "--rollback-parallelism=2",
    "--stop-signal=TERM", "--sysctl=net.core.somaxconn=512", "--ulimit=nofile=1024:2048", "--update-delay=1s",
    "--update-failure-action=pause", "--update-max-failure-ratio=0.2", "--workdir=/bin", "--health-interval=700ms",
)  # fmt: skip


def rest_of(spec: dict[str, Any]) -> dict[str, Any]:
    """All but the image and our labels."""
    template = spec["TaskTemplate"]
    container = template["ContainerSpec"] | {"Image": ""}
    labels = {key: value for key, value in spec["Labels"].items() if not key.startswith("freshness.")}
    return spec | {"Labels": labels, "TaskTemplate": template | {"ContainerSpec": container}}


def test_all_else_of_a_spec_stays(service: Service) -> None:
    """Fails when a write is made of what docker-py knows of a service, in place of what the manager said."""
    name, cli = service.name, service.sandbox.cli
    first, second, bad = service.build(FIRST), service.build(SECOND), service.build(THIRD, begin="exit 1")
    cli("network", "create", "--driver=overlay", f"{name}-net")
    for kind in ("secret", "config"):
        cli(kind, "create", f"{name}-{kind}", str(service.runner.folder / "app/README"))
    service.create(
        first, *RICH, f"--network=name={name}-net,alias=shop", f"--mount=type=volume,source={name}-data,target=/data",
        f"--secret=source={name}-secret,target=key,mode=0400,uid=7", f"--config=source={name}-config,target=/etc/shop",
        published=free_port(),
    )  # fmt: skip
    before = service.spec

    ended = service.promote(second)

    assert outcome(ended) == (0, "promoted"), ended.log
    assert rest_of(service.spec) == rest_of(before)
    failed = service.promote(bad)
    assert outcome(failed) == (4, "rolled-back"), failed.log
    assert rest_of(service.spec) == rest_of(before)
    back = service.run("rollback")
    assert outcome(back) == (0, "promoted"), back.log
    assert rest_of(service.spec) == rest_of(before)


def test_code_that_is_mounted_over_the_image_is_refused(service: Service) -> None:
    """I13. Every task has the new digest, and serves the old commit: fails when the digest alone is looked at."""
    first, second = service.build(FIRST), service.build(SECOND)
    code = service.runner.folder / "build-0/app"
    service.create(first, f"--mount=type=bind,source={code},target=/app")
    before = service.state()

    ended = service.promote(second)

    assert outcome(ended) == (1, "refused"), ended.log
    assert "at /app, which covers /app/serve" in ended.reason
    assert service.state() == before
    allowed = service.promote(second, ALLOW_MOUNTS="/app")
    assert outcome(allowed) == (0, "promoted"), allowed.log
    assert service.served() == {FIRST}
    assert any("as `allow-mounts` allows" in note for note in allowed.report["notes"])


def test_an_image_for_another_platform_is_placed_where_it_can_run(service: Service) -> None:
    """Docker's own client writes the image's platforms too. Fails when those of the image before stay."""
    first, second = service.build(FIRST), service.build(SECOND)
    create_for(service, first, "arm64")

    ended = service.promote(second, SWARM_TIMEOUT="20")

    assert outcome(ended) == (0, "promoted"), ended.log
    service.assert_serves(second)


def create_for(service: Service, release: Release, architecture: str) -> None:
    """As Docker's client does of an image for that architecture, which no node here has."""
    placement = {"Platforms": [{"OS": "linux", "Architecture": architecture}]}
    service.api.create_service(
        {"ContainerSpec": {"Image": release.image}, "Placement": placement},
        name=service.name,
        mode={"Replicated": {"Replicas": 2}},
        endpoint_spec={"Mode": "dnsrr"},
    )
