"""Lines of bytes that come in pieces; and of too many lines the first and the last, with what is left out counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.core.lines import FIRST, LONGEST_LINE, Excerpt, Lines, excerpt


def lines_of(*pieces: bytes) -> list[str]:
    lines = Lines()
    return [line for piece in pieces for line in lines.feed(piece)] + list(lines.feed(b"", is_last=True))


@given(text=st.text(alphabet="aé€\n", max_size=60), size=st.integers(min_value=1, max_value=9))
def test_lines_are_the_same_whatever_the_pieces(text: str, size: int) -> None:
    """Breaks when a character that comes in two pieces is taken for two."""
    sent = text.encode()

    got = lines_of(*(sent[at : at + size] for at in range(0, len(sent), size)))

    assert got == [line for line in text.removesuffix("\n").split("\n") if text]


def test_ends_of_any_kind_and_what_is_no_text() -> None:
    assert lines_of(b"10 %\r100 %\r", b"\nnext\n\xff") == ["10 %", "100 %", "next", "\ufffd"]


def test_a_line_without_an_end_comes_in_pieces() -> None:
    """Breaks when one line may fill the memory."""
    got = lines_of(*[b"x" * 1000] * 33, b"\nend")

    assert [len(line) for line in got] == [LONGEST_LINE, LONGEST_LINE, 1000, len("end")]


def excerpt_of(lines: list[str], *, first: int, last: int) -> list[str]:
    shown: list[str] = []
    taking = Excerpt(shown.append, first, last)
    for line in lines:
        taking.add(line)
    taking.end()
    return shown


def test_what_fits_is_shown_as_it_is() -> None:
    assert excerpt_of(["a", "b", "c"], first=1000, last=10) == ["a", "b", "c"]


def test_of_more_the_first_and_the_last_are_shown_and_the_rest_is_counted() -> None:
    """Breaks when the end, where an error stands, is what is left out, or nothing says that something is."""
    shown = excerpt_of([f"line {number}" for number in range(100)], first=30, last=30)

    assert shown == [
        "line 0",
        "line 1",
        "line 2",
        "… There may be more: its last 30 characters are shown at the end.",
        "… 95 lines with 658 characters are omitted here.",
        "line 98",
        "line 99",
    ]


def test_lines_without_content_count_too() -> None:
    assert len(excerpt_of([""] * 10_000, first=80, last=80)) < 30


def test_the_end_is_shown_also_where_the_run_fails() -> None:
    """Breaks when `excerpt` does not end what it shows in a `finally`."""
    shown: list[str] = []

    def fail() -> None:
        with excerpt(shown.append) as show:
            show("x" * FIRST)
            show("the reason")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert shown[-1] == "the reason"
