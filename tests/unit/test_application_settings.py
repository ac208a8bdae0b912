"""What may be said of an application's services, and how it is read."""

import json

import pytest

from freshness.errors import SettingsError
from freshness.settings.application import ServiceSettings
from freshness.settings.kinds import CommandCheck, ScriptCheck
from freshness.settings.model import PromoteSettings
from freshness.settings.read import read_gate, read_promote, with_commits_file
from freshness.settings.values import WrongValue, headers, services, statuses


@pytest.mark.parametrize("text", ["web, worker", "web worker", "web\n worker\n", "web,worker,"])
def test_services_are_named_with_commas_blanks_or_line_ends_between_them(text: str) -> None:
    assert services(text) == ("web", "worker")


@pytest.mark.parametrize("text", ["", ",", "web web", "web -x", "web ü"])
def test_each_service_is_named_once_as_compose_has_it(text: str) -> None:
    with pytest.raises(WrongValue):
        services(text)


def test_the_first_service_is_the_one_that_single_settings_speak_of() -> None:
    assert (read_gate({"service": "web"}, {}).service, read_gate({"service": "web"}, {}).services) == ("web", ("web",))


def promoted(**given: str) -> PromoteSettings:
    named = {name.replace("_", "-"): value for name, value in given.items()}
    return read_promote(named, {"EXPECTED_REVISION": "0" * 40})


def test_staging_has_the_same_names_or_as_many_in_the_same_order() -> None:
    """Fails when a service would get another one's image."""
    assert promoted(service="web worker").staging_of("worker") == "worker"
    both = promoted(service="web worker", staging_service="web-st worker-st")
    assert [both.staging_of(name) for name in both.services] == ["web-st", "worker-st"]
    assert promoted(service="web").staging_service == "orchestrator-staging"
    for staging in ("web-st", "web-st worker-st job-st"):
        with pytest.raises(SettingsError, match="expected as many, in one order"):
            promoted(service="web worker", staging_service=staging)


def test_the_images_of_a_gate_name_each_service_or_its_staging() -> None:
    """Fails when a service is left without an image, and so on another commit."""
    image = f"sha256:{'1' * 64}"
    images = json.dumps({"web-st": image, "worker-st": image, "migrate": image})
    found = promoted(service="web worker", staging_service="web-st worker-st", source_images=images)
    assert found.source_images["worker-st"] == image
    with pytest.raises(SettingsError, match=r"has no image of web and worker \(it has: web-st, worker-st, migrate\)"):
        promoted(service="web worker", source_images=images)
    with pytest.raises(SettingsError, match="are both given"):
        promoted(service="web", source_images=json.dumps({"web": image}), source_image=image)
    for text in ("[]", "{", '{"web": 1}', '{"web": "a b"}'):
        with pytest.raises(SettingsError):
            promoted(service="web", source_images=text)


def test_services_that_the_commits_file_names_are_held_against_the_images_once_it_is_read() -> None:
    """Fails when the first reading, which does not have that file yet, refuses images of no service that it knows."""
    images = json.dumps({"web-st": "sha256:" + "1" * 64, "worker-st": "sha256:" + "2" * 64})
    first = promoted(source_images=images, staging_service="web-st worker-st")

    found = with_commits_file(first, "[services.web]\n[services.worker]\n")
    assert [found.staging_of(name) for name in found.services] == ["web-st", "worker-st"]
    for text in ("[services.web]\n", "[services.web]\n[services.worker]\n[services.other]\n", ""):
        with pytest.raises(SettingsError):
            with_commits_file(first, text)


def test_only_one_tag_is_moved_alone() -> None:
    with pytest.raises(SettingsError, match="expected one tag to move"):
        promoted(service="web worker", recreate="false", image="shop/web")


def test_a_service_has_a_script_or_a_command_or_no_check() -> None:
    assert ServiceSettings(name="web").check is None
    assert ServiceSettings(name="web", check_path="/check.py").check == ScriptCheck(path="/check.py", mode="stub")
    assert ServiceSettings(name="web", check_command=("/check",)).check == CommandCheck(argv=("/check",))


def test_health_may_be_asked_with_headers_in_their_order() -> None:
    assert headers("Host: shop.example\nX-Forwarded-Proto:https\n") == (
        ("Host", "shop.example"),
        ("X-Forwarded-Proto", "https"),
    )


@pytest.mark.parametrize("text", ["Host", "Ho st: x", "Host:", "A: 1\na: 2", "Content-Length: 1", "A: \x1b[2J", "A: ä"])
def test_what_is_no_header_or_would_change_the_request_is_refused(text: str) -> None:
    with pytest.raises(WrongValue):
        headers(text)


def test_statuses_are_single_ones_ranges_and_classes() -> None:
    assert statuses("204, 301-303 4xx") == {204, 301, 302, 303, *range(400, 500)}
    assert ServiceSettings(name="web").statuses == frozenset(range(200, 300))


@pytest.mark.parametrize("text", ["100", "1xx", "600", "204-200", "x", "2xx-3xx-", "20"])
def test_other_words_are_no_statuses(text: str) -> None:
    with pytest.raises(WrongValue):
        statuses(text)
