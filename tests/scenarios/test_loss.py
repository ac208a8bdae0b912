"""No data stays behind: not in the folder of another workspace, and not where nothing of production runs any more."""

import re
import shutil
from pathlib import Path

from tests.scenarios.test_compose_files import database, says
from tests.scenarios.test_mounts import with_mounts
from tests.scenarios.test_rollback import edit
from tests.support.promotions import FIRST, SECOND, Production, type_commands
from tests.support.runner import Runner

MOUNTS = "volumes: ['./data:/data', './conf:/conf', './bare:/bare']"


def folder_with_conf(path: Path) -> Path:
    """A project's folder with a file of its own, and with folders in which nothing lies yet."""
    for name in ("data", "conf", "bare"):
        (path / name).mkdir(parents=True)
    (path / "conf" / "settings").write_text("1\n")
    return path


def named_folder(reason: str) -> str:
    found = re.search(r"`project-directory: ([^`]+)`", reason)
    assert found, reason
    return found[1]


def test_a_relative_mount_in_another_folder_leaves_no_data_behind(production_here: Production) -> None:
    """I9. Fails when `refuse_moved` is not asked: Docker makes an empty folder, and production serves without its data.

    A folder that has files there as well, and one that is empty in both, are no matter. Both remedies lead out.
    """
    production, app = production_here, production_here.app
    old, new = folder_with_conf(app.repo.path), folder_with_conf(production.runner.folder / "new")
    (new / "data").rmdir()
    edit(production, ("TARGET: production\n", f"TARGET: production\n    {MOUNTS}\n"))
    first, second = production.build(FIRST), production.build(SECOND)
    production.deploy(first)
    began = production.promote(second)
    assert began.end == (0, "promoted"), began.log
    production.sandbox.cli("exec", str(production.container().id), "sh", "-c", "echo mine > /data/k")
    before = production.state()

    elsewhere = production.promote(second, PROJECT_DIRECTORY=str(new))
    ahead = production.promote(second, "--dry-run", PROJECT_DIRECTORY=str(new))
    back = production.run("rollback", PROJECT_DIRECTORY=str(new))

    for ended in (elsewhere, back):
        assert ended.end == (1, "refused"), ended.log
        for said in (f"mounts {old}/data at /data", f"mounts {new}/data, which has no files"):
            assert said in ended.reason
        assert "/conf" not in ended.reason
        assert "/bare" not in ended.reason
    assert ahead.status == 1, ahead.log
    assert production.state() == before
    assert not (new / "data").exists()

    led_out = production.run("rollback", PROJECT_DIRECTORY=named_folder(back.reason))
    assert led_out.end == (0, "promoted"), led_out.log
    assert production.sandbox.cli("exec", str(production.container().id), "cat", "/data/k") == "mine"
    shutil.copytree(old / "data", new / "data")
    copied = production.promote(second, PROJECT_DIRECTORY=str(new))
    assert copied.end == (0, "promoted"), copied.log
    assert production.sandbox.cli("exec", str(production.container().id), "cat", "/data/k") == "mine"


def test_a_mounted_file_that_is_gone_from_the_host_is_no_empty_folder(production_here: Production) -> None:
    """I9. Fails when `refuse_moved` does not ask `exists`: Docker makes a folder where production's file was.

    Putting it back leads out.
    """
    production = production_here
    conf = production.runner.folder / "app.conf"
    conf.write_text("1\n")
    edit(production, ("TARGET: production\n", f'TARGET: production\n    volumes: ["{conf}:/srv/app.conf:ro"]\n'))
    first, second = production.build(FIRST), production.build(SECOND)
    began = production.promote(first)
    assert began.end == (0, "promoted"), began.log
    before = production.state()
    conf.unlink()

    gone = production.promote(second)

    assert gone.end == (1, "refused"), gone.log
    assert f"mounts {conf}, and the Docker host has nothing there any more" in gone.reason
    assert "a name and a port" not in gone.reason
    assert production.state() == before
    assert not conf.exists()
    conf.write_text("1\n")
    led_out = production.promote(second)
    assert led_out.end == (0, "promoted"), led_out.log


