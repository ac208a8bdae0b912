"""A promotion asks for the head of the pull request that its run is about, whatever the event calls it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from freshness.errors import Superseded
from freshness.promotion.ancestry import advancing
from freshness.settings.read import read_promote
from tests.support.forge import NAME, TOKEN, Forge, serve_forge


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    with serve_forge(tmp_path) as served:
        yield served


def confirm(forge: Forge, commit: str, started_by: str) -> str:
    """The promotion's word on the head, after a run of which GitHub names no pull request, as of closed ones."""
    own = {"full_name": NAME, "id": 1}
    run = {"event": started_by, "head_sha": commit, "head_repository": own, "repository": own, "pull_requests": []}
    event = forge.folder / "event.json"
    event.write_text(json.dumps({"workflow_run": run, "repository": own}))
    env = {
        "GITHUB_SERVER_URL": forge.server.url,
        "GITHUB_REPOSITORY": NAME,
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_WORKSPACE": str(forge.repo.path),
        "GITHUB_EVENT_NAME": "workflow_run",
        "GITHUB_EVENT_PATH": str(event),
        "EXPECTED_REVISION": commit,
    }
    with advancing(read_promote({}, env), env) as advance:
        return advance.confirm_head(commit)


def test_a_run_of_an_unnumbered_pull_request_is_held_against_every_head(forge: Forge) -> None:
    """Fails where a run without a number counts as about no pull request, in `advancing` or in `confirm_still_head`."""
    old = forge.repo.commit({"a": "1"})
    head = forge.repo.commit({"a": "2"})
    forge.pull_request(7, head)
    assert confirm(forge, head, "pull_request") == f"the head of pull request #7 is still {head}"
    with pytest.raises(Superseded, match=f"says {old}, but no refs/pull/N/head"):
        confirm(forge, old, "pull_request")
    assert "no pull request" in confirm(forge, old, "push")
