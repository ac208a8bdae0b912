"""Files of settings: what a commit may say, what the host alone may say, and which of them wins."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from jsonschema import ValidationError, validate  # type: ignore[import-untyped]
from msgspec.structs import replace

from freshness.errors import SettingsError
from freshness.settings.kinds import HealthKind
from freshness.settings.model import GateSettings, PromoteSettings
from freshness.settings.read import read_gate, read_promote, with_commits_file
from freshness.settings.table import GATE, PROMOTE

SHA = "1f0c2a9b7d6e4f3a8b5c9d0e1f2a3b4c5d6e7f80"
ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "settings-files.md").read_text(), re.DOTALL)
OF_SERVICES = {"port", "health-path", "check-path", "check-mode", "check-command", "check-timeout"}


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """The host's own file of acme/shop."""
    path = tmp_path / "config" / "freshness" / "acme" / "shop.toml"
    path.parent.mkdir(parents=True)
    return path


def env_of(host: Path, env: Mapping[str, str]) -> dict[str, str]:
    known = {"XDG_CONFIG_HOME": str(host.parents[2]), "GITHUB_REPOSITORY": "Acme/Shop"}
    return known | {"GITHUB_WORKSPACE": str(host.parents[3] / "workspace"), "EXPECTED_REVISION": SHA, **env}


def gate(host: Path, commit: str = "", **env: str) -> GateSettings:
    return with_commits_file(read_gate({}, env_of(host, env)), commit)


def promote(host: Path, commit: str = "", **env: str) -> PromoteSettings:
    return with_commits_file(read_promote({}, env_of(host, env)), commit)


def refusal(host: Path, commit: str = "", **env: str) -> str:
    with pytest.raises(SettingsError) as refused:
        gate(host, commit, **env)
    return str(refused.value)


def test_the_first_that_says_something_wins(host: Path) -> None:
    """Option, environment, env file, the host's file, the commit's, the default: fails when two change places."""
    commit = '[services.web]\nport = 8601\nhealth-path = "/commit"\n'
    host.write_text("[services.web]\nport = 8602\n")
    assert gate(host, commit).port == 8602
    assert gate(host, commit).health.path == "/commit"
    assert gate(host, commit).health.retries == 10
    env_file, env = {"TARGET_PORT": "8603"}, env_of(host, {})
    assert with_commits_file(read_gate({}, env, env_file), commit).port == 8603
    assert with_commits_file(read_gate({}, env | {"TARGET_PORT": "8604"}, env_file), commit).port == 8604
    assert with_commits_file(read_gate({"port": "8605"}, env | {"TARGET_PORT": "8604"}, env_file), commit).port == 8605


def test_without_files_nothing_changes(host: Path) -> None:
    usual = read_gate({}, env_of(host, {}))

    assert replace(gate(host), reading=usual.reading) == usual


def test_an_environment_adds_to_what_holds_everywhere(host: Path) -> None:
    commit = """
        [services.web]
        health-path = "/up"
        [environments.staging.services.web]
        port = 8601
        [environments.production.services.web]
        port = 8602
        [environments.eu.services.web]
        port = 8603
    """
    assert [gate(host, commit).port, promote(host, commit).port] == [8601, 8602]
    assert gate(host, commit, DEPLOY_ENVIRONMENT="eu").port == 8603
    assert promote(host, commit, DEPLOY_ENVIRONMENT="eu").health.path == "/up"


def test_the_hosts_file_says_where_an_environment_runs(host: Path) -> None:
    host.write_text("""
        hold-time = 20
        allow-empty = ["SENTRY_DSN", "DEBUG"]
        [environments.production]
        project = "live"
        service = "web"
        [environments.eu]
        project = "live-eu"
        compose-file = ["/srv/eu/compose.yaml", "/srv/eu/more.yaml"]
        port = 8700
    """)
    assert (promote(host).compose.project, promote(host).service, promote(host).health.hold) == ("live", "web", 20)
    eu = promote(host, DEPLOY_ENVIRONMENT="eu")
    assert (eu.compose.project, eu.port, eu.service) == ("live-eu", 8700, "orchestrator")
    assert eu.compose.files == ("/srv/eu/compose.yaml", "/srv/eu/more.yaml")
    assert eu.exceptions.empty == {"SENTRY_DSN", "DEBUG"}