def test_staging_leaves_no_data_behind_either(runner: Runner) -> None:
    """Fails when the gate does not ask `refuse_moved` before it builds."""
    old, new = (folder_with_conf(runner.folder / name) for name in ("old", "new"))
    path = runner.app.repo.path / "compose.yaml"
    path.write_text(with_mounts(runner.app, runner.app.staging, MOUNTS))
    began = runner.gate(PROJECT_DIRECTORY=str(old))
    assert began.decision == ("open", "fresh", 0), began.log
    runner.in_staging("sh", "-c", "echo mine > /data/k")
    before = runner.staging().id

    elsewhere = runner.gate(PROJECT_DIRECTORY=str(new))
    ahead = runner.start("gate", "--dry-run", GIT_SHA=runner.app.repo.head(), PROJECT_DIRECTORY=str(new)).end()

    assert elsewhere.decision == ("closed", "refused", 1), elsewhere.log
    assert f"mounts {new}/data, which has no files" in elsewhere.reason
    assert named_folder(elsewhere.reason) == str(old)
    assert ahead.status == 1, ahead.log
    assert runner.staging().id == before
    (new / "data" / "k").write_text("theirs\n")
    led_out = runner.gate(PROJECT_DIRECTORY=str(new))
    assert led_out.decision == ("open", "fresh", 0), led_out.log
    shutil.rmtree(new / "data")
    gone = runner.gate(PROJECT_DIRECTORY=str(new))
    assert gone.decision == ("closed", "refused", 1), gone.log
    assert f"mounts {new}/data, and the Docker host has nothing there any more" in gone.reason


def test_what_was_taken_down_is_compared_with_what_was_recorded(production_here: Production) -> None:
    """I9. Fails when `find_ran` in loss.py knows of nothing where no container stands.

    Each way out that is named leads out: the files, `allow-empty`, and the record for who begins anew.
    """
    production, app = production_here, production_here.app
    old, new = folder_with_conf(app.repo.path), folder_with_conf(production.runner.folder / "new")
    override = says(production, "ours")
    app.repo.write({"compose.override.yaml": f"{override}    {MOUNTS}\n"})
    first, second = production.build(FIRST), production.build(SECOND)
    began = production.promote(first)
    assert began.end == (0, "promoted"), began.log
    production.sandbox.cli("exec", str(production.container().id), "sh", "-c", "echo mine > /data/k")
    production.runner.compose("down")
    before = production.state()

    alone = production.promote(second, COMPOSE_FILE="compose.yaml")
    elsewhere = production.promote(second, PROJECT_DIRECTORY=str(new))
    empty = says(production, "''")
    app.repo.write({"compose.override.yaml": f"{empty}    {MOUNTS}\n"})
    emptied = production.promote(second)
    ahead = production.promote(second, "--dry-run")

    for ended, said in (
        (alone, "compose.override.yaml says of it"),
        (elsewhere, f"mounts {old}/data at /data"),
        (emptied, "has a value for DATABASE"),
    ):
        assert ended.end == (1, "refused"), ended.log
        assert said in ended.reason
        assert f"{first.id}, which was recorded to have run last" in ended.reason
        assert "docker volume rm freshness-deployment." in ended.reason
        assert "=ours" not in ended.log
    assert ahead.status == 1, ahead.log
    assert production.state() == before

    allowed = production.promote(second, ALLOW_EMPTY="DATABASE")
    assert allowed.end == (0, "promoted"), allowed.log
    production.runner.compose("down")
    app.repo.write({"compose.override.yaml": f"{override}    {MOUNTS}\n"})
    whole = production.promote(first, ALLOW_ROLLBACK="to see it come back")
    assert whole.end == (0, "promoted"), whole.log
    assert database(production) == ["DATABASE=ours"]
    production.runner.compose("down")
    again = production.promote(second, COMPOSE_FILE="compose.yaml")
    (removal,) = re.findall(r"`(docker volume rm \S+)`", again.reason)
    type_commands(f"type: {removal}")
    anew = production.promote(second, COMPOSE_FILE="compose.yaml")

    assert anew.end == (0, "promoted"), anew.log
    assert database(production) == []
