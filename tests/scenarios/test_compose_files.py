"""What Compose would read is read: several files, an override, and the `.env` that speaks of Compose itself."""

import pytest

from tests.scenarios.test_gate_settings import NO_ENGINE, composed
from tests.scenarios.test_rollback import edit
from tests.support.promotions import FIRST, SECOND, THIRD, Production
from tests.support.runner import Runner


def says(production: Production, value: str) -> str:
    """A Compose file that says more of production."""
    return f"services:\n  {production.app.production}:\n    environment:\n      DATABASE: {value}\n"


def database(production: Production) -> list[str]:
    variables: list[str] = production.container().attrs["Config"]["Env"]
    return [one for one in variables if one.startswith("DATABASE=")]


def test_an_override_is_read_and_a_production_of_two_files_loses_neither(production_here: Production) -> None:
    """I9. Fails when `_usual_files` in engine/compose_file.py takes the first file alone, or `_refuse_lost_files` goes.

    A file that is named is read alone, as Compose has it: what the other says would be lost. Naming both leads out.
    """
    production = production_here
    production.app.repo.write({"compose.override.yaml": says(production, "ours")})
    first, second, third = (production.build(revision) for revision in (FIRST, SECOND, THIRD))

    began = production.promote(first)
    assert began.end == (0, "promoted"), began.log
    assert database(production) == ["DATABASE=ours"]
    before = production.state()

    alone = production.promote(second, COMPOSE_FILE="compose.yaml")

    assert alone.end == (1, "refused"), alone.log
    assert "compose.override.yaml" in alone.reason
    assert "`compose-file`" in alone.reason
    assert production.state() == before

    both = production.promote(second, COMPOSE_FILE="compose.yaml:compose.override.yaml")
    again = production.promote(third)

    assert (both.end, again.end) == ((0, "promoted"), (0, "promoted")), both.log + again.log
    assert database(production) == ["DATABASE=ours"]


def test_a_file_that_includes_both_is_as_good_as_both(production_here: Production) -> None:
    """Fails when `_refuse_lost_files` in loss.py looks at names alone: Compose sees no difference."""
    production = production_here
    production.app.repo.write(
        {
            "more.yaml": says(production, "ours"),
            "all.yaml": f"name: {production.app.project}\ninclude: [{{path: [compose.yaml, more.yaml]}}]\n",
        }
    )
    first, second = production.build(FIRST), production.build(SECOND)
    assert production.promote(first, COMPOSE_FILE="compose.yaml\nmore.yaml").end == (0, "promoted")

    ended = production.promote(second, COMPOSE_FILE="all.yaml")

    assert ended.end == (0, "promoted"), ended.log
    assert database(production) == ["DATABASE=ours"]


def test_the_env_file_beside_says_which_files_there_are(production_here: Production) -> None:
    """Fails when `find` in engine/compose_file.py does not ask for COMPOSE_FILE, or leaves a switch of Compose's to it.

    With COMPOSE_COMPATIBILITY Compose would give containers other names than the ones that are looked for.
    """
    production = production_here
    repo = production.app.repo
    files = {"deploy/main.yaml": (repo.path / "compose.yaml").read_text(), "more.yaml": says(production, "ours")}
    (repo.path / "compose.yaml").unlink()
    lines = ["COMPOSE_PATH_SEPARATOR=,", "export COMPOSE_FILE='deploy/main.yaml,more.yaml'"]
    switches = ["COMPOSE_COMPATIBILITY=true", "COMPOSE_REMOVE_ORPHANS=true"]
    repo.write({**files, ".env": "\n".join([*lines, *switches, ""])})

    ended = production.promote(production.build(FIRST))

    assert ended.end == (0, "promoted"), ended.log
    assert database(production) == ["DATABASE=ours"]
    assert production.container().name == f"{production.app.project}-{production.app.production}-1"


@pytest.mark.parametrize("named", [True, False])
def test_the_env_file_beside_names_a_project_whose_files_do_not(named: bool, runner: Runner) -> None:  # noqa: FBT001 -- a case
    """Fails when `_name` in engine/compose_file.py takes the repository's name although `.env` has one."""
    compose = (runner.app.repo.path / "compose.yaml").read_text()
    nameless = compose.replace(f"name: {runner.app.project}\n", "")
    runner.app.repo.write({".env": "COMPOSE_PROJECT_NAME=from-env\n" if named else "# COMPOSE_PROJECT_NAME=from-env\n"})
    runner.app.repo.commit({"compose.yaml": nameless})
    project = "from-env" if named else "app"

    ended = runner.gate(**NO_ENGINE, STAGING_CONTAINER=f"{project}-orchestrator-staging-1", GITHUB_REPOSITORY="org/app")

    assert ended.status == 3, ended.log


