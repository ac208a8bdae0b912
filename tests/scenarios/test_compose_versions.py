"""Two versions of Docker Compose at one production: a recreation has a reason, and what runs counts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.test_configuration import assert_as_it_was, promoted_with_the_old_one, renamed, variables
from tests.scenarios.test_rollback import edit
from tests.support import plugins
from tests.support.promotions import FIRST, SECOND, SHORT, Production

PROFILE = ("TARGET: production\n", "TARGET: production\n    profiles: [live]\n")
"""Compose 2.40 leaves profiles out of its hash, which 2.26 does not."""


@pytest.fixture
def use_current(isolated: Path) -> Callable[[], None]:
    """Lets whoever comes next have Debian sid's plugins in place of the machine's."""
    if reason := plugins.why_no_current():
        pytest.skip(reason)
    return lambda: plugins.install(plugins.CURRENT, isolated)


def test_another_version_of_compose_is_no_reason_to_make_production_anew(
    use_current: Callable[[], None], production_here: Production
) -> None:
    """I11. Fails when `_is_current` in observe.py is asked nothing: Compose has another hash for the same service."""
    production = production_here
    edit(production, PROFILE)
    first = production.build(FIRST)
    assert production.promote(first).end == (0, "promoted")
    before = production.state()
    made = production.container().labels["com.docker.compose.version"]

    use_current()
    ended = production.promote(first)

    assert ended.end == (0, "unchanged"), ended.log
    assert production.state() == before
    assert ended.answers.failures == 0
    assert made == production.container().labels["com.docker.compose.version"]


def test_where_nobody_recorded_it_the_reason_for_a_recreation_is_said(
    use_current: Callable[[], None], production_here: Production
) -> None:
    """Fails when `_what_serves` in wording.py says of the same image that it ran before."""
    production = production_here
    edit(production, PROFILE)
    first = production.build(FIRST)
    production.deploy(first)
    before = production.container().id

    use_current()
    ended = production.promote(first)

    assert ended.end == (0, "promoted"), ended.log
    assert production.container().id != before
    assert "as before; its container was made anew, since Compose 2." in ended.reason
    again = production.promote(first)
    assert again.end == (0, "unchanged"), again.log


def test_a_hook_that_fails_strands_nothing_that_serves(
    use_current: Callable[[], None], production_here: Production
) -> None:
    """I9. Fails when `_despite` in rollout.py takes Compose's exit status for what runs."""
    use_current()
    production = production_here
    hook = "    post_start: [{command: [sh, -c, 'test ! -e /host/broken']}]\n"
    host = production.runner.folder / "host"
    host.mkdir()
    mount = f"TARGET: production\n    volumes: ['{host}:/host']\n{hook}"
    edit(production, ("TARGET: production\n", mount))
    first = promoted_with_the_old_one(production)
    (host / "broken").touch()

    ended = production.promote(renamed(production), **SHORT)

    assert ended.end == (4, "rolled-back"), ended.log
    assert "What runs all the same was looked at" in ended.log
    assert_as_it_was(production, first)
    (host / "broken").unlink()
    again = production.promote(production.build(SECOND, {"needs": ["NEW_DSN"]}))
    assert again.end == (0, "promoted"), again.log
    assert variables(production)["NEW_DSN"] == "c"
