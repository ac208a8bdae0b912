"""What could lay other bytes over the proven image, or take another service away, although the image is right."""

import pytest

from tests.support.promotions import Production
from tests.support.runner import Runner, identity

VOLUME = "VOLUME /app\n"


def with_volume(runner: Runner) -> str:
    return (runner.app.repo.path / "Dockerfile").read_text() + VOLUME


@pytest.mark.usefixtures("tools")
def test_an_anonymous_volume_stays_with_its_commit_on_staging(runner: Runner) -> None:
    """I3. Breaks when `recreate` leaves out `--renew-anon-volumes`: Compose carries the volume over.

    I11. Breaks when the gate names no image to `recreate` in `keeping`: a current Compose recreates the same commit.
    """
    repo = runner.app.repo
    repo.commit({"Dockerfile": with_volume(runner), "word.txt": "one"})
    assert runner.gate().decision == ("open", "fresh", 0)
    before = identity(runner.staging())
    runner.in_staging("touch", "/app/left-there")
    assert runner.gate().decision == ("open", "fresh", 0)
    assert identity(runner.staging()) == before
    repo.commit({"word.txt": "two"})

    ended = runner.gate()

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert runner.in_staging("cat", "/app/word.txt") == "two"
    assert "left-there" not in runner.in_staging("ls", "/app").split()


def test_production_with_an_anonymous_volume_is_not_recreated(production_here: Production) -> None:
    """I8. Breaks when `_refuse_lost_volumes` in observe.py does not look: what it wrote would be lost."""
    repo = production_here.app.repo
    repo.write({"Dockerfile": with_volume(production_here.runner)})
    first, second = (
        production_here.build("15027b0393b450eeb501b9b6ffb03ec71ee65869"),
        production_here.build("3415ebbf2ea5b6e1a4cf2cc7728f618ef274f953"),
    )
    production_here.deploy(first)
    production_here.sandbox.cli("exec", str(production_here.container().id), "sh", "-c", "echo mine > /app/orders")
    before = production_here.state()

    ended = production_here.promote(second)

    assert ended.end == (1, "refused"), ended.log
    assert "/app" in ended.outputs["reason"]
    assert production_here.state() == before


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize("change", ["a changed Compose file", "a forced recreation"])
def test_an_anonymous_volume_stays_with_its_image(change: str, production_here: Production) -> None:
    """I8. Fails when `recreate` in engine/compose.py renews it where production's image stays the same.

    Recreated by force is what is unhealthy until its file is there.
    """
    production, repo = production_here, production_here.app.repo
    repo.write({"Dockerfile": (repo.path / "Dockerfile").read_text() + "VOLUME /data\n"})
    check = 'healthcheck: {test: ["CMD", "test", "!", "-e", "/bad"], interval: 200ms, retries: 1}'
    compose = (repo.path / "compose.yaml").read_text()
    repo.commit({"compose.yaml": compose.replace("TARGET: production\n", f"TARGET: production\n    {check}\n")})
    image = production.build("15027b0393b450eeb501b9b6ffb03ec71ee65869")
    production.deploy(image)
    before = str(production.container().id)
    production.sandbox.cli("exec", before, "sh", "-c", "echo orders > /data/orders")
    if change == "a forced recreation":
        production.sandbox.cli("exec", before, "touch", "/bad")
    else:
        path = repo.path / "compose.yaml"
        path.write_text(path.read_text().replace("TARGET: production\n", "TARGET: production\n      COLOUR: blue\n"))

    ended = production.promote(image, HEALTH_RETRIES="8", HEALTH_INTERVAL="0.5")

    assert ended.outputs["outcome"] == ("promoted" if change == "a changed Compose file" else "rolled-back"), ended.log
    assert str(production.container().id) != before
    assert production.sandbox.cli("exec", str(production.container().id), "cat", "/data/orders") == "orders"


def test_a_switch_of_composes_own_takes_no_other_service_away(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """I6. Breaks when `child_environment` lets COMPOSE_REMOVE_ORPHANS through and `recreate` does not say false."""
    bystander = f"{runner.sandbox.name}-bystander"
    labels = (f"com.docker.compose.project={runner.app.project}", "com.docker.compose.service=gone")
    words = [
        word
        for label in (*labels, "com.docker.compose.oneoff=False", "com.docker.compose.config-hash=x")
        for word in ("--label", label)
    ]
    runner.sandbox.cli("run", "--detach", "--name", bystander, *words, "python:3.13-slim", "sleep", "600")
    monkeypatch.setenv("COMPOSE_REMOVE_ORPHANS", "1")

    ended = runner.gate(COMPOSE_REMOVE_ORPHANS="1")

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert runner.sandbox.docker.containers.get(bystander).status == "running"


def test_a_module_in_the_image_does_not_answer_for_the_check(runner: Runner) -> None:
    """I4. Breaks when the leash runs without `-I`: Python looks into the working directory first."""
    runner.app.repo.commit({"subprocess.py": "raise SystemExit(0)\n"})

    ended = runner.gate(CHECK_COMMAND="/bin/sh -c 'exit 9'")

    assert ended.decision == ("closed", "check-failed", 1), ended.log
