"""What a Swarm mounts over what the image starts is refused; of each other mount there is a note."""

from typing import Any

import pytest

from freshness.core.mounts import Process, process_in
from freshness.core.swarm_mounts import refuse_covered
from freshness.errors import Refused

SERVE = Process(words=("sh", "/app/serve", "--data", "/data"), folder="/")


def bind(target: str) -> dict[str, Any]:
    return {"Mounts": [{"Type": "bind", "Source": "/srv/shop", "Target": target}]}


@pytest.mark.parametrize(
    ("container", "image", "said"),
    [
        (bind("/app"), SERVE, "the bind mount /srv/shop at /app, which covers /app/serve"),
        (bind("/app/"), SERVE, "covers /app/serve"),
        (bind("/app"), Process(words=("gunicorn",), folder="/app"), "covers /app that"),
        ({"Mounts": [{"Type": "volume", "Source": "code", "Target": "/app"}]}, SERVE, "the named volume code at /app"),
        (bind("/own") | {"Dir": "/own"}, SERVE, "covers /own"),
        (bind("/own") | {"Args": ["/own/serve"]}, SERVE, "covers /own/serve"),
        (
            {"Command": ["/begin"], "Configs": [{"ConfigName": "begin.1", "File": {"Name": "/begin"}}]},
            SERVE,
            "the config begin.1 at /begin",
        ),
        ({"Secrets": [{"SecretName": "s", "File": {"Name": "/app"}}]}, SERVE, "the secret s at /app"),
    ],
)
def test_a_mount_over_what_is_started_is_refused_unless_it_is_allowed(
    container: dict[str, Any], image: Process, said: str
) -> None:
    """I13. Breaks when the digest of each task alone is what counts."""
    with pytest.raises(Refused, match=said):
        refuse_covered("shop", container, image, ())
    (note,) = refuse_covered("shop", container, image, ("/app", "/own", "/begin"))
    assert "as `allow-mounts` allows" in note


@pytest.mark.parametrize(
    ("container", "notes"),
    [
        ({}, 0),
        (bind("/data"), 1),  # which is named itself: a folder for data
        (bind("/var/lib/shop"), 1),
        ({"Mounts": [{"Type": "volume", "Target": "/app"}]}, 0),  # a new one with the image's files in it
        ({"Mounts": [{"Type": "tmpfs", "Target": "/tmp"}]}, 0),  # noqa: S108 -- a path in a container
        ({"Secrets": [{"SecretName": "s", "File": {"Name": "s"}}]}, 0),
        ({"Configs": [{"ConfigName": "c", "Runtime": {}}, {"ConfigName": "c", "File": {"Name": "/etc/c"}}]}, 1),
    ],
)
def test_any_other_mount_is_let_pass(container: dict[str, Any], notes: int) -> None:
    assert len(refuse_covered("shop", container, SERVE, ())) == notes


def test_what_an_image_starts_is_read_of_whatever_a_registry_holds() -> None:
    config = {"Entrypoint": ["/e"], "Cmd": ["c"], "WorkingDir": "/w", "Env": ["PATH=/bin:/sbin", "A"]}

    assert process_in(config) == Process(words=("/e", "c"), folder="/w", search=("/bin", "/sbin"))
    assert process_in({"Entrypoint": 7, "Cmd": None, "Env": {}}) == Process()
