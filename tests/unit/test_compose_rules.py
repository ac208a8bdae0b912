"""May the service be touched? Judged on what `docker compose config --format json` prints."""

from typing import Any

import pytest

from freshness.core.compose import Target, Wanted, container_of, find_problems, image_of, read_target
from freshness.core.published import Published

Config = dict[str, Any]
COMPLETED = {"condition": "service_completed_successfully"}


def published(*ports: int | str, protocol: str = "tcp", target: int = 80) -> list[dict[str, Any]]:
    return [{"mode": "ingress", "target": target, "published": str(port), "protocol": protocol} for port in ports]


def project(staging: Config | None = None, others: Config | None = None, **rest: Any) -> Config:
    ours = {"image": "app-staging", "ports": published(8501), **(staging or {})}
    production = {"image": "app", "ports": published(8500)}
    return {"name": "shop", "services": {"staging": ours, "production": production, **(others or {})}, **rest}


def wanted(**changes: Any) -> Wanted:
    return Wanted(**{"service": "staging", "port": 8501, "prod_port": 8500, **changes})


def problems(config: Config, **changes: Any) -> tuple[str, ...]:
    return find_problems(config, wanted(**changes))


def test_a_service_of_its_own_has_no_problem() -> None:
    assert problems(project()) == ()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"ports": published(8501)}, "port 8501"),
        ({"ports": published("8400-8600")}, "port 8501"),
        ({"image": "app-staging"}, "image app-staging"),
        ({"image": "docker.io/library/app-staging:latest"}, "image app-staging"),
        ({"container_name": "shop-staging-1"}, "container name shop-staging-1"),
    ],
)
def test_what_two_services_share_is_a_problem_that_names_both(other: Config, said: str) -> None:
    """I6. Breaks when `_sharing_problems` no longer compares that."""
    (problem,) = problems(project(others={"other": {"image": "other", **other}}))

    assert f"'staging' and 'other' share {said}" in problem


@pytest.mark.parametrize(
    "other",
    [
        {"ports": published(8501, protocol="udp")},
        {"ports": [{"target": 8501, "protocol": "tcp"}]},
        {"ports": published(8502, target=8501)},
        {"image": "app-staging:v1"},
        {"ports": None, "image": None},
    ],
)
def test_what_is_not_shared_is_no_problem(other: Config) -> None:
    assert problems(project(others={"other": {"image": "other", **other}})) == ()


def test_a_service_without_an_image_has_the_name_that_compose_gives_it() -> None:
    config = project({"image": None})

    assert image_of(config, "staging") == "shop-staging"
    assert problems(project({"image": None}, {"other": {"image": "shop-staging"}})) != ()


@pytest.mark.parametrize("ports", [published(8500, 8501), published(8501, "8500-8500"), published(8501, "8499-8500")])
def test_staging_never_publishes_on_productions_port(ports: list[dict[str, Any]]) -> None:
    """I6. Breaks when `_port_problems` no longer looks at `prod_port`."""
    config = project({"ports": ports})
    del config["services"]["production"]

    (problem,) = problems(config)
    assert "`prod-port`" in problem
    assert problems(config, prod_port=None) == ()


@pytest.mark.parametrize("ports", ["8501-8509", "8501-8501"])
def test_a_port_that_docker_picks_from_a_range_is_a_problem(ports: str) -> None:
    """Fails when `_port_problems` takes a range for one inner port for the port that is wanted."""
    (problem,) = problems(project({"ports": published(ports)}), prod_port=None)

    assert f"publishes `{ports}:" in problem


def test_a_range_that_says_which_port_is_which_is_no_problem() -> None:
    """Compose writes `8501-8503:80-82` out as single ports; a range elsewhere is no business of ours."""
    ports = [*published(8501, target=80), *published(8502, target=81), *published("9000-9009", target=90)]

    assert problems(project({"ports": ports})) == ()


@pytest.mark.parametrize("is_given", [True, False])
@pytest.mark.parametrize("ports", [published(8502, 8503), [*published(8502, 8503), *published(8501, protocol="udp")]])
def test_a_port_that_is_not_published_is_a_problem(*, ports: list[dict[str, Any]], is_given: bool) -> None:
    """I12. Breaks when `_published` takes UDP, or `chosen_port` takes one of several."""
    (problem,) = problems(project({"ports": ports}), is_port_given=is_given)

    assert "publishes 8502-8503, not 8501. Set `port` to one that it publishes" in problem


