"""Where the forge is, as far as a run can know it."""

from pathlib import Path

import pytest

from freshness.git.resolve_commit import forge_address
from freshness.settings.read import read_gate

RUN = {"GITHUB_REPOSITORY": "acme/app", "GITHUB_WORKSPACE": "/workspace"}
GUESS = {"GITHUB_SERVER_URL": "https://github.com", "ACT": "true"}


def address(**env: str) -> str | None:
    found = forge_address(read_gate({}, {**RUN, **env}, cwd=Path("/workspace")), env={**RUN, **env})
    return found.url if found else None


def test_what_a_plain_act_run_guesses_is_asked_nothing() -> None:
    """Breaks when `forge_address` leaves act out: a local run would reach for the network."""
    assert address(**GUESS) is None


@pytest.mark.parametrize(
    "env",
    [
        {**GUESS, "GITHUB_TOKEN": "secret"},
        {**GUESS, "RECHECK_HEAD": "true"},
        {**GUESS, "GITEA_ACTIONS": "true"},
        {"GITHUB_SERVER_URL": "https://github.com"},
    ],
)
def test_a_forge_that_made_the_run_or_that_a_person_names_is_known(env: dict[str, str]) -> None:
    assert address(**env) == "https://github.com/acme/app"


def test_another_server_under_act_is_no_guess() -> None:
    assert address(GITHUB_SERVER_URL="http://127.0.0.1:3000", ACT="true") == "http://127.0.0.1:3000/acme/app"
