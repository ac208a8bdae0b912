"""Which hosts the variables of a service name: where it would go to read and to write."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Service = Mapping[str, Any]

_AUTHORITY = re.compile(r"\b([a-z][a-z0-9+.-]*)://([^\s/?#;'\"]+)", re.IGNORECASE)
_PORT = re.compile(r":\d*$")
_HOST_WORDS = "HOST|HOSTS|HOSTNAME|SERVER|SERVERS|ADDR|ADDRESS|ENDPOINT|BROKER|BROKERS"
_STORES = (
    "DB|DATABASE|DATASOURCE|SQL|PG|POSTGRES|POSTGRESQL|MYSQL|MARIADB|MONGO|MONGODB|REDIS|VALKEY|RABBITMQ|AMQP|KAFKA"
    "|CASSANDRA|CLICKHOUSE|ELASTIC|ELASTICSEARCH|OPENSEARCH|INFLUX|INFLUXDB|MEMCACHED|MQTT|NATS|NEO4J|DOCKER"
)
_HOST_VARIABLE = re.compile(rf"PGHOST|(?:.*_)?(?:{_HOST_WORDS})")
_STORE_VARIABLE = re.compile(rf"PGHOST|(?:.*_)?(?:{_STORES})_?(?:.*_)?(?:{_HOST_WORDS}|URL|URI|DSN)")
_STORE_SCHEME = re.compile(
    r"(?:postgres|postgresql|psql|pgsql|postgis|mysql|mysql2|mariadb|mssql|sqlserver|oracle|mongodb|rediss?|valkeys?"
    r"|amqps?|kafka|nats|mqtts?|clickhouse|cassandra|cockroachdb|couchdb|influxdb|neo4j|bolt|memcached|etcd)"
    r"(?:\+[a-z0-9_.-]+)?"
)
_INSIDE = frozenset({"", "localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 -- compared, never bound
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def names_of(service: Service, name: str) -> frozenset[str]:
    """The names by which others in its networks find the service."""
    networks = (service.get("networks") or {}).values()
    aliases = (alias for how in networks for alias in (how or {}).get("aliases") or ())
    own = (name, service.get("container_name"), service.get("hostname"))
    return frozenset(one for one in (*own, *aliases) if one)


def hosts_of(service: Service) -> frozenset[str]:
    """Every host of an address in its variables and its command, and what variables for a host hold."""
    said = (*_variables(service), *_words(service))
    return frozenset(host for name, value in said for _, host in _hosts(name, value))


def stores_of(service: Service) -> Iterator[tuple[str, str]]:
    """Each variable that names where data is kept, with the host; not what lies in the container itself.

    A word of `command` or `entrypoint` may name it too, as of a program that migrates.
    """
    for name, value in (*_variables(service), *_words(service)):
        for scheme, host in _hosts(name, value):
            is_store = _STORE_SCHEME.fullmatch(scheme) or _STORE_VARIABLE.fullmatch(name.upper())
            if is_store and host not in _INSIDE:
                yield name, host


def _words(service: Service) -> Iterator[tuple[str, str]]:
    for key in ("command", "entrypoint"):
        said = service.get(key) or ()
        yield from ((f"`{key}`", word) for word in ([said] if isinstance(said, str) else said))


def _variables(service: Service) -> Iterator[tuple[str, str]]:
    for name, value in (service.get("environment") or {}).items():
        if value is not None:
            yield name, str(value)


def _hosts(name: str, value: str) -> Iterator[tuple[str, str]]:
    """The scheme, empty where there is none, and the host."""
    for scheme, authority in _AUTHORITY.findall(value):
        for host in authority.rpartition("@")[2].split(","):
            yield scheme.lower(), _bare(host)
    if "://" not in value and _HOST_VARIABLE.fullmatch(name.upper()):
        for host in value.split(","):
            if _NAME.fullmatch(_bare(host.strip())):
                yield "", _bare(host.strip())


def _bare(host: str) -> str:
    """Without its port, and without the brackets of an IPv6 address."""
    return _PORT.sub("", host).strip("[]") if not host.startswith("[") else host[1:].partition("]")[0]
