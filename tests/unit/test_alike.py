"""What somebody looks for in a log is not pushed out of it by the same line again and again."""

from freshness.core.alike import squeezed

ASKED = [f'10.0.0.1 - - [29/Nov/2026 05:27:{second:02}] "GET /health HTTP/1.1" 503 -' for second in range(25)]


def test_lines_that_differ_in_numbers_alone_are_three() -> None:
    """Fails when `squeezed` drops the last one, or looks at more than neighbours."""
    assert list(squeezed(["no database", *ASKED, "killed", *ASKED[:2]])) == [
        "no database", ASKED[0], "… 23 more like this", ASKED[-1], "killed", *ASKED[:2],
    ]  # fmt: skip


def test_few_of_them_stay() -> None:
    assert list(squeezed(ASKED[:4])) == ASKED[:4]
    assert list(squeezed([])) == []
