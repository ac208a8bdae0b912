"""Which variables a text of a Compose file needs, by compose-spec's interpolation."""

import pytest

from freshness.core.interpolation import deciding, needed, texts


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("$A", ["A"]),
        ("${A}", ["A"]),
        ("postgres://$USER:${PASSWORD}@db/$DB", ["USER", "PASSWORD", "DB"]),
        ("$A$B${C}", ["A", "B", "C"]),
        ("${_a1}", ["_a1"]),
        ("$$A", []),
        ("$${A}", []),
        ("$$$A", ["A"]),
        ("$$$${A}", []),
        ("${A:-x}", []),
        ("${A-}", []),
        ("${A:-}", []),
        ("${A:+x}", []),
        ("${A+x}", []),
        ("${A:?say it}", []),
        ("${A?}", []),
        ("${A:-${B}}", []),
        ("${A:-${B:-${C}}}$D", ["D"]),
        ("${A:-a}b}${B}", ["B"]),
        ("${A:-$${B}}${C}", ["C"]),
        ("${A:-open $B", []),
        ("${A", []),
        ("$1 $ ${} ${-} ${A B} ${A;x}", []),
        ("", []),
        ("ÄÖ$Ü", []),
    ],
)
def test_what_stands_alone_is_needed(text: str, names: list[str]) -> None:
    """Fails when a form with a default, an error or a replacement counts, or an escaped dollar, or one less nested."""
    assert list(needed(text)) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("${UNSET:-${B}}", ["B"]),
        ("${EMPTY:-${B}}", ["B"]),
        ("${SET:-${B}}", []),
        ("${UNSET-${B}}", ["B"]),
        ("${EMPTY-${B}}", []),
        ("${SET:+${B}}", ["B"]),
        ("${EMPTY:+${B}}", []),
        ("${EMPTY+${B}}", ["B"]),
        ("${UNSET+${B}}", []),
        ("${UNSET:?${B}}", []),
        ("${UNKNOWN:-${B}}${UNKNOWN+$B}", []),
        ("${UNSET:-a${EMPTY:-$B/${SET:-$C}}}$D", ["B", "D"]),
        ("${UNSET:-$${B}}", []),
    ],
)
def test_what_a_default_needs_is_needed_where_it_is_taken(text: str, names: list[str]) -> None:
    """Fails when an empty value counts as none for `-` and `+`, or as one for `:-` and `:+`."""
    assert list(needed(text, {"UNSET": None, "EMPTY": "", "SET": "x"})) == names


def test_a_name_decides_where_its_default_or_replacement_needs_others() -> None:
    assert list(deciding("$A ${B:-b} ${C:-$D} ${E+${F-$G}} ${H:?$I} ${J:-$$K}")) == ["C", "E", "F"]


def test_values_are_texts_and_keys_are_not() -> None:
    assert list(texts({"$K": ["a", {"b": "c", "n": None, "i": 1}], "d": True})) == ["a", "c"]
