"""May a run replace what stands at its target? The rule, on values."""

from typing import Any

import pytest
from msgspec.structs import replace

from freshness.core.deployment import Deployment, Recorded, Role
from freshness.core.ownership import (
    Claim,
    ExistingContainer,
    adopts_needlessly,
    appears_from_compose,
    deployment_of,
    is_seen_by_compose,
    object_to,
    object_to_lost_variables,
    why_not_from_compose,
)
from freshness.core.published import Published

HASH = "com.docker.compose.config-hash"
NUMBER = "com.docker.compose.container-number"


def at(port: int, address: str = "127.0.0.1", protocol: str = "tcp") -> Published:
    return Published(address=address, port=port, inside=8000, protocol=protocol)


CLAIM = Claim(
    project="shop",
    service="web",
    role=Role.STAGING,
    container="shop-web-1",
    ports=(at(8501),),
    files=("compose.staging.yaml",),
    repository="org/shop",
    forbidden=8500,
)
OURS = ExistingContainer(name="shop-web-1", ports=(at(8501),), files=("compose.staging.yaml",))


def record(**changes: Any) -> Recorded:
    said: dict[str, Any] = {
        "project": "shop",
        "service": "web",
        "role": Role.STAGING,
        "repository": "org/shop",
        **changes,
    }
    return Recorded(name="freshness-deployment.shop.web.1", number=1, since="T", deployment=Deployment(**said))


@pytest.mark.parametrize("recorded", [None, record(), record(repository="", files=("elsewhere.yaml",))])
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"name": "0123456789ab_shop-web-1"},
        {"name": "shop-web-2"},
        {"name": "shop_web_1"},
        {"ports": (at(8501, "0.0.0.0"),)},  # noqa: S104 -- read, not bound
        {"files": ("compose.staging.yaml", "compose.override.yaml")},
        {"files": ("before.yaml",), "is_same_configuration": True},
        {"env_files": ("/srv/.env", "/dev/null")},
    ],
)
def test_what_matches_is_accepted_with_and_without_a_record(change: dict[str, Any], recorded: Recorded | None) -> None:
    assert object_to(CLAIM, (replace(OURS, **change),), recorded) is None


@pytest.mark.parametrize(
    ("change", "said", "setting"),
    [
        ({"ports": (at(9000),)}, "publishes 127.0.0.1:9000, expected 127.0.0.1:8501", "`ports`"),
        ({"ports": ()}, "publishes no port, expected 127.0.0.1:8501", "`ports`"),
        ({"ports": (at(8501), at(9000))}, "publishes 127.0.0.1:8501 and 127.0.0.1:9000", "`ports`"),
        ({"ports": (at(8501, protocol="udp"),)}, "publishes 127.0.0.1:8501/udp", "`ports`"),
        ({"ports": (at(8501, "127.0.0.2"),)}, "publishes 127.0.0.2:8501", "`ports`"),
        ({"name": "shop-live"}, "its name is shop-live, expected shop-web-1", "`container_name`"),
        ({"files": ("compose.yaml",)}, "from compose.yaml, expected compose.staging.yaml", "`compose-file`"),
        ({"files": ()}, "from none, expected compose.staging.yaml", "`compose-file`"),
        ({"files": ("compose.staging.yaml", "more.yaml")}, "compose.staging.yaml and more.yaml", "`compose-file`"),
        ({"env_files": ("live.env",)}, "the env file live.env, expected none", "`compose-env-files`"),
        ({"doubt": "its Compose labels come from its image"}, "labels come from its image", ""),
    ],
)
def test_each_difference_is_a_refusal_that_adopt_leads_out_of(change: dict[str, Any], said: str, setting: str) -> None:
    """I6. Fails when `_find_doubts` in core/ownership.py no longer compares that."""
    other = replace(OURS, **change)

    objection = object_to(CLAIM, (other,), None)

    assert objection is not None
    assert f"The container {other.name} would be replaced" in objection.message
    assert said in objection.message
    assert setting in objection.message
    assert f"`adopt: {other.name}`" in objection.remedy
    assert object_to(replace(CLAIM, adopt=other.name), (other,), None) is None
    assert object_to(replace(CLAIM, adopt="shop"), (other,), None) is not None
    assert object_to(replace(CLAIM, adopt=other.name), (other, replace(other, name="else-where")), None) is not None


