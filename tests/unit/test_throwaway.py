"""A project that is thrown away: what it starts, what it is made of, and what may not be in it."""

from typing import Any

import pytest

from freshness.core.reach import hosts_of, stores_of
from freshness.core.throwaway import LABEL, Source, closure_of, is_project_name, project_name, throw_away
from freshness.core.throwaway_rules import find_replaced, find_throwaway_problems

Config = dict[str, Any]
PROJECT = project_name("shop", "0123456789abcdef")
DIGEST = f"sha256:{'1' * 64}"
HEALTHY = {"condition": "service_healthy", "required": True}


def config(web: Config | None = None, **others: Any) -> Config:
    ours = {"build": {"context": "/srv/shop"}, "image": "shop", "networks": {"default": None}, **(web or {})}
    db = {"image": "postgres:16", "networks": {"default": None}, "volumes": [volume("db", "/var/lib/postgresql/data")]}
    services = {"web": ours, "db": db, **others.pop("services", {})}
    return {"name": "shop", "services": services, "volumes": {"db": {"name": "shop_db"}}, **others}


def volume(source: str, target: str, kind: str = "volume", **more: Any) -> Config:
    return {"type": kind, "source": source, "target": target, **more}


def thrown(given: Config, sources: dict[str, Source] | None = None, jobs: tuple[str, ...] = ()) -> Config:
    services = closure_of(given, ["web", *jobs])
    images = dict.fromkeys(("web", *jobs), DIGEST)
    return throw_away(given, PROJECT, services, images, jobs, sources or {})


def problems(given: Config, *, sources: dict[str, Source] | None = None, meant: tuple[str, ...] = ()) -> list[str]:
    services = closure_of(given, ["web"])
    return list(find_throwaway_problems(given, services, ("web",), sources or {}, meant))


@pytest.mark.parametrize(
    ("web", "found"),
    [
        ({}, ("web",)),
        ({"depends_on": {"db": HEALTHY}}, ("web", "db")),
        ({"links": ["db:database"]}, ("web", "db")),
        ({"network_mode": "service:db"}, ("web", "db")),
        ({"environment": {"DATABASE_URL": "postgres://u:p@db:5432/shop?x=1"}}, ("web", "db")),
        ({"environment": {"REDIS_HOST": "store:6379"}}, ("web", "cache")),
        ({"environment": {"APP": "db", "EMPTY": None, "TITLE": "the db"}}, ("web",)),
        ({"depends_on": {"cache": HEALTHY}}, ("web", "cache", "db")),
        ({"depends_on": {"gone": HEALTHY}}, ("web",)),
    ],
)
def test_what_a_service_needs_comes_with_it(web: Config, found: tuple[str, ...]) -> None:
    """Fails when `closure_of` leaves out a kind of need, or follows it one step only."""
    cache = {"image": "redis", "container_name": "store", "depends_on": {"db": HEALTHY}}
    expected = (*found, "db") if found == ("web", "cache") else found

    assert closure_of(config(web, services={"cache": cache}), ["web"]) == expected


@pytest.mark.parametrize(
    ("web", "found"),
    [
        ({}, ("web",)),
        ({"environment": {"OTLP": "http://tool:4317"}}, ("web",)),
        ({"environment": {"REDIS_URL": "redis://tool"}}, ("web", "tool")),
    ],
)
def test_what_compose_starts_for_a_profile_alone_is_no_need(web: Config, found: tuple[str, ...]) -> None:
    """Fails when `_not_started` is not asked: an image that only a monitoring profile needs would be pulled."""
    tool = {"image": "tool", "profiles": ["monitoring"]}
    needs = {"tool": {"condition": "service_started", "required": False}}

    assert closure_of(config({**web, "depends_on": needs}, services={"tool": tool}), ["web"]) == found


def test_a_part_of_a_volume_is_not_looked_for_in_an_empty_one() -> None:
    given = volume("db", "/x", volume={"subpath": "a", "nocopy": True})

    (mounted,) = thrown(config({"volumes": [given]}))["services"]["web"]["volumes"]

    assert mounted == volume("db", "/x", volume={"nocopy": True})


def test_what_is_left_out_is_not_followed() -> None:
    assert closure_of(config({"depends_on": {"db": HEALTHY}}), ["web"], ["db"]) == ("web",)


