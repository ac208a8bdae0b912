"""An application that is nothing like the board goes the whole way: gate, then promote by the gate's outputs."""

from pathlib import Path

from tests.support.applications import static_application
from tests.support.engines import Sandbox
from tests.support.runner import Runner, identity


def test_an_application_from_scratch_is_gated_and_promoted(engine: Sandbox, tmp_path: Path) -> None:
    """I7. Breaks when gate or promote knows a name, port, path or program of the board that no setting gave it."""
    app = static_application(tmp_path / "app", engine)
    runner = Runner(sandbox=engine, app=app, folder=tmp_path)

    gate = runner.gate()
    before = identity(runner.staging())
    promote = runner.start(
        "promote", EXPECTED_REVISION=gate.outputs["revision"], SOURCE_IMAGE=gate.outputs["image-id"]
    ).end()

    head = app.repo.head()
    assert gate.decision == ("open", "fresh", 0), gate.log
    assert (promote.outputs["outcome"], promote.status) == ("promoted", 0), promote.log
    (production,) = runner.containers("web")
    assert production.attrs["Image"] == runner.staging().attrs["Image"] == gate.outputs["image-id"]
    assert engine.image_id(app.production_image) == gate.outputs["image-id"]
    assert identity(runner.staging()) == before
    for port in (app.staging_port, app.production_port):
        assert engine.get(port, "/version") == (200, head)


def test_its_check_decides_over_its_gate(machine_only: Sandbox, tmp_path: Path) -> None:
    """I4. Breaks when a check by `check-command` no longer runs where the image has no Python."""
    app = static_application(tmp_path / "app", machine_only)
    runner = Runner(sandbox=machine_only, app=app, folder=tmp_path)

    ended = runner.gate(CHECK_COMMAND="/grep -q nothing-of-the-kind /www/version")

    assert ended.decision == ("closed", "check-failed", 1), ended.log
    assert "exit status 1" in ended.reason
