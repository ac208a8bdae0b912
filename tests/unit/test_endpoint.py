"""What DOCKER_HOST names is understood as the Docker command line understands it, or refused."""

import pytest

from freshness.core.endpoint import SOCKET, SshAddress, host_of, lacks_host, read_ssh, shown


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        ("ssh://host", SshAddress(user=None, host="host", port=None, socket=SOCKET)),
        ("ssh://me@host:2222/", SshAddress(user="me", host="host", port=2222, socket=SOCKET)),
        ("ssh://me@[::1]/run/my.sock", SshAddress(user="me", host="::1", port=None, socket="/run/my.sock")),
        ("tcp://host:2376", None),
        ("unix:///run/docker.sock", None),
    ],
)  # fmt: skip
def test_an_address_is_read_as_docker_reads_it(endpoint: str, address: SshAddress | None) -> None:
    assert read_ssh(endpoint) == address


@pytest.mark.parametrize(
    "endpoint",
    [
        "ssh://me:secret@host",
        "ssh://-oProxyCommand=touch",
        "ssh://-l@host",
        "ssh://host:port",
        "ssh://host/a:b",
        "ssh://host/a?b",
        "ssh://ho st",
    ],
)
def test_what_ssh_could_take_for_something_else_is_no_address(endpoint: str) -> None:
    """Breaks when `_problem` lets a part through that ssh reads as an option or as a forwarding of its own."""
    with pytest.raises(ValueError, match=r"\w"):
        read_ssh(endpoint)


@pytest.mark.parametrize(
    ("endpoint", "lacks"),
    [
        ("ssh://", True),
        ("ssh://me@", True),
        ("tcp://:2376", True),
        ("https://", True),
        ("tcp://host", False),
        ("unix://", False),
        ("npipe://", False),
        ("host", False),
        ("ssh://[", False),
    ],
)
def test_a_missing_host_is_seen(endpoint: str, lacks: bool) -> None:  # noqa: FBT001 -- a table's column
    assert lacks_host(endpoint) is lacks


def test_a_password_is_taken_out() -> None:
    assert shown("tcp://me:secret@host:2376") == "tcp://me@host:2376"
    assert shown("tcp://host:2376") == "tcp://host:2376"


def test_a_socket_has_no_host() -> None:
    assert host_of("unix:///run/docker.sock") is None
    assert host_of("the Docker context 'x'") is None
    assert host_of("tcp://Host:2376") == "host"