def test_a_value_is_lost_where_an_optional_env_file_is_gone_and_nothing_else_gives_it() -> None:
    """I9. Fails when `_lost_variables` does not look at the files, or at what is given or may go."""
    one = replace(OURS, variables=frozenset({"JWT", "PORT"}))
    gone = replace(CLAIM, missing_env_files=("live.env",), variables=frozenset({"PORT"}))
    ran = record(configuration='{"services": {"web": {"environment": {"JWT": "a", "PORT": "1"}}}}')

    objection, down = object_to(gone, (one,), None), object_to_lost_variables(gone, ran)

    for found in (objection, down):
        assert found is not None
        assert "has a value for JWT, which nothing here gives, and live.env is not there" in found.message
        assert "`project-directory`" in found.message
    for fine in (
        replace(gone, missing_env_files=()),
        replace(gone, variables=frozenset({"PORT", "JWT"})),
        replace(gone, adopt=one.name),
    ):
        assert object_to(fine, (one,), None) is None
        assert object_to_lost_variables(fine, ran) is None
    assert object_to_lost_variables(gone, None) is None
    assert object_to_lost_variables(gone, record()) is None


def test_the_gate_never_takes_what_is_on_productions_port() -> None:
    """I6. Fails when `object_to` asks `adopt` before the forbidden port."""
    live = replace(OURS, ports=(at(8500),))

    objection = object_to(replace(CLAIM, adopt=live.name), (live,), None)

    assert objection is not None
    assert "publishes 8500, production's port (`prod-port`)" in objection.message
    assert "docker rm --force shop-web-1" in objection.remedy
    assert object_to(replace(CLAIM, adopt=live.name, forbidden=None), (live,), None) is None


@pytest.mark.parametrize("existing", [(), (OURS,)])
def test_a_record_of_the_other_role_is_refused_and_adopt_does_not_help(existing: tuple[ExistingContainer, ...]) -> None:
    """I6. Fails when `object_to` compares no role: a production that is down is production still."""
    recorded = record(role=Role.PRODUCTION)

    objection = object_to(replace(CLAIM, adopt=OURS.name), existing, recorded)

    assert objection is not None
    assert "shop.web is production of org/shop" in objection.message
    assert f"docker volume rm {recorded.name}" in objection.remedy
    assert object_to(CLAIM, existing, None) is None


@pytest.mark.parametrize("existing", [(), (OURS,)])
@pytest.mark.parametrize("ours", ["org/shop", ""])
def test_another_repository_is_refused_until_somebody_says_that_it_was_renamed(
    existing: tuple[ExistingContainer, ...], ours: str
) -> None:
    """I6. Fails when `_repository_doubt` in core/ownership.py takes an unknown repository for the same one."""
    claim, theirs = replace(CLAIM, repository=ours), record(repository="org/other", container=OURS.name)

    objection = object_to(claim, existing, theirs)

    assert objection is not None
    assert "belongs to the repository org/other" in objection.message
    assert ours in objection.message
    assert ours or "GITHUB_REPOSITORY=org/other" in objection.message
    assert object_to(replace(claim, adopt=OURS.name), existing, theirs) is None
    assert object_to(replace(claim, repository="org/other"), existing, theirs) is None


def test_a_shell_without_a_repository_may_go_on_with_the_very_same_file() -> None:
    """Fails when `_repository_doubt` in core/ownership.py does not look whether the file is the same."""
    same = replace(OURS, is_same_file=True)

    assert object_to(replace(CLAIM, repository=""), (same,), record()) is None
    assert object_to(replace(CLAIM, repository="org/other"), (same,), record()) is not None


def test_adopt_is_called_needless_where_nothing_objects() -> None:
    assert adopts_needlessly(replace(CLAIM, adopt=OURS.name), (OURS,), None)
    assert not adopts_needlessly(CLAIM, (OURS,), None)
    assert not adopts_needlessly(replace(CLAIM, adopt=OURS.name), (replace(OURS, ports=()),), None)


