"""The table of `docs/kill-switch.md`: where the invariant is in force, row by row."""

from typing import NamedTuple

from tests.support.engines import ROOT


class Row(NamedTuple):
    """One row's cells, as they are written without their backticks."""

    enabled: str
    repos: str
    repository: str
    then: str
    since: str

    def __str__(self) -> str:
        return f"{self.enabled}|{self.repos}|{self.repository}"

    @property
    def variables(self) -> dict[str, str]:
        return {
            "ORCH_IMAGE_FRESHNESS_ENABLED": self.enabled,
            "ORCH_IMAGE_FRESHNESS_REPOS": self.repos,
            "GITHUB_REPOSITORY": self.repository,
        }


def rows() -> list[Row]:
    text = (ROOT / "docs/kill-switch.md").read_text(encoding="utf-8")
    table = text.partition("<!-- scope -->")[2].partition("<!-- /scope -->")[0]
    lines = [line.strip("|").split("|") for line in table.strip().splitlines()[2:]]
    return [
        Row(*(cell.strip() if index == 4 else cell.strip(" `") for index, cell in enumerate(line))) for line in lines
    ]
