"""A row of the demo's table is fine only where something was claimed and all of it holds."""

from demo.claim import Claim, judge, table

TRUE = Claim(about="one", got=1, expected=1)
FALSE = Claim(about="the outcome", got="error", expected="promoted")


def test_a_row_is_fine_where_all_claims_hold() -> None:
    row = judge("1 step", "promoted", "it was", (TRUE, TRUE))
    assert row.ok
    assert row.seen == "it was"


def test_one_broken_claim_makes_the_row_wrong_and_is_what_was_seen() -> None:
    row = judge("1 step", "promoted", "it was", (TRUE, FALSE))
    assert not row.ok
    assert row.seen == "the outcome: got 'error', expected 'promoted'"


def test_a_row_that_claims_nothing_is_wrong() -> None:
    assert not judge("1 step", "promoted", "it was", ()).ok


def test_the_table_says_which_row_is_wrong() -> None:
    lines = table((judge("1 good", "a", "b", (TRUE,)), judge("2 bad", "a", "b", (FALSE,)))).splitlines()
    assert next(line for line in lines if line.startswith("1 good")).endswith("yes")
    assert next(line for line in lines if line.startswith("2 bad")).endswith("NO")


def test_a_long_cell_is_wrapped_and_loses_no_word() -> None:
    seen = " ".join(f"word{number}" for number in range(30))
    text = table((judge("1 step", "a", seen, (TRUE,)),))
    assert all(word in text for word in seen.split())
    assert max(map(len, text.splitlines())) <= 80