@pytest.mark.parametrize("where", ["", "environments.staging.", "services.web."])
def test_a_commit_says_nothing_but_services_checks_and_jobs(host: Path, where: str) -> None:
    """Fails when any setting of a run may stand in a commit's file: it could name production, a host file, a secret."""
    names = {setting.name for setting in GATE + PROMOTE} - (OF_SERVICES if where == "services.web." else set())
    text = (f"[{where[:-1]}]\n" if where else "") + "".join(f'{name} = "1"\n' for name in names)
    said = refusal(host, text)
    for name in names:
        assert f"`{where}{name}` may not come from a commit" in said
        assert f"Give `{name}` as an input, or in the host's own file /etc/freshness/acme/shop.toml." in said


@pytest.mark.parametrize("name", ["hooks", "env-files", "host"])
def test_what_is_no_setting_and_belongs_to_the_host_is_told_so(host: Path, name: str) -> None:
    assert "may not come from a commit" in refusal(host, f'{name} = ["x"]\n')


@pytest.mark.parametrize(
    ("text", "wrong", "meant"),
    [
        ("[services.web]\nhealth-pth = '/'\n", "services.web.health-pth", "`health-path`"),
        ("[services.web]\nprot = 80\n", "services.web.prot", "`port`"),
        ("[environment.eu]\n", "environment", "`environments`"),
        ("[jobs.migrate]\ntime-out = 5\n", "jobs.migrate.time-out", "`timeout`"),
        ("[environments.eu]\nservcies = {}\n", "environments.eu.servcies", "`services`"),
        ("[environments.eu]\nenvironments = {}\n", "environments.eu.environments", "`services`"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_right_one(host: Path, text: str, wrong: str, meant: str) -> None:
    said = refusal(host, text)
    assert f"`{wrong}` is no setting there; expected" in said
    assert f"expected {meant}." in said


def test_the_hosts_file_is_looked_at_as_closely(host: Path) -> None:
    host.write_text('porject = "x"\n[environments.production]\nkeep-image = 3\n')
    said = refusal(host)
    assert f"In {host}: `porject` is no setting there; expected `project`." in said
    assert "`environments.production.keep-image` is no setting there; expected `keep-images`." in said


@pytest.mark.parametrize("name", ["port", "service", "image", "container"])
def test_what_staging_and_production_have_each_belongs_into_an_environment(host: Path, name: str) -> None:
    """Fails when the host's file may say it for both: the gate would build into production's service."""
    host.write_text(f'{name} = "8600"\n')
    assert f"`{name}` is another one for staging than for production." in refusal(host)


def test_an_unknown_environment_is_refused_with_the_nearest(host: Path) -> None:
    host.write_text("[environments.europe]\n")
    commit = "[environments.staging]\n"
    assert "expected `europe`" in refusal(host, commit, DEPLOY_ENVIRONMENT="europ")
    with pytest.raises(SettingsError, match="is 'staging'; expected"):
        read_promote({}, env_of(host, {"DEPLOY_ENVIRONMENT": "staging"}), revision_required=False)
    assert gate(host, commit, DEPLOY_ENVIRONMENT="staging").port == 8501


def test_no_commit_may_stand_in_for_the_hosts_file(host: Path) -> None:
    """Fails when `read_host_file` does not follow links: a checkout would hold the file that wins over the commit's."""
    planted = host.parents[3] / "workspace" / "planted.toml"
    planted.parent.mkdir()
    planted.write_text("[environments.production]\n")
    host.symlink_to(planted)
    assert "leads into the workspace" in refusal(host)


def test_a_file_that_is_no_toml_or_no_table_is_one_sentence(host: Path) -> None:
    assert "the commit's freshness.toml cannot be read" in refusal(host, "[services\n")
    assert "`services` is '3'; expected a table" in refusal(host, "services = 3\n")
    assert "expected text, a number, true, false or a list" in refusal(host, "[services.web]\nport = 1979-05-27\n")
    assert "`port` (TARGET_PORT) is '0' in the commit's freshness.toml" in refusal(host, "[services.web]\nport = 0\n")


def test_services_of_a_file_are_the_application_unless_the_run_names_them(host: Path) -> None:
    commit = '[services.web]\nport = 8601\n[services.worker]\nhealth = "healthcheck"\n'
    assert gate(host, commit).services == ("web", "worker")
    named = gate(host, commit, TARGET_SERVICE="worker")
    assert (named.services, named.health.path) == (("worker",), None)
    assert named.application.services[0].health is HealthKind.HEALTHCHECK


def test_the_first_service_has_what_the_inputs_say(host: Path) -> None:
    commit = "[services.web]\nport = 8601\n"
    (web,) = gate(host, commit, HEALTH_PATH="/up", CHECK_COMMAND="/check --all").application.services
    assert (web.name, web.port, web.health_path, web.check_command) == ("web", 8601, "/up", ("/check", "--all"))
    (default,) = gate(host).application.services
    assert (default.port, default.health_path, default.check_path) == (None, None, "scripts/staging_check.py")


def test_health_is_asked_as_the_services_table_says(host: Path) -> None:
    """Fails when `_read` leaves the question plain: another virtual host's answer would count."""
    (text,) = (block for block in BLOCKS if "[services.admin]" in block)
    question = gate(host, text).health.question
    assert question.headers == (("Host", "admin.example"), ("X-Forwarded-Proto", "https"))
    assert (question.https, question.verifies) == (True, False)
    assert set(question.statuses) == {*range(200, 300), 401}


def test_gate_and_promotion_run_the_jobs_of_their_environment(host: Path) -> None:
    """Fails when one is left out without a word, or staging's is run for production."""
    everywhere, for_staging = "[jobs.migrate]\n", "[environments.staging.jobs.migrate]\n"
    for read in (gate, promote):
        assert [job.service for job in read(host, everywhere).application.jobs] == ["migrate"]
    assert [job.service for job in gate(host, for_staging).application.jobs] == ["migrate"]
    assert not promote(host, for_staging).application.jobs
    assert gate(host, everywhere).application.jobs[0].is_shared
    assert gate(host, f"{for_staging}[environments.production.jobs.migrate]\n").application.jobs[0].is_shared
    assert not gate(host, for_staging).application.jobs[0].is_shared


@pytest.mark.parametrize("schema", ["freshness", "host"])
def test_the_examples_of_the_documents_are_read_and_pass_the_schemas(host: Path, schema: str) -> None:
    """Fails when the schema lacks a setting, or the reader does: editors and runs would disagree."""
    (text,) = (block for block in BLOCKS if f"schema/{schema}.json" in block)
    validate(tomllib.loads(text), json.loads((ROOT / "docs" / "schema" / f"{schema}.json").read_text()))
    host.write_text(text if schema == "host" else "")
    if schema == "host":
        assert read_promote({}, env_of(host, {}), revision_required=False).compose.project == "shop"
    else:
        assert promote(host, text, DEPLOY_ENVIRONMENT="eu").port == 8600


def test_a_schema_refuses_what_a_commit_may_not_say() -> None:
    schema = json.loads((ROOT / "docs" / "schema" / "freshness.json").read_text())
    with pytest.raises(ValidationError):
        validate({"environments": {"staging": {"project": "live"}}}, schema)


@pytest.mark.parametrize(
    "text",
    [
        '"a\\n::set-output name=gate::open" = 1\n',
        '[services."web\\n::set-output name=gate::open"]\n',
        '[environments."\\u202egpj"]\n',
        '[services."web worker"]\n',
        f"a = {'[' * 5000}\n",
        f"a = {'9' * 5000}\n",
    ],
    ids=["key", "service", "environment", "two services", "nesting", "digits"],
)
def test_a_hostile_file_is_one_sentence_on_one_line(host: Path, text: str) -> None:
    """Fails when a name is repeated as it is, or splits in two; a runner obeys such lines in a log."""
    said = refusal(host, text)
    assert "\n" not in said
    assert "\u202e" not in said
