"""A variable that Compose found nowhere is a refusal by its name: Compose warns, and goes on with empty values."""

from pathlib import Path

import pytest

from tests.scenarios.test_gate_settings import NO_ENGINE, composed
from tests.support.git import Content
from tests.support.promotions import FIRST, SECOND, THIRD, Production
from tests.support.runner import Runner

Case = tuple[str, str, str]
LACKING: dict[str, Case] = {
    "alone": ("environment: {A: '${LOST}'}", "", "LOST"),
    "within a text": ("labels: {url: 'http://$LOST/'}", "", "LOST"),
    "passed through": ("environment: [LOST]", "", "LOST"),
    "a key without a value": ("environment:\n  LOST:", "", "LOST"),
    "in an env file": ("env_file: lost.env", "", "LOST"),
    "passed through by an env file": ("env_file: bare.env", "", "LOST"),
    "in an env file whose path is interpolated": ("env_file: '${NOWHERE:-lost}.env'", "", "LOST"),
    "a secret's": ("secrets: [s]", "secrets: {s: {environment: LOST}}", "LOST"),
    "a config's": ("configs: [c]", "configs: {c: {content: 'a ${LOST}'}}", "LOST"),
    "by an anchor": ("environment: &env {A: '${LOST}'}\nlabels: *env", "", "LOST"),
    "the default of one that is not set": ("environment: {A: '${NOWHERE:-${LOST}}'}", "", "LOST"),
    "the default of one that is empty": ("environment: {A: '${NOWHERE-${EMPTY:-x$LOST}}'}", "", "LOST"),
    "taken in place of one that is set": ("environment: {A: '${GIVEN:+$LOST}'}", "", "LOST"),
    "behind another one in .env": ("environment: {A: '${BEHIND}'}", "", "LOST"),
    "called like a switch of Compose's": ("environment: {A: '${COMPOSE_LOST}'}", "", "COMPOSE_LOST"),
    "passed through, called so": ("environment: [COMPOSE_LOST]", "", "COMPOSE_LOST"),
}
FINE: dict[str, tuple[str, str]] = {
    "a default": ("environment: {A: '${LOST:-}', B: '${LOST-x}', C: '${LOST:+y}'}", ""),
    "in a default that is not taken": ("environment: {A: '${GIVEN:-${LOST}} ${EMPTY-$LOST} ${EMPTY:+$LOST}'}", ""),
    "an escaped dollar": ("command: ['sh', '-c', 'echo $$LOST']", ""),
    "another service's": ("", "configs: {c: {content: '${LOST}'}}"),
    "of the build, which the gate does": ("build: {context: ., args: {A: '${LOST}'}}", ""),
    "allowed to be empty": ("environment: {A: '${MAY_BE_EMPTY}', B: x}\nlabels: {b: '$MAY_BE_EMPTY'}", ""),
}


def files(runner: Runner, service: str, rest: str) -> dict[str, Content]:
    others = "  other:\n    image: other\n    environment: {O: '${OF_ANOTHER}'}"
    more = {
        "lost.env": "A=${LOST}\n",
        "bare.env": "LOST\n",
        ".env": "COMPOSE_LOST=x\nBEHIND=${LOST}\nGIVEN=x\nEMPTY=\n",
    }
    return {**with_service(runner, service, others, rest), **more}


def with_service(runner: Runner, service: str, others: str = "", rest: str = "") -> dict[str, Content]:
    """`composed`, where the lines say all of the environment."""
    compose = str(composed(runner.app, service, others, rest)["compose.yaml"])
    own = "    environment:\n      TARGET: staging\n"
    return {"compose.yaml": compose.replace(own, "") if "environment:" in service else compose}


