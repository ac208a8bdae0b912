"""What ran, as Compose rendered it: one service, in a form that Compose reads again."""

import json
from pathlib import Path
from typing import Any

import pytest

from freshness.core import secret
from freshness.core.compose import Target, Wanted
from freshness.core.configuration import bound_paths, environment_of, not_restored, render, target_of, variables_of
from freshness.core.retained import RetainedTags
from freshness.engine.compose_file import ComposeFile
from freshness.promotion.configuration import Today
from freshness.settings.model import Health

CONFIG: dict[str, Any] = {
    "name": "shop",
    "services": {
        "web": {
            "image": "shop/web",
            "build": {"context": "/work", "args": {"TOKEN": "t"}},
            "depends_on": {"db": {"condition": "service_started"}},
            "environment": {"DSN": "a$$b"},
            "networks": {"front": None},
            "ports": [{"target": 80, "published": "8500", "host_ip": "127.0.0.1", "protocol": "tcp"}],
            "volumes": [
                {"type": "bind", "source": "/srv/data", "target": "/data"},
                {"type": "volume", "source": "files", "target": "/files"},
                {"type": "volume", "target": "/cache"},
            ],
            "configs": [{"source": "site"}],
            "secrets": [{"source": "key"}, {"source": "token"}],
            "links": ["cache:c"],
            "pid": "service:db",
        },
        "db": {"image": "postgres", "environment": {"PASSWORD": "theirs"}},
        "cache": {"image": "redis"},
    },
    "networks": {"front": {"name": "shop_front"}, "back": {"name": "shop_back"}},
    "volumes": {"files": {"name": "shop_files"}, "theirs": {"name": "shop_theirs"}},
    "configs": {"site": {"name": "shop_site", "content": "x"}},
    "secrets": {"key": {"file": "/srv/key"}, "token": {"environment": "TOKEN"}, "theirs": {"file": "/srv/theirs"}},
}
TODAY = Target(
    project="shop", service="web", image="shop/new", container="shop-new", address="127.0.0.1", port=8600,
    container_port=80,
)  # fmt: skip


def test_the_port_inside_is_asked_of_what_published_none_then() -> None:
    """I9. Breaks when `target_of` takes the host's port of today for the one inside."""
    config = {**CONFIG, "services": {"web": {"image": "shop/web"}}}

    then = target_of(render(config, "web"), Wanted(service="web", port=8600), TODAY)

    assert (then.is_published, then.container_port) == (False, 80)


def test_one_service_is_kept_with_what_it_uses_and_nothing_else() -> None:
    """Breaks when another service's values are kept, or a `build` whose arguments may be secret."""
    kept = json.loads(render(CONFIG, "web"))

    assert kept["services"]["web"]["environment"] == {"DSN": "a$$b"}
    assert not {"build", "depends_on"} & set(kept["services"]["web"])
    assert {name: kept["services"][name] for name in ("db", "cache")} == {
        "db": {"image": "none"},
        "cache": {"image": "none"},
    }
    assert [set(kept[kind]) for kind in ("networks", "volumes", "configs", "secrets")] == [
        {"front"},
        {"files"},
        {"site"},
        {"key", "token"},
    ]
    assert "theirs" not in render(CONFIG, "web")


def test_a_service_without_networks_keeps_the_default_one_and_one_without_image_still_has_a_build() -> None:
    config = {"name": "shop", "services": {"web": {"build": {"context": "/x"}}}, "networks": {"default": {"name": "n"}}}

    kept = json.loads(render(config, "web"))

    assert kept["networks"] == {"default": {"name": "n"}}
    assert kept["services"]["web"] == {"build": {"context": "."}}


def test_equal_configurations_are_written_alike() -> None:
    """Fails when `render` keeps the order in which each version of Compose prints a service's keys."""
    turned = {name: dict(reversed(service.items())) for name, service in reversed(CONFIG["services"].items())}

    assert render({**CONFIG, "services": turned}, "web") == render(CONFIG, "web")


@pytest.mark.parametrize(("wanted", "port"), [(8500, 8500), (8600, 8500)])
def test_the_target_is_what_it_was_and_its_port_one_that_it_published(wanted: int, port: int) -> None:
    """I9. Breaks when what ran before is asked for health at today's port, or under today's names."""
    was = target_of(render(CONFIG, "web"), Wanted(service="web", port=wanted), TODAY)

    assert (was.image, was.container, was.port, was.address) == ("shop/web", "shop-web-1", port, "127.0.0.1")


def test_where_nothing_is_known_the_target_is_todays() -> None:
    assert target_of("", Wanted(service="web", port=8600), TODAY) is TODAY


def test_what_is_never_taken_back_is_named() -> None:
    assert bound_paths(render(CONFIG, "web")) == ("/srv/data", "/srv/key")
    assert variables_of(render(CONFIG, "web")) == ("TOKEN",)
    said = not_restored(render(CONFIG, "web"))
    assert said.endswith("not restored: what lies at /srv/data and /srv/key, the secret in TOKEN.")
    assert not_restored('{"services": {"web": {}}}') == ""


def test_a_secret_of_what_was_recorded_is_concealed_before_compose_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Today's files may not know it. Fails when `_rendered` in promotion/configuration.py conceals nothing."""
    monkeypatch.setattr(secret, "_known", set())
    web = {**CONFIG["services"]["web"], "environment": {"JWT_SECRET": "hunter$$2", "LEVEL": "verbose"}}
    recorded = render({**CONFIG, "services": {**CONFIG["services"], "web": web}}, "web")
    file = ComposeFile(
        paths=(), folder=Path("/"), env_files=(), project=None, variables={}, only_inputs=True
    )  # fmt: skip
    today = Today(
        target=TODAY, wanted=Wanted(service="web", port=8500), file=file, configuration="", source="shop/new",
        retained_tags=RetainedTags(repository="shop/web"), health=Health(),
    )  # fmt: skip

    today.make(recorded)

    assert secret.redacted("bad value hunter$2, hunter$$2") == "bad value [REDACTED], [REDACTED]"
    assert secret.redacted("verbose") == "verbose"


def test_the_values_that_it_gave_are_known_by_name() -> None:
    """Fails when `environment_of` takes another service's, or a name without a value for one with a value."""
    recorded = json.dumps({"services": {"web": {"environment": {"A": "x", "B": None, "C": ""}}, "job": {}}})

    assert environment_of(recorded, "web") == {"A": "x", "C": ""}
    assert environment_of(recorded, "job") == {}
