"""Which repositories the invariant is enforced for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.core.scope import in_scope, parse_patterns


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