@pytest.mark.parametrize("case", LACKING)
def test_a_variable_that_is_set_nowhere_is_named_before_anything_is_built(case: str, runner: Runner) -> None:
    """Fails when `_lacking` in engine/variables.py does not look there; another service's variable is no matter."""
    service, rest, name = LACKING[case]
    runner.app.repo.commit(files(runner, service, rest))

    ended = runner.gate(**NO_ENGINE)
    given = runner.gate(**NO_ENGINE, COMPOSE_ENV="" if "COMPOSE" in name else f"{name}=x", ALLOW_EMPTY="COMPOSE_LOST")

    assert ended.decision == ("closed", "error", 2), ended.log
    assert f" {name} " in ended.reason
    assert "OF_ANOTHER" not in ended.reason
    assert "`allow-empty`" in ended.reason
    assert ("use another name" in ended.reason) == name.startswith("COMPOSE_")
    assert given.status == 3, given.log


@pytest.mark.parametrize("case", FINE)
def test_what_has_a_default_or_is_another_service_s_is_no_matter(case: str, runner: Runner) -> None:
    """Fails when `_lacking` takes every warning of Compose for ours."""
    service, rest = FINE[case]
    runner.app.repo.commit(files(runner, service, rest))

    ended = runner.gate(**NO_ENGINE, ALLOW_EMPTY="MAY_BE_EMPTY, ELSE")

    assert ended.status == 3, ended.log


@pytest.mark.parametrize("way", ["the shell", "compose-env", "compose-env of the job", "an env file", ".env"])
def test_each_way_that_is_named_leads_out(way: str, runner: Runner, tmp_path: Path) -> None:
    """Fails when Compose does not get what the sentence told to give; in the action the job alone gives nothing."""
    runner.app.repo.commit(
        with_service(runner, "environment: {A: '${LOST}'}\nsecrets: [s]", rest="secrets: {s: {environment: S}}")
    )
    (tmp_path / "prod.env").write_text("LOST=x\nS=y\n")
    in_action = {"FRESHNESS_ACTION": "true", "LOST": "x", "S": "y"}
    ways = {
        "the shell": {"LOST": "x", "S": "y"},
        "compose-env": {"FRESHNESS_ACTION": "true", "COMPOSE_ENV": "LOST=x\nS=y"},
        "compose-env of the job": {**in_action, "COMPOSE_ENV": "LOST\nS"},
        "an env file": {"FRESHNESS_ACTION": "true", "COMPOSE_ENV_FILES": str(tmp_path / "prod.env")},
        ".env": {"FRESHNESS_ACTION": "true"},
    }
    refused = runner.gate(**NO_ENGINE, **in_action)
    assert refused.decision == ("closed", "error", 2), refused.log
    assert "LOST, S" in refused.reason
    if way == ".env":
        (runner.app.repo.path / ".env").write_text("LOST=x\nS=y\n")

    ended = runner.gate(**NO_ENGINE, **ways[way])

    assert ended.status == 3, ended.log


def test_a_value_with_a_dollar_sign_is_told_of_single_quotes(runner: Runner) -> None:
    """Fails when `why_lacking` in engine/variables.py does not look whether the Compose file has that name."""
    runner.app.repo.commit(with_service(runner, "environment: {A: '${LOST}'}"))
    beside = runner.app.repo.path / ".env"
    beside.write_text("LOST=ab$cdef\n")
    refused = runner.gate(**NO_ENGINE)
    beside.write_text("LOST='ab$cdef'\n")

    assert refused.decision == ("closed", "error", 2), refused.log
    assert " cdef " in refused.reason
    assert "into single quotes" in refused.reason
    assert runner.gate(**NO_ENGINE).status == 3


