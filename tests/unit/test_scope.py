"""Which repositories the invariant is enforced for."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.core.scope import in_scope, parse_patterns
from freshness.errors import SettingsError
from freshness.settings.model import GateSettings, PromoteSettings
from freshness.settings.read import read_gate, read_promote
from tests.support.scope_table import Row, rows

UNPROVEN = {"EXPECTED_REVISION": "f" * 40}


Read = Callable[..., GateSettings | PromoteSettings]


def where_it_is_in_force(read: Read, variables: dict[str, str]) -> str:
    try:
        settings = read({}, UNPROVEN | variables, cwd=Path("/srv/checkout"))
    except SettingsError:
        return "an error"
    if not settings.scope.enabled:
        return "disabled"
    return "enforced" if in_scope(settings.repository, settings.scope.repos) else "out of scope"


@pytest.mark.parametrize("read", [read_gate, read_promote])
@pytest.mark.parametrize("row", rows(), ids=str)
def test_both_commands_are_in_force_where_the_table_says_so(row: Row, read: Read) -> None:
    """I10. Breaks when `in_scope` decides otherwise, or `read_gate` or `read_promote` takes a value for another."""
    assert where_it_is_in_force(read, row.variables) == row.then


@pytest.mark.parametrize("text", ["acme/app", "ACME/*", "x/y, acme/a?p", "x/y\nacme/app", "*/app"])
def test_a_repository_that_matches_a_pattern_is_in_scope(text: str) -> None:
    assert in_scope("acme/app", parse_patterns(text))


@pytest.mark.parametrize("text", ["acme/other", "acme/ap", "*/application", "acm?/apps"])
def test_a_well_formed_name_that_matches_no_pattern_is_out_of_scope(text: str) -> None:
    assert not in_scope("acme/app", parse_patterns(text))


@pytest.mark.parametrize(
    "name",
    [None, "", "acme", "acme/app/more", "https://forge.example/acme/app", "acme/app\n", "../app", "acme/ä", " a/b"],
)
def test_a_missing_or_odd_name_is_enforced(name: str | None) -> None:
    assert in_scope(name, ("x/y",))


def test_without_patterns_everything_is_in_scope() -> None:
    assert in_scope("acme/app", parse_patterns(" \n"))


@pytest.mark.parametrize(
    "text", ["acme", "*", "acme/", "/app", "a/b/c", "acme/[ab]", "acme/app;x/y", ",", "a/..", "./b", "acme/ä"]
)
def test_a_malformed_pattern_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_patterns(text)


@given(st.text())
def test_patterns_are_read_or_refused_and_never_widen(text: str) -> None:
    try:
        patterns = parse_patterns(text)
    except ValueError:
        return
    assert patterns or not text.strip()
    in_scope("acme/app", patterns)