def test_nothing_of_production_is_in_it() -> None:
    """I6. Fails when `throw_away` keeps a name, port, label, volume, network or proxy's variable."""
    given = config(
        {
            "container_name": "shop",
            "hostname": "shop",
            "restart": "always",
            "labels": {"traefik.enable": "true"},
            "logging": {"driver": "gelf"},
            "env_file": ["/srv/shop/.env"],
            "environment": {"VIRTUAL_HOST": "shop.example", "LETSENCRYPT_HOST": "shop.example", "PORT": "80"},
            "deploy": {"replicas": 3, "resources": {"limits": {"memory": "1g"}}},
            "ports": [
                {"mode": "ingress", "host_ip": "10.0.0.1", "target": 80, "published": "8500", "protocol": "tcp"},
                {"mode": "ingress", "target": 80, "published": "443", "protocol": "tcp"},
                {"mode": "ingress", "target": 9, "protocol": "tcp"},
            ],
            "networks": {"default": None, "proxy": {"ipv4_address": "10.0.0.2", "aliases": ["www"]}},
            "depends_on": {"db": HEALTHY, "migrate": HEALTHY},
        },
        services={"migrate": {"image": "shop", "networks": {"default": None}, "ports": [], "profiles": ["jobs"]}},
        networks={
            "default": {"name": "shop_default", "ipam": {"config": [{"subnet": "10.0.0.0/24"}]}, "internal": True},
            "proxy": {"name": "proxy", "external": True},
        },
    )

    made = thrown(given, jobs=("migrate",))

    label = {LABEL: PROJECT}
    assert made["name"] == PROJECT
    assert made["volumes"] == {"db": {"labels": label}}
    assert made["networks"] == {"default": {"internal": True, "labels": label}, "proxy": {"labels": label}}
    assert made["services"]["web"] == {
        "image": DIGEST,
        "pull_policy": "never",
        "hostname": "shop",
        "restart": "on-failure",
        "labels": {**label, "traefik.enable": "false"},
        "environment": {"PORT": "80"},
        "deploy": {"resources": {"limits": {"memory": "1g"}}},
        "ports": [{"mode": "ingress", "target": 80, "protocol": "tcp", "host_ip": "127.0.0.1"}],
        "networks": {"default": {"aliases": ["shop"]}, "proxy": {"aliases": ["www", "shop"]}},
        "depends_on": {"db": HEALTHY},
        "volumes": [],
    }
    assert made["services"]["db"]["image"] == "postgres:16"
    assert "ports" not in made["services"]["migrate"]
    assert given["services"]["web"]["container_name"] == "shop", "what was given is changed"


@pytest.mark.parametrize(
    ("source", "more", "made"),
    [
        (Source.FILE, {}, {"read_only": True}),
        (Source.TRACKED, {}, {"read_only": True}),
        (Source.FOLDER, {"read_only": True}, {"read_only": True}),
        (Source.FOLDER, {}, None),
        (Source.MISSING, {}, None),
    ],
)
def test_files_are_read_and_data_begins_empty(source: Source, more: Config, made: Config | None) -> None:
    """Fails when a path of the host can be written to."""
    bind = volume("/srv/shop/x", "/x", "bind", **more)

    (mounted,) = thrown(config({"volumes": [bind]}), {"/srv/shop/x": source})["services"]["web"]["volumes"]

    assert mounted == ({**bind, **made} if made else {"type": "volume", "target": "/x"})