def test_a_variable_in_the_path_of_another_compose_file_is_told_with_a_way_out(runner: Runner) -> None:
    """Fails when `_read_raw` tells who has such a path to set variables, which are set."""
    compose = (runner.app.repo.path / "compose.yaml").read_text()
    more = {"stack.live.yaml": "services: {cache: {image: redis}}\n"}
    runner.app.repo.commit({"compose.yaml": f"include: ['stack.${{STAGE:-live}}.yaml']\n{compose}", **more})

    refused = runner.gate(**NO_ENGINE)
    runner.app.repo.commit({"compose.yaml": compose})

    assert refused.decision == ("closed", "error", 2), refused.log
    assert "may hold no variable" in refused.reason
    assert runner.gate(**NO_ENGINE, COMPOSE_FILE="compose.yaml:stack.live.yaml").status == 3


def test_production_keeps_its_secrets(production_here: Production) -> None:
    """I9. Fails when `why_lacking` or `find_emptied` goes: production would go on without the value, `promoted`.

    The checkout has no `.env`; the host's folder has one, and `project-directory` leads out.
    """
    production = production_here
    repo, host = production.app.repo, production.runner.folder / "host"
    ours = "      TARGET: production\n"
    compose = (repo.path / "compose.yaml").read_text()
    first, second, third = (production.build(revision) for revision in (FIRST, SECOND, THIRD))
    repo.write({"compose.yaml": compose.replace(ours, f"{ours}      JWT: ${{JWT_SECRET}}\n")})
    host.mkdir()
    (host / ".env").write_text("JWT_SECRET=hunter2\n")
    assert production.promote(first, PROJECT_DIRECTORY=str(host)).end == (0, "promoted")
    before = production.state()

    unset = production.promote(second)
    repo.write({"compose.yaml": compose.replace(ours, f"{ours}      JWT: ${{JWT_SECRET:-}}\n")})
    emptied = production.promote(second)
    back = production.run("rollback", "--reason", "to see it refused")

    assert unset.end == (2, "error"), unset.log
    assert "JWT_SECRET" in unset.reason
    assert emptied.end == (1, "refused"), emptied.log
    assert "has a value for JWT" in emptied.reason
    assert back.status == 1, back.log
    assert production.state() == before

    led_out = production.promote(second, PROJECT_DIRECTORY=str(host))
    meant = production.promote(third, ALLOW_EMPTY="JWT")

    assert (led_out.end, meant.end) == ((0, "promoted"), (0, "promoted")), led_out.log + meant.log
    assert "JWT=" in production.container().attrs["Config"]["Env"]


def test_an_optional_env_file_that_is_gone_takes_no_secret_away(production_here: Production) -> None:
    """I9. Fails when `missing_env_files` in engine/variables.py looks for none: Compose says nothing of it.

    `project-directory`, which the sentence names, leads out; so does `allow-empty`, also where nothing runs.
    """
    production = production_here
    repo, host = production.app.repo, production.runner.folder / "host"
    ours = "      TARGET: production\n"
    compose = (repo.path / "compose.yaml").read_text()
    optional = f"{ours}    env_file: [{{path: secret.env, required: false}}]\n"
    first, second, third = (production.build(revision) for revision in (FIRST, SECOND, THIRD))
    repo.write({"compose.yaml": compose.replace(ours, optional)})
    host.mkdir()
    (host / "secret.env").write_text("JWT=hunter2\n")
    assert production.promote(first, PROJECT_DIRECTORY=str(host)).end == (0, "promoted")
    before = production.state()

    gone = production.promote(second)

    assert gone.end == (1, "refused"), gone.log
    assert "has a value for JWT" in gone.reason
    assert "secret.env is not there" in gone.reason
    assert "hunter2" not in gone.log
    assert production.state() == before
    led_out = production.promote(second, PROJECT_DIRECTORY=str(host))
    assert led_out.end == (0, "promoted"), led_out.log
    assert "JWT=hunter2" in production.container().attrs["Config"]["Env"]

    production.runner.compose("rm", "--stop", "--force", production.app.production)
    down = production.promote(third)
    meant = production.promote(third, ALLOW_EMPTY="JWT")

    assert (down.end, meant.end) == ((1, "refused"), (0, "promoted")), down.log + meant.log
    assert "has a value for JWT" in down.reason