def test_a_record_keeps_what_ran_and_a_repository_that_this_run_does_not_know() -> None:
    before = record(image="sha256:1", revision="2", configuration="{}")

    after = deployment_of(replace(CLAIM, repository=""), before)

    assert (after.image, after.revision, after.configuration) == ("sha256:1", "2", "{}")
    assert (after.repository, after.files, after.container) == ("org/shop", CLAIM.files, "shop-web-1")
    assert after.ports == ("127.0.0.1:8501->8000/tcp",)
    assert deployment_of(CLAIM, None).role is Role.STAGING


@pytest.mark.parametrize(
    ("labels", "image", "said"),
    [
        ({HASH: "1", NUMBER: "1"}, {}, ""),
        ({HASH: "1", NUMBER: "1"}, {HASH: "2", NUMBER: "1"}, ""),
        ({HASH: "1", NUMBER: "1"}, {HASH: "1"}, "from its image"),
        ({HASH: "1"}, {}, "(com.docker.compose.container-number)"),
        ({HASH: "", NUMBER: "1"}, {}, "(com.docker.compose.config-hash)"),
    ],
)
def test_a_label_that_the_image_brings_is_no_evidence(labels: dict[str, str], image: dict[str, str], said: str) -> None:
    """I6. Fails when `why_not_from_compose` in core/ownership.py does not compare with the image's own labels."""
    doubt = why_not_from_compose(labels, image)

    assert said in doubt
    assert bool(said) == bool(doubt)


def test_what_compose_takes_for_its_own_is_known() -> None:
    """Measured with 2.26: a container with the label of a hash, even an empty one, and no other sign."""
    one_off = "com.docker.compose.oneoff"

    assert is_seen_by_compose({HASH: ""})
    assert is_seen_by_compose({one_off: "False"})
    assert not is_seen_by_compose({HASH: "1", one_off: "True"})
    assert not is_seen_by_compose({})
    assert appears_from_compose({HASH: "1", "com.docker.compose.project": "shop"})
    assert not appears_from_compose({HASH: "1", "com.docker.compose.project": ""})
    assert not appears_from_compose({"com.docker.compose.project": "shop"})


def test_what_was_made_from_the_record_was_started_from_the_files_of_the_record() -> None:
    """Breaks when a way back to the recorded configuration, which no file has, closes the target to the next run."""
    made = replace(OURS, files=("-",), env_files=("/srv/shop.env",), configuration="h", is_recorded=True)

    assert object_to(CLAIM, (made,), record(files=CLAIM.files, made="h")) is None
    for recorded in (None, record(files=CLAIM.files, made="another"), record(files=("other.yaml",), made="h")):
        objection = object_to(CLAIM, (made,), recorded)
        assert objection is not None
        assert "it was started from" in objection.message


@pytest.mark.parametrize("change", [{"name": "shop-live"}, {"ports": (at(9000),)}])
def test_what_was_made_from_the_record_has_the_name_and_the_ports_of_then(change: dict[str, Any]) -> None:
    """Breaks when after a way back over a changed port each further run is refused, a second rollback too.

    I6. Fails when `_was_ours` in core/ownership.py does not compare with the record: one file, used twice with other
    ports, would replace what the other one went back to.
    """
    ours = {"files": CLAIM.files, "container": CLAIM.container, "ports": tuple(map(str, CLAIM.ports))}
    made = replace(OURS, files=("-",), configuration="h", is_recorded=True, **change)

    assert object_to(CLAIM, (made,), record(**ours, made="h")) is None
    assert object_to(CLAIM, (made,), record(**ours, made="another")) is not None
    assert object_to(CLAIM, (made,), record(**{**ours, "ports": ("127.0.0.1:9000->8000/tcp",)}, made="h")) is not None
    assert object_to(CLAIM, (made,), record(**{**ours, "container": "shop-live"}, made="h")) is not None
    assert object_to(CLAIM, (replace(made, ports=(at(8500),)),), record(**ours, made="h")) is not None


def test_what_is_made_from_the_record_keeps_the_files_of_the_record() -> None:
    """I9. Fails when `deployment_of` in core/ownership.py writes down files that what it goes back to is not of."""
    before = record(files=("compose.yaml", "compose.override.yaml"))

    assert deployment_of(CLAIM, before, is_as_it_ran=True).files == ("compose.yaml", "compose.override.yaml")
    assert deployment_of(CLAIM, before).files == CLAIM.files
    assert deployment_of(CLAIM, None, is_as_it_ran=True).files == CLAIM.files
