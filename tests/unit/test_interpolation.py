"""Which variables a text of a Compose file needs, by compose-spec's interpolation."""

import pytest

from freshness.core.interpolation import needed, texts


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


def test_values_are_texts_and_keys_are_not() -> None:
    assert list(texts({"$K": ["a", {"b": "c", "n": None, "i": 1}], "d": True})) == ["a", "c"]
