"""What a run tells of itself in the labels of its lock, which everybody with Docker can read."""

import pytest

from freshness.engine.lock_owner import _run_address


@pytest.mark.parametrize("said", ["", "ann:hunter2@", "hunter2@"])
def test_the_address_of_the_run_has_no_password(said: str) -> None:
    """Fails when `_run_address` takes GITHUB_SERVER_URL as it is."""
    env = {"GITHUB_SERVER_URL": f"https://{said}forge.example", "GITHUB_REPOSITORY": "acme/app", "GITHUB_RUN_ID": "7"}
    assert _run_address(env) == "https://forge.example/acme/app/actions/runs/7"