@pytest.mark.parametrize(
    ("web", "said"),
    [
        ({"volumes": [volume("/var/run/docker.sock", "/s", "bind", read_only=True)]}, "mounts /var/run/docker.sock"),
        ({"volumes": [volume("/srv/../run/x", "/s", "bind")]}, "mounts /run/x"),
        ({"volumes": [volume("/", "/host", "bind", read_only=True)]}, "mounts /,"),
        ({"volumes": [volume("/srv/socket", "/s", "bind", read_only=True)]}, "mounts /srv/socket"),
        ({"volumes": [volume("/srv/far", "/s", "bind")]}, "cannot be seen"),
        ({"volumes": [volume("x", "/s", "npipe")]}, "a mount of type 'npipe'"),
        ({"network_mode": "host"}, "`network_mode: host`"),
        ({"ipc": "container:other"}, "`ipc: container:other`"),
        ({"privileged": True}, "`privileged:`"),
        ({"devices": [{"source": "/dev/sda"}]}, "`devices:`"),
        ({"external_links": ["other"]}, "`external_links:`"),
        ({"some_new_key": 1}, "`some_new_key:`"),
        ({"depends_on": {"worker": HEALTHY}}, "'worker' is needed and has a `build:`"),
        (
            {"environment": {"DATABASE_URL": "postgres://u:p@db.example/shop"}},
            "DATABASE_URL, which leads to db.example",
        ),
        ({"environment": {"PGHOST": "10.0.0.9"}}, "PGHOST, which leads to 10.0.0.9"),
        ({"environment": {"DOCKER_HOST": "tcp://10.0.0.9:2375"}}, "DOCKER_HOST, which leads to 10.0.0.9"),
        ({"command": ["migrate", "-database", "postgres://db.example/shop"]}, "`command`, which leads to db.example"),
    ],
)
def test_what_reaches_beyond_it_is_a_problem(web: Config, said: str) -> None:
    """I6. Fails when `find_throwaway_problems` leaves a way out of the project."""
    sources = {"/srv/socket": Source.SPECIAL, "/srv/far": Source.UNSEEN}

    (problem,) = problems(config(web, services={"worker": {"build": {"context": "/srv/shop"}}}), sources=sources)

    assert said in problem


@pytest.mark.parametrize(
    "web",
    [
        {"environment": {"DATABASE_URL": "postgres://u:p@db/shop", "CACHE": "redis://localhost", "DB_HOST": "/run/pg"}},
        {"environment": {"SENTRY_DSN": "https://x@sentry.example/1", "PUBLIC_URL": "https://shop.example"}},
        {"ipc": "private", "network_mode": "bridge", "privileged": False, "devices": []},
        {"volumes": [volume("", "/cache"), volume("", "/x", "tmpfs"), volume("/etc/localtime", "/t", "bind")]},
        {"command": ["curl", "https://example.org"], "entrypoint": "/run"},
        {"x-note": {"anything": 1}},
        {"links": ["db:database"], "environment": {"DATABASE_URL": "postgres://u:p@database/shop"}},
    ],
)
def test_what_stays_within_it_is_none(web: Config) -> None:
    assert problems(config(web), sources={"/etc/localtime": Source.FILE}) == []


def test_a_store_that_was_given_for_the_gate_is_meant() -> None:
    given = config({"environment": {"DATABASE_URL": "postgres://u:p@staging.example/shop"}})

    assert problems(given, meant=("postgres://u:p@staging.example/shop",)) == []


def test_what_is_not_as_in_the_file_is_said() -> None:
    web = {
        "deploy": {"replicas": 2},
        "volumes": [volume("/srv/data", "/data", "bind"), volume("/srv/conf", "/conf", "bind")],
        "networks": {"proxy": {}},
    }
    given = config(web, networks={"proxy": {"external": True}, "other": {"external": True}})

    assert list(find_replaced(given, ["web"], {"/srv/conf": Source.FILE})) == [
        "web runs once here, and not 2 times",
        "web has /srv/data at /data, which begins empty here",
        "web has /srv/conf at /conf, which can only be read here",
        "the external network proxy is a new one here, with these services alone in it",
    ]


@pytest.mark.parametrize(
    ("name", "value", "host"),
    [
        ("DATABASE_URL", "postgresql+asyncpg://u:p%40ss@one:5432,two:5432/shop", "two"),
        ("SPRING_DATASOURCE_URL", "jdbc:sqlserver://mssql:1433;databaseName=shop", "mssql"),
        ("REDIS", "redis://:secret@cache:6379/0", "cache"),
        ("ELASTICSEARCH_HOSTS", "http://search:9200", "search"),
        ("MYSQL_SERVER", "sql", "sql"),
        ("MQ", "amqp://[fd00::1]:5672", "fd00::1"),
        ("KAFKA_BROKERS", "a:9092, b:9092", "b"),
    ],
)
def test_where_data_is_kept_is_read_from_variables(name: str, value: str, host: str) -> None:
    """Fails when `stores_of` does not know the form."""
    service = {"environment": {name: value}}

    assert (name, host) in set(stores_of(service))
    assert host in hosts_of(service)


def test_only_names_that_are_made_for_it_are_its() -> None:
    assert is_project_name(PROJECT)
    assert not is_project_name("shop-gate")
    assert not is_project_name("shop-gate-0123456789abcdeg")