def test_staging_keeps_its_secrets(runner: Runner) -> None:
    """Fails when the gate does not compare with the container that it would replace."""
    runner.app.repo.commit(with_service(runner, "environment: {TARGET: staging, JWT: '${JWT_SECRET:-}'}"))
    given = {"JWT_SECRET": "hunter2"}
    assert runner.gate(**given).status == 0
    before = runner.staging().id

    ended = runner.gate()

    assert ended.decision == ("closed", "error", 2), ended.log
    assert "has a value for JWT" in ended.reason
    assert "hunter2" not in ended.log
    assert runner.staging().id == before


def test_no_sentence_repeats_a_secret(runner: Runner) -> None:
    """Fails when `redacted` is no longer what `Log`, report, summary and outputs go through: Compose repeats values."""
    runner.app.repo.commit(composed(runner.app, 'ports: ["${DB_PASSWORD}:80"]'))
    (runner.app.repo.path / ".env").write_text("DB_PASSWORD='hunter2-of-file'\n")

    by_file = runner.gate(**NO_ENGINE)
    by_input = runner.gate(**NO_ENGINE, COMPOSE_ENV="DB_PASSWORD=hunter2-of-input")

    for ended in (by_file, by_input):
        assert ended.decision == ("closed", "error", 2), ended.log
        assert "[REDACTED]" in ended.reason
        everything = ended.log + ended.written + ended.summary + str(ended.report)
        assert "hunter2" not in everything


def test_no_command_repeats_a_secret_of_its_environment(runner: Runner, tmp_path: Path) -> None:
    """Fails when `_environment` or `_env_file` in cli/main.py conceals nothing: these commands have no other place."""
    runner.app.repo.commit(composed(runner.app, 'ports: ["${DB_PASSWORD}:80"]'))
    (tmp_path / "shop.env").write_text("DB_PASSWORD=hunter2-of-env-file\n")

    for words in (("status",), ("unlock",), ("rollback", "--list"), ("--env-file", str(tmp_path / "shop.env"), "gate")):
        ended = runner.start(*words, DB_PASSWORD="hunter2-of-shell", GIT_SHA=runner.app.repo.head()).end()  # noqa: S106
        assert ended.status == 2, ended.log
        assert "[REDACTED]" in ended.log
        assert "hunter2" not in f"{ended.log}{ended.written}{ended.summary}"

    wrong = runner.gate(TARGET_PORT="hunter2-as-a-port", DB_PASSWORD="hunter2-as-a-port")  # noqa: S106 -- made up
    assert wrong.status == 2
    assert "hunter2" not in f"{wrong.log}{wrong.written}{wrong.summary}"


def test_neither_a_builds_nor_a_containers_output_repeats_a_secret(runner: Runner) -> None:
    """Fails when `conceal_known` leaves the build arguments out, or `_read` in engine/containers.py the environment."""
    dockerfile = (runner.app.repo.path / "Dockerfile").read_text()
    service = 'env_file: app.env\ncommand: [sh, -c, "echo knows $$API_TOKEN; exit 1"]'
    runner.app.repo.commit(
        {
            **composed(runner.app, service),
            "Dockerfile": f"{dockerfile}ARG NPM_TOKEN\nRUN echo built with $NPM_TOKEN\n",
            "app.env": "API_TOKEN='hun$ter2'\n",
        }
    )

    ended = runner.gate(BUILD_ARGS="NPM_TOKEN=hunter2-of-build", HEALTH_RETRIES="1")

    assert ended.decision == ("closed", "unhealthy", 1), ended.log
    assert "built with [REDACTED]" in ended.log
    assert "knows [REDACTED]" in ended.log
    everything = f"{ended.log}{ended.written}{ended.summary}{ended.report}"
    assert "hunter2" not in everything
    assert "hun$ter2" not in everything
