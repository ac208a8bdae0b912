"""A switch of the Engine's image store hides images and containers: what ran before is still known."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from freshness.core.deployment import Deployment, Role, to_labels
from tests.support.applications import python_application
from tests.support.daemon import Version
from tests.support.engines import (
    CONTAINERD,
    Engine,
    copy_base_image,
    new_sandbox,
    private_engine,
    why_no_private_engine,
)
from tests.support.promotions import FIRST, SECOND, THIRD, Production, make_history
from tests.support.runner import Runner


@pytest.fixture
def classic(
    machine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    isolated: Path,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> Iterator[Production]:
    """On an Engine of its own with the classic image store, which can be switched."""
    if reason := why_no_private_engine():
        pytest.skip(reason)
    with private_engine(machine, Version(programs=CONTAINERD.programs), label="two stores") as engine:
        monkeypatch.setenv("DOCKER_HOST", engine.host)
        sandbox = new_sandbox(engine)
        with engine.entered():
            app = python_application(tmp_path / "app", sandbox)
            make_history(app.repo)
            yield Production(runner=Runner(sandbox=sandbox, app=app, folder=tmp_path), record=record_property)


def switch_store(production: Production, machine: Engine) -> None:
    """As an administrator does it: the daemon's file, and a restart. The base image has to come again."""
    engine = production.sandbox.engine
    assert engine.daemon is not None
    identity = engine.docker.info()["ID"]
    engine.daemon.stop()
    (engine.daemon.folder / "daemon.json").write_text(CONTAINERD.config)
    engine.daemon.start()
    engine.wait_until_it_answers()
    assert engine.docker.info()["ID"] == identity
    assert engine.docker.containers.list(all=True) == []
    copy_base_image(machine, engine)


def test_what_ran_on_the_other_store_still_counts_for_the_direction(classic: Production, machine: Engine) -> None:
    """I8. Fails when `_stand_to` in ancestry.py takes a production that it cannot see for none.

    `require-known` refuses where what was recorded names no commit.
    """
    production = classic
    assert production.promote(production.build(SECOND)).end == (0, "promoted")
    switch_store(production, machine)
    older, newer = production.build(FIRST), production.build(THIRD)

    refused = production.promote(older)

    assert refused.end == (1, "refused"), refused.log
    assert "was recorded to have run last" in refused.log
    assert f"1 commit behind {SECOND}" in refused.reason
    ended = production.promote(newer, REQUIRE_KNOWN="true")
    assert ended.end == (0, "promoted"), ended.log
    assert f"{THIRD[:12]} is 1 commit ahead of {SECOND[:12]}, the commit that ran last" in ended.log
    assert "it is the first deployment since then" in ended.reason
    production.assert_serves(newer)


@pytest.mark.parametrize(
    ("revision", "why"), [("", "names no commit"), ("0" * 40, "is not in the history")], ids=["no commit", "unrelated"]
)
def test_what_ran_last_and_tells_nothing_is_refused_where_it_has_to_be_known(
    production_here: Production, revision: str, why: str
) -> None:
    """I8. Fails when `_stand_to_last` in ancestry.py does not look at `require-known`; the remedy leads out.

    A target that was taken down, and whose history was begun anew, goes on. The volumes are all that a switch of the
    store leaves to be seen.
    """
    production, app = production_here, production_here.app
    known = Deployment(
        project=app.project,
        service=app.production,
        role=Role.PRODUCTION,
        image=f"sha256:{'a' * 64}",
        revision=revision,
    )
    production.sandbox.docker.volumes.create(
        f"freshness-deployment.{production.sandbox.name}",
        driver_opts={"type": "tmpfs", "device": "tmpfs"},
        labels=to_labels(known, 1),
    )
    image = production.build(SECOND)

    refused = production.promote(image, REQUIRE_KNOWN="true")

    assert refused.end == (1, "refused"), refused.log
    assert f"{why}, and `require-known` is true" in refused.reason
    ended = production.promote(image, REQUIRE_KNOWN="false")
    assert ended.end == (0, "promoted"), ended.log
