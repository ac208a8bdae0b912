"""Tells a setting that was mistyped in an env file from a variable of the application, which may share the file."""

from collections.abc import Collection, Iterable

SHORTEST = 6
"""Letters of a name in which one wrong letter is a slip; shorter names are one letter away from too many words."""
LONGER = 12
"""Letters of a name in which two wrong ones are: PROD_HOST is no slip of PROD_PORT, nor TARGET_HOST of TARGET_PORT."""


def near_misses(names: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """The names that are a slip of a known one, each with that; upper case and underscores do not count."""
    plain = {_plain(name): name for name in known}
    found = {name: _meant(_plain(name), plain) for name in names if name not in known}
    return {name: plain[meant] for name, meant in found.items() if meant}


def _plain(name: str) -> str:
    return name.upper().replace("_", "")


def _meant(name: str, known: Iterable[str]) -> str | None:
    scored = ((_distance(name, other), other) for other in known if abs(len(name) - len(other)) <= 2)  # noqa: PLR2004
    best = min(scored, default=(LONGER, ""))
    return best[1] if best[0] <= _allowed(best[1]) else None


def _allowed(known: str) -> int:
    return (len(known) >= SHORTEST) + (len(known) >= LONGER)


def _distance(one: str, other: str) -> int:
    """How many letters are missing, too many, wrong, or swapped with the next (optimal string alignment)."""
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, its in enumerate(other, start=1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != its))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == its:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]