@pytest.mark.parametrize(
    ("staging", "changes", "is_published", "port", "inside"),
    [
        ({}, {"is_port_given": False}, True, 8501, 80),
        ({"ports": published(9000, 8501)}, {"is_port_given": False}, True, 8501, 80),
        ({"ports": published(9000)}, {"is_port_given": False}, True, 9000, 80),
        ({"ports": None}, {"port": 8000}, False, 8000, 8000),
        ({"ports": published(8501, protocol="udp")}, {"port": 8000}, False, 8000, 8000),
        ({"ports": None, "expose": ["8000"]}, {"is_port_given": False}, False, 8000, 8000),
        ({"ports": None, "expose": ["8000/tcp"]}, {"is_port_given": False, "asks_path": True}, False, 8000, 8000),
        ({"ports": None, "expose": ["8000", "9000"]}, {"is_port_given": False}, False, 0, 0),
        ({"ports": [{"target": 8000, "protocol": "tcp"}]}, {"is_port_given": False}, False, 8000, 8000),
        ({"ports": [{"target": 8501}, {"target": 53, "protocol": "udp"}]}, {"is_port_given": False}, False, 8501, 8501),
    ],
)
def test_a_port_is_read_from_compose_where_nobody_gives_one(
    *, staging: Config, changes: Config, is_published: bool, port: int, inside: int
) -> None:
    """Breaks when `chosen_port` leaves out one of its ways."""
    config = project(staging)

    assert problems(config, **changes) == ()
    target = read_target(config, wanted(**changes))
    assert (target.is_published, target.port, target.container_port) == (is_published, port, inside)


@pytest.mark.parametrize("expose", [None, ["8000", "9000"]])
def test_a_path_without_any_port_to_ask_is_a_problem(expose: list[str] | None) -> None:
    """I12. Breaks when `_port_problems` lets it through: nobody could ever ask."""
    (problem,) = problems(project({"ports": None, "expose": expose}), is_port_given=False, asks_path=True)

    assert "Set `port` to the one inside the container" in problem


@pytest.mark.parametrize(
    ("staging", "changes", "said"),
    [
        ({"image": "app@sha256:" + "1" * 64}, {}, "which no tag can move"),
        ({"image": "localhost:5000/App"}, {}, "does not accept as an image name"),
        ({"image": "app:"}, {}, "does not accept as an image name"),
        ({}, {"image": "app"}, "The setting `image` says 'app', but Compose runs 'app-staging'"),
        ({}, {"container": "app"}, "The setting `container` says 'app', but Compose names it 'shop-staging-1'"),
        ({"deploy": {"replicas": 2}}, {}, "has 2 replicas"),
        ({"deploy": {"replicas": 0}}, {}, "has 0 replicas"),
        ({"scale": 3}, {}, "has 3 replicas"),
    ],
)
def test_what_compose_would_run_otherwise_is_a_problem(staging: Config, changes: Config, said: str) -> None:
    assert [problem for problem in problems(project(staging), **changes) if said in problem]


@pytest.mark.parametrize(
    ("staging", "changes"),
    [
        ({}, {"image": "docker.io/library/app-staging:latest"}),
        ({}, {"container": "shop-staging-1"}),
        ({"container_name": "web"}, {"container": "web"}),
        ({"deploy": {"replicas": 1}}, {}),
        ({"deploy": {}}, {}),
    ],
)
def test_what_settings_and_compose_agree_on_is_no_problem(staging: Config, changes: Config) -> None:
    assert problems(project(staging), **changes) == ()


def test_volumes_of_another_container_are_a_problem() -> None:
    """I13. Breaks when `volumes_from` is not looked at."""
    (problem,) = problems(project({"volumes_from": ["src"]}))
    assert "volumes_from" in problem


def test_a_mount_at_a_relative_path_is_a_problem() -> None:
    """Fails when it is left to the Engine to say so, as of `v:/data` after the build, without the reason."""
    (problem,) = problems(project({"volumes": [{"type": "volume", "target": "v:/data"}]}))
    assert "'v:/data', which is no absolute path" in problem
    assert "a longer name" in problem


@pytest.mark.parametrize("mode", ["host", "none", "service:web"])
def test_a_network_that_publishes_nothing_is_a_problem(mode: str) -> None:
    """I3. Breaks when `network_mode` is not looked at: whoever listens there would answer for staging."""
    (problem,) = problems(project({"network_mode": mode}))
    assert f"network_mode: {mode}" in problem


def test_an_unknown_service_is_the_only_problem_and_names_those_there_are() -> None:
    (problem,) = problems(project(), service="web")

    assert "no service 'web' (it has: production, staging)" in problem
    assert problems({"name": "shop"}, service="web") == (problem.replace("production, staging", "none"),)


def test_every_problem_is_found() -> None:
    config = project({"ports": published(8500), "image": "app@sha256:1", "scale": 2})

    assert len(problems(config, container="x")) == 6


def test_a_target_is_read_as_compose_runs_it() -> None:
    port = {"target": 8000, "published": "8501", "host_ip": "127.0.0.1", "protocol": "tcp"}
    check = {"test": ["CMD", "true"]}
    depends = {"db": {"condition": "service_started"}}
    config = project({"ports": [port], "depends_on": depends, "healthcheck": check, "container_name": "web"})

    assert read_target(config, wanted()) == Target(
        project="shop",
        service="staging",
        image="app-staging",
        container="web",
        address="127.0.0.1",
        port=8501,
        container_port=8000,
        needs=("db",),
        healthcheck=check,
        ports=(Published(address="127.0.0.1", port=8501, inside=8000, protocol="tcp"),),
    )
    assert container_of(config, "production") == "shop-production-1"