def test_an_env_file_that_compose_cannot_read_is_one_sentence(runner: Runner) -> None:
    """Fails when `_ask` in engine/compose_file.py does not look at how Compose ended."""
    runner.app.repo.write({".env": "COMPOSE_FILE=compose.yaml\nA='open\n"})

    ended = runner.gate(**NO_ENGINE)

    assert ended.decision == ("closed", "error", 2), ended.log
    assert "Compose cannot read" in ended.reason


def test_what_the_project_directory_holds_is_read_from_there(runner: Runner) -> None:
    """Fails when Compose is not given `project-directory`: the checkout has no such file."""
    host = runner.folder / "host"
    host.mkdir()
    (host / "shop.env").write_text("A=1\n")
    runner.app.repo.commit(composed(runner.app, "env_file: shop.env\nvolumes: ['./data:/data']"))

    missing = runner.gate(**NO_ENGINE)
    there = runner.gate(**NO_ENGINE, PROJECT_DIRECTORY=str(host))

    assert missing.decision == ("closed", "error", 2), missing.log
    assert "shop.env" in missing.reason
    assert there.status == 3, there.log


def test_a_rotated_secret_is_named_as_not_compared_and_taken_by_force(production_here: Production) -> None:
    """Fails when `force-recreate` reaches Compose no longer, or `unchanged` says no word of what may have changed."""
    production = production_here
    repo = production.app.repo
    compose = (repo.path / "compose.yaml").read_text()
    ours = "      TARGET: production\n"
    declared = "secrets: {db: {environment: DB_PW}}\n"
    repo.write({"compose.yaml": compose.replace(ours, f"{ours}    secrets: [db]\n") + declared})
    image = production.build(FIRST)

    def content() -> str:
        return production.sandbox.cli("exec", production.container().id, "cat", "/run/secrets/db").strip()

    assert production.promote(image, DB_PW="before").end == (0, "promoted")
    left = production.promote(image, DB_PW="after")
    before = content()
    forced = production.promote(image, DB_PW="after", FORCE_RECREATE="true")

    assert left.end == (0, "unchanged"), left.log
    assert "Not compared: the content of the secret db; `force-recreate: true`" in left.reason
    assert forced.end == (0, "promoted"), forced.log
    assert (before, content()) == ("before", "after")


def test_a_migration_that_nobody_ran_is_refused_until_somebody_says_so(runner: Runner) -> None:
    """Fails when the gate no longer hands `accept-dependencies` to the rule in core/compose.py."""
    migrate = "  migrate: {image: migrate}"
    needs = "depends_on: {migrate: {condition: service_completed_successfully}}"
    runner.app.repo.commit(composed(runner.app, needs, migrate))

    refused = runner.gate(**NO_ENGINE)
    accepted = runner.gate(**NO_ENGINE, ACCEPT_DEPENDENCIES="migrate")

    assert refused.decision == ("closed", "error", 2), refused.log
    assert "`accept-dependencies: migrate`" in refused.reason
    assert accepted.status == 3, accepted.log


@pytest.mark.parametrize("read", ["", "compose.yaml"])
def test_what_was_brought_back_loses_no_file_either(read: str, production_here: Production) -> None:
    """I9. Fails when `files` in scene.py asks the label alone: what a way back made was started from no file.

    Nor, with `read`, may `deployment_of` in core/ownership.py take a rollback's own files for what it brought back.
    """
    production = production_here
    production.app.repo.write({"compose.override.yaml": says(production, "ours")})
    first, second = production.build(FIRST), production.build(SECOND)
    assert production.promote(first).end == (0, "promoted")
    edit(production, ("TARGET: production\n", "TARGET: production\n      MORE: yes\n"))
    assert production.promote(second).end == (0, "promoted")
    back = production.run("rollback", COMPOSE_FILE=read)
    assert back.end == (0, "promoted"), back.log
    before = production.state()

    alone = production.promote(second, COMPOSE_FILE="compose.yaml")

    assert alone.end == (1, "refused"), alone.log
    assert "compose.override.yaml says of it" in alone.reason
    assert production.state() == before

    both = production.promote(second)

    assert both.end == (0, "promoted"), both.log
    assert database(production) == ["DATABASE=ours"]