def test_a_port_in_a_range_is_read_with_its_own_port_inside() -> None:
    config = project({"ports": published(8500, target=80) + published(8501, target=81)})

    target = read_target(config, wanted())
    assert (target.port, target.container_port, target.address) == (8501, 81, "0.0.0.0")  # noqa: S104 - compared


def paired(**changes: Any) -> Config:
    return project({"ports": None, **changes})


def test_a_service_that_publishes_nothing_may_have_two_containers() -> None:
    config = paired(networks={"default": None, "front": {"aliases": ["web"]}})

    assert problems(config, in_pairs=True, port=8000) == ()
    target = read_target(config, wanted(in_pairs=True, port=8000))
    assert (target.is_published, target.container_port) == (False, 8000)


@pytest.mark.parametrize(
    ("staging", "said"),
    [
        ({"ports": published(8501)}, "publishes 8501"),
        ({"ports": published(53, protocol="udp")}, "publishes 53"),
        ({"ports": [{"target": 8000, "protocol": "tcp"}]}, "publishes 8000"),
        ({"container_name": "web"}, "container_name: web"),
        ({"networks": {"front": {"ipv4_address": "10.1.2.3"}}}, "ipv4_address: 10.1.2.3` in the network front"),
        ({"mac_address": "02:42:ac:11:00:03"}, "mac_address: 02:42:ac:11:00:03`, which"),
        ({"pre_stop": [{"command": ["drain"]}]}, "pre_stop"),
        ({"network_mode": "host"}, "network_mode: host"),
    ],
)
def test_what_two_containers_of_a_service_cannot_share_is_a_problem(staging: Config, said: str) -> None:
    """Breaks when `find_pair_problems` no longer looks at that, or `find_problems` asks it only."""
    (problem,) = problems(paired(**staging), in_pairs=True)

    assert said in problem


def test_of_what_is_thrown_away_one_container_is_made_with_what_it_needs() -> None:
    """Fails when `is_thrown_away` is not looked at: Compose runs what has to end before."""
    config = project({"deploy": {"replicas": 3}, "depends_on": {"migrate": COMPLETED}})

    assert len(problems(config)) == 2
    assert problems(config, is_thrown_away=True) == ()


def test_every_problem_of_a_pair_is_found() -> None:
    config = paired(ports=published(8501), container_name="web", post_start=[{}], network_mode="none")

    assert len(problems(config, in_pairs=True, container="web")) == 5


def test_a_service_that_waits_for_another_s_good_end_is_a_problem_until_somebody_runs_that() -> None:
    """Fails when `_dependency_problems` goes: the migration never ran, and the gate would say fresh."""
    needs = {
        "db": {"condition": "service_healthy"},
        "cache": {"condition": "service_started"},
        "migrate": {"condition": "service_completed_successfully", "required": False},
        "seed": {"condition": "service_completed_successfully"},
    }
    config = project({"depends_on": needs})

    migrate, seed = problems(config)
    assert "waits for 'migrate'" in migrate
    assert "`accept-dependencies: seed`" in seed
    assert problems(config, accepted=frozenset({"migrate", "seed"})) == ()
    assert problems(project(others={"other": {"image": "other", "depends_on": needs}})) == ()


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, ["waits by way of 'api' for 'migrate' to finish"]),
        ({"together": frozenset({"staging", "api"})}, []),  # its own problem, and said there
        ({"accepted": frozenset({"migrate"})}, []),
        ({"accepted": frozenset({"migrate"}), "together": frozenset({"staging", "migrate"})}, ["'api' and 'migrate'"]),
        ({"accepted": frozenset({"api"})}, []),
    ],
)
def test_a_migration_behind_a_service_in_between_is_a_problem_too(changes: Config, found: list[str]) -> None:
    """Fails when `_ending_needs` looks at the service's own needs alone, or not at those of a job."""
    others = {
        "api": {"image": "api", "depends_on": {"migrate": COMPLETED, "staging": {"condition": "service_started"}}},
        "migrate": {"image": "migrate", "depends_on": {"seed": COMPLETED} if "'api' and" in "".join(found) else {}},
        "seed": {"image": "seed"},
    }
    config = project({"depends_on": {"api": {"condition": "service_healthy"}}}, others)

    said = problems(config, **changes)

    assert len(said) == len(found)
    assert all(words in one for words, one in zip(found, said, strict=True))


def test_what_compose_does_not_compare_is_named() -> None:
    """Fails when `_contents` leaves a kind out, or names what no file and no variable holds."""
    config = project(
        {"configs": [{"source": "conf"}], "secrets": [{"source": "db"}, {"source": "away"}]},
        configs={"conf": {"content": "x"}, "other": {"content": "y"}},
        secrets={"db": {"environment": "DB"}, "away": {"external": True}},
    )

    assert read_target(config, wanted()).contents == ("the config conf", "the secret db")
