"""Where settings come from, what each accepts, and that all problems are told at once."""

from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.errors import SettingsError
from freshness.settings.child_environment import child_environment, compose_environment
from freshness.settings.compose import ComposeSettings
from freshness.settings.groups import Health
from freshness.settings.kinds import CommandCheck, Incomplete, Match, ScriptCheck, SecretSource, UpdateOrder
from freshness.settings.model import GateSettings
from freshness.settings.read import read_gate, read_promote
from freshness.settings.table import GATE, PROMOTE

SHA = "1f0c2a9b7d6e4f3a8b5c9d0e1f2a3b4c5d6e7f80"
EXPECTED = {"EXPECTED_REVISION": SHA}


def gate(env: Mapping[str, str] | None = None, **options: str | None) -> GateSettings:
    return read_gate(options, env or {}, cwd=Path("/srv/checkout"))


def refusal(env: Mapping[str, str]) -> str:
    with pytest.raises(SettingsError) as error:
        gate(env)
    assert error.value.remedy
    return str(error.value)


def test_nothing_given_means_the_designs_defaults() -> None:
    settings = gate()
    assert settings.compose == ComposeSettings(
        files=(), separator="", env_files=(), folder=None, variables={}, only_inputs=False
    )
    assert (settings.service, settings.port, settings.prod_port) == ("orchestrator-staging", 8501, 8500)
    assert (settings.build.context, settings.build.file) == (PurePosixPath(), PurePosixPath("Dockerfile"))
    assert settings.health == Health(asked="", retries=10, interval=6, hold=10)
    assert settings.health.deadline == 60
    assert settings.check == ScriptCheck(path="scripts/staging_check.py", mode="stub")
    assert settings.staging_check.timeout == 300
    assert settings.source.label == "org.opencontainers.image.revision"
    assert settings.build.incomplete is Incomplete.REFUSE
    assert (settings.scope.enabled, settings.scope.repos) == (True, ())
    assert not settings.forks.require_up_to_date
    assert (settings.forks.allow, settings.forks.allow_with_secrets) == (False, False)
    assert [
        settings.head.pr,
        settings.revision,
        settings.compose.project,
        settings.image,
        settings.container,
        settings.build.target,
    ] == [None] * 6


def test_promote_has_the_designs_defaults() -> None:
    settings = read_promote({}, EXPECTED, cwd=Path("/srv/checkout"))
    assert (settings.service, settings.staging_service, settings.port) == ("orchestrator", "orchestrator-staging", 8500)
    assert (settings.expected_revision, settings.source_image, settings.recreate) == (SHA, None, True)
    assert [
        settings.head.pr,
        settings.ancestry.allow_rollback,
        settings.ancestry.allow_diverged,
        settings.source.token,
    ] == [None] * 4
    assert (settings.ancestry.require_known, settings.source.folder) == (False, Path("/srv/checkout"))


def test_an_option_wins_over_the_environment_and_that_over_the_file() -> None:
    file, env = (
        {"TARGET_PORT": "1", "TARGET_SERVICE": "file", "HEALTH_PATH": "/file"},
        {"TARGET_PORT": "2", "TARGET_SERVICE": "env"},
    )
    settings = read_gate({"port": "3"}, env, file)
    assert (settings.port, settings.service, settings.health.path) == (3, "env", "/file")


def test_an_empty_variable_means_the_default_and_an_empty_option_too() -> None:
    assert gate({"TARGET_PORT": "", "HEALTH_PATH": " \n"}).port == 8501
    assert read_gate({"port": ""}, {"TARGET_PORT": "2"}).port == 8501


def test_options_are_found_under_clicks_names_too() -> None:
    assert read_gate({"health_path": "/up"}, {}).health.path == "/up"


@pytest.mark.parametrize(
    ("carried", "inherited", "enabled"),
    [("", "false", False), ("true", "false", True), ("FALSE", "", False), ("", "", True), ("", "True", True)],
)
def test_the_switch_comes_from_the_input_else_from_the_workflow(carried: str, inherited: str, enabled: bool) -> None:  # noqa: FBT001 -- the expected value
    env = {"FRESHNESS_ENABLED": carried, "ORCH_IMAGE_FRESHNESS_ENABLED": inherited}
    assert gate(env).scope.enabled is enabled


def test_all_problems_are_told_at_once_each_with_its_remedy() -> None:
    text = refusal(
        {"TARGET_PORT": "0", "GIT_SHA": "abc123", "INCOMPLETE": "maybe", "BUILD_SECRETS": "id=a,src=/nowhere"}
    )
    assert text.startswith("4 settings are wrong:\n")
    lines = [line for line in text.splitlines() if line.startswith("- ")]
    assert len(lines) == 4
    assert all("; expected " in line or ", expected " in line for line in lines)
    assert "git rev-parse abc123" in text


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TARGET_PORT", "65536"),
        ("TARGET_PORT", "-1"),
        ("TARGET_PORT", "8501.0"),
        ("TARGET_PORT", "٨٥٠١"),
        ("TARGET_SERVICE", "-x"),
        ("GIT_SHA", "main"),
        ("GIT_SHA", SHA[:39]),
        ("GIT_SHA", SHA + "0"),
        ("BUILD_CONTEXT", "/srv"),
        ("BUILD_CONTEXT", "../up"),
        ("DOCKERFILE", "a/../../b"),
        ("COMPOSE_FILE", "../compose.yaml"),
        ("COMPOSE_FILE", "a.yaml:b/../c.yaml"),
        ("COMPOSE_FILE", "a.yaml;.."),
        ("COMPOSE_ENV_FILES", "../prod.env"),
        ("COMPOSE_ENV_FILES", "/nonexistent/prod.env"),
        ("COMPOSE_ENV", "A B=1"),
        ("COMPOSE_ENV", "A=1\nDOCKER_HOST=tcp://elsewhere:2375"),
        ("COMPOSE_ENV", "NOT_IN_THE_JOB"),
        ("PROJECT_DIRECTORY", "../shop"),
        ("PROJECT_DIRECTORY", "/nonexistent/shop"),
        ("CHECKOUT_PATH", "/elsewhere"),
        ("CHECKOUT_PATH", ".."),
        ("BUILD_ARGS", "NAME"),
        ("BUILD_ARGS", "1A=x"),
        ("BUILD_ARGS", "GIT_SHA=x"),
        ("BUILD_ARGS", "A=1\nA=2"),
        ("REVISION_ARGS", "VCS-REF"),
        ("PULL", "always"),
        ("BUILD_SECRETS", "id=a"),
        ("BUILD_SECRETS", "src=/etc/hostname"),
        ("BUILD_SECRETS", "id=a,src=etc/hostname"),
        ("BUILD_SECRETS", "id=a,src=/etc/../etc/hostname"),
        ("BUILD_SECRETS", "id=a,src=/etc/hostname,env=X"),
        ("BUILD_SECRETS", 'id=a,"src=/etc/hostname"'),
        ("BUILD_SECRETS", "id=a,src=/srv/checkout/key"),
        ("BUILD_SECRETS", "id=a,env=1X"),
        ("BUILD_SECRETS", "id=a,env=X\nid=a,env=Y"),
        ("HEALTH_PATH", "health"),
        ("HEALTH_PATH", "//elsewhere/health"),
        ("HEALTH_PATH", "/he alth"),
        ("HEALTH_PATH", "/ä"),
        ("STAGING_CHECK_PATH", "-c"),
        ("STAGING_CHECK_MODE", "two words"),
        ("CHECK_COMMAND", 'check "open'),
        ("CHECK_COMMAND", "''"),
        ("CHECK_TIMEOUT", "0"),
        ("CHECK_TIMEOUT", "inf"),
        ("CHECK_TIMEOUT", "1e3"),
        ("CHECK_TIMEOUT", "nan"),
        ("HEALTH_RETRIES", "1.5"),
        ("HEALTH_INTERVAL", "99999"),
        ("COMPOSE_PROJECT_NAME", "Upper"),
        ("STAGING_IMAGE", "Upper:tag"),
        ("STAGING_IMAGE", "app@sha256:" + "0" * 64),
        ("STAGING_CONTAINER", "a/b"),
        ("REVISION_LABEL", "a=b"),
        ("BUILD_TARGET", "-x"),
        ("INCOMPLETE", "REFUSE"),
        ("GITHUB_TOKEN", "two words"),
        ("PR", "0"),
        ("PR", "#7"),
        ("PR", "1" * 10),
        ("RECHECK_HEAD", "yes"),
        ("REQUIRE_UP_TO_DATE", "1"),
        ("ALLOW_FORKS", "all"),
        ("ALLOW_FORKS_WITH_SECRETS", "on"),
        ("ORCH_IMAGE_FRESHNESS_ENABLED", "1"),
        ("ORCH_IMAGE_FRESHNESS_REPOS", "acme"),
        ("TARGET_SERVICE", "a\n::set-output name=gate::open"),
        ("HEALTH_PATH", "/a\x1b[2J"),
        ("STAGING_CHECK_PATH", "a\udcff"),
        ("GITHUB_WORKSPACE", "relative"),
    ],
)
def test_a_wrong_value_is_one_sentence_and_a_remedy(variable: str, value: str) -> None:
    text = refusal({variable: value})
    assert variable in text
    assert "expected" in text
    assert "\n" not in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("variable", "value", "field", "expected"),
    [
        ("GIT_SHA", SHA.upper(), "revision", SHA),
        ("GIT_SHA", "A" * 64, "revision", "a" * 64),
        ("CHECKOUT_PATH", "src/", "source.folder", Path("/srv/checkout/src")),
        ("DOCKERFILE", "docker/Dockerfile", "build.file", PurePosixPath("docker/Dockerfile")),
        ("BUILD_CONTEXT", "app", "build.file", PurePosixPath("app/Dockerfile")),
        ("BUILD_ARGS", "A=1\r\n\n  B=x=y z \n", "build.arguments", ("A=1", "B=x=y z")),
        ("BUILD_SECRETS", "id=ca,src=/etc/passwd", "build.secrets", (SecretSource(id="ca", src=Path("/etc/passwd")),)),
        ("CHECK_COMMAND", "/check --url 'a b'", "check", CommandCheck(argv=("/check", "--url", "a b"))),
        ("CHECK_TIMEOUT", "0090.5", "staging_check.timeout", 90.5),
        ("STAGING_IMAGE", "registry.example:5000/team/app:v1.2", "image", "registry.example:5000/team/app:v1.2"),
        ("PULL", "True", "build.pull", True),
        ("REVISION_ARGS", "VCS_REF, GIT_COMMIT", "build.revision_arguments", {"VCS_REF", "GIT_COMMIT"}),
        ("INCOMPLETE", "allow", "build.incomplete", Incomplete.ALLOW),
        ("PR", "7", "head.pr", 7),
        ("RECHECK_HEAD", "True", "head.recheck", True),
        ("ALLOW_FORKS", "true", "forks.allow", True),
        ("ORCH_IMAGE_FRESHNESS_REPOS", "acme/*,\n x/y", "scope.repos", ("acme/*", "x/y")),
        ("FRESHNESS_REPOS", "acme/*", "scope.repos", ("acme/*",)),
        ("GITHUB_REPOSITORY", "acme/app", "repository", "acme/app"),
        ("GITHUB_WORKSPACE", "/workspace", "workspace", Path("/workspace")),
    ],
)
def test_a_right_value_is_read(variable: str, value: str, field: str, expected: object) -> None:
    assert attrgetter(field)(gate({variable: value})) == expected


@pytest.mark.parametrize("text", ["none", "None"])
def test_the_word_none_leaves_health_to_the_image(text: str) -> None:
    assert gate({"HEALTH_PATH": text}).health.path is None


def test_a_token_is_never_shown() -> None:
    settings = gate({"GITHUB_TOKEN": "ghs_abc"})
    assert settings.source.token is not None
    assert settings.source.token.reveal() == "ghs_abc"
    assert "ghs_abc" not in repr(settings)
    assert "hunter2" not in refusal({"GITHUB_TOKEN": "hunter2 x"})
    assert "hunter2" not in refusal({"BUILD_ARGS": "hunter2"})


@pytest.mark.parametrize("name", ["NPM_TOKEN", "DB_PASSWORD", "api_key", "AWS_SECRET_ACCESS_KEY"])
def test_a_build_argument_named_like_a_secret_is_warned_about(name: str) -> None:
    (warning,) = gate({"BUILD_ARGS": f"{name}=hunter2"}).warnings
    assert name in warning
    assert "hunter2" not in warning


@pytest.mark.parametrize("name", ["KEYBOARD", "VERSION", "TOKENIZER", "MONKEY"])
def test_other_names_are_not_warned_about(name: str) -> None:
    assert gate({"BUILD_ARGS": f"{name}=x"}).warnings == ()


def test_an_argument_that_gets_the_commit_has_no_other_value() -> None:
    """Fails when `_gate_rules` asks for one name alone, whichever `revision-args` names."""
    assert "has VCS_REF" in refusal({"BUILD_ARGS": "VCS_REF=x", "REVISION_ARGS": "VCS_REF"})
    assert gate({"BUILD_ARGS": "GIT_SHA=x", "REVISION_ARGS": "VCS_REF"}).build.arguments == ("GIT_SHA=x",)


def test_a_link_cannot_lead_a_secret_back_into_the_workspace(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "planted").write_text("x")
    (tmp_path / "key").symlink_to(workspace / "planted")
    env = {"GITHUB_WORKSPACE": str(workspace), "BUILD_SECRETS": f"id=a,src={tmp_path / 'key'}"}
    assert "outside the workspace" in refusal(env)


def test_a_secret_whose_variable_is_not_set_is_not_given_and_said() -> None:
    settings = gate({"BUILD_SECRETS": "id=a,env=SET\nid=b,env=UNSET\nid=c,env=EMPTY", "SET": "x", "EMPTY": ""})
    assert settings.build.secrets == (SecretSource(id="a", env="SET"),)
    assert ["UNSET" in settings.warnings[0], "EMPTY" in settings.warnings[1]] == [True, True]


_FORGE = {"GITHUB_SERVER_URL": "https://forge.example", "CI": "true"}


@pytest.mark.parametrize(
    ("env", "asked"),
    [
        (_FORGE, True),
        ({**_FORGE, "ACT": "true", "GITEA_ACTIONS": "true"}, True),
        ({**_FORGE, "ACT": "true"}, False),
        ({**_FORGE, "ACT": "true", "RECHECK_HEAD": "true"}, True),
        ({**_FORGE, "RECHECK_HEAD": "false"}, False),
        ({}, False),
        ({"RECHECK_HEAD": "true"}, True),
    ],
    ids=["GitHub", "Gitea", "act", "act, asked for", "switched off", "a shell", "a shell, asked for"],
)
def test_the_forge_is_asked_unless_none_made_the_run(env: dict[str, str], asked: bool) -> None:  # noqa: FBT001 -- the expected value
    """Fails where ACT, which Gitea's runner sets too, is enough to be a plain act run."""
    assert gate(env).head.recheck is asked
    assert read_promote({}, {**env, **EXPECTED}).head.recheck is asked


def test_a_commit_and_a_pull_request_are_not_both_given() -> None:
    text = refusal({"GIT_SHA": SHA, "PR": "7"})
    assert "GIT_SHA" in text
    assert "`pr` (PR)" in text


@pytest.mark.parametrize("variable", ["ALLOW_ROLLBACK", "ALLOW_DIVERGED"])
def test_a_permission_to_go_back_needs_a_reason_in_words(variable: str) -> None:
    reason = "Version 2 loses orders, see incident 12."
    assert reason in repr(read_promote({}, {variable: reason, **EXPECTED}))
    for text in ("true", "Yes", "!", "x" * 301, "one line\nand another"):
        with pytest.raises(SettingsError, match=variable):
            read_promote({}, {variable: text, **EXPECTED})


def test_an_equal_tree_counts_only_where_it_is_asked_for() -> None:
    assert read_promote({}, EXPECTED).ancestry.match is Match.COMMIT
    assert read_promote({}, {"MATCH": "tree", **EXPECTED}).ancestry.match is Match.TREE
    with pytest.raises(SettingsError, match="MATCH"):
        read_promote({}, {"MATCH": "Tree", **EXPECTED})


def test_the_old_container_stops_first_where_nothing_else_is_asked_for() -> None:
    assert read_promote({}, EXPECTED).update_order is UpdateOrder.STOP_FIRST
    asked = read_promote({}, {"UPDATE_ORDER": "start-first", "UPDATE_OVERLAP": "0.5", **EXPECTED})
    assert (asked.update_order, asked.update_overlap) == (UpdateOrder.START_FIRST, 0.5)
    with pytest.raises(SettingsError, match="UPDATE_ORDER"):
        read_promote({}, {"UPDATE_ORDER": "rolling", **EXPECTED})


def test_promote_requires_the_revision() -> None:
    with pytest.raises(SettingsError, match="EXPECTED_REVISION"):
        read_promote({}, {"EXPECTED_REVISION": ""})


@pytest.mark.parametrize(
    "env",
    [
        {"FRESHNESS_ENABLED": "false"},
        {"ORCH_IMAGE_FRESHNESS_ENABLED": "false"},
        {"FRESHNESS_REPOS": "x/y", "GITHUB_REPOSITORY": "acme/app"},
    ],
)
def test_disabled_or_out_of_scope_promote_needs_no_revision(env: dict[str, str]) -> None:
    assert read_promote({}, env).expected_revision is None


@pytest.mark.parametrize("name", ["https://forge.example/acme/app", ""])
def test_an_odd_repository_name_does_not_lift_the_requirement(name: str) -> None:
    with pytest.raises(SettingsError, match="EXPECTED_REVISION"):
        read_promote({}, {"FRESHNESS_REPOS": "x/y", "GITHUB_REPOSITORY": name})


def test_a_person_may_say_aloud_that_nothing_is_verified() -> None:
    settings = read_promote({}, {}, allow_unverified=True)
    assert (settings.expected_revision, settings.reading.allow_unverified) == (None, True)
    assert read_promote({}, {}, revision_required=False).allow_unverified is False


def test_retagging_alone_needs_the_tag() -> None:
    with pytest.raises(SettingsError, match="PROD_IMAGE"):
        read_promote({}, EXPECTED | {"RECREATE": "false"})
    assert read_promote({}, EXPECTED | {"RECREATE": "false", "PROD_IMAGE": "app:live"}).image == "app:live"


@pytest.mark.parametrize(
    "text", ["sha256:" + "0" * 64, "app", "app:tag", "registry.example/app@sha256:" + "f" * 64, "localhost:5000/a/b:c"]
)
def test_a_source_image_is_an_id_or_a_name(text: str) -> None:
    assert read_promote({"source-image": text}, EXPECTED).source_image == text


@pytest.mark.parametrize("text", ["sha256:" + "0" * 63, "-app", "app:", "a b", "app:tag:tag", "<no value>"])
def test_anything_else_is_no_source_image(text: str) -> None:
    with pytest.raises(SettingsError, match="SOURCE_IMAGE"):
        read_promote({"source-image": text}, EXPECTED)


_VARIABLES = sorted({setting.variable for setting in GATE + PROMOTE})


@given(st.dictionaries(st.sampled_from(_VARIABLES), st.text(max_size=60), max_size=6))
def test_whatever_the_environment_says_it_is_read_or_one_settings_error(env: dict[str, str]) -> None:
    said = []
    for read in (read_gate, read_promote):
        try:
            read({}, env)
        except SettingsError as error:
            said.append(str(error))
    assert "\x1b" not in "".join(said)


def test_compose_gets_what_the_inputs_say(tmp_path: Path) -> None:
    """Fails when `assemble` drops one of them, or takes the environment's word for a variable with a value."""
    (tmp_path / "a.env").touch()
    said = {
        "COMPOSE_FILE": "deploy/a.yaml:b.yaml\n/srv/c..d.yaml",
        "COMPOSE_ENV_FILES": f"{tmp_path}/a.env,{tmp_path}/a.env",
        "COMPOSE_ENV": "A=x=y\nB\nC=",
        "PROJECT_DIRECTORY": str(tmp_path),
        "A": "of the job",
        "B": "of the job\non two lines",
    }

    assert gate(said).compose == ComposeSettings(
        files=("deploy/a.yaml:b.yaml", "/srv/c..d.yaml"),
        separator="",
        env_files=(tmp_path / "a.env", tmp_path / "a.env"),
        folder=tmp_path,
        variables={"A": "x=y", "B": said["B"], "C": ""},
        only_inputs=False,
    )
    assert gate({"COMPOSE_PATH_SEPARATOR": ";"}).compose.separator == ";"
    assert gate({"COMPOSE_PATH_SEPARATOR": ";", "FRESHNESS_ACTION": "true"}).compose.separator == ""


def test_in_the_actions_compose_interpolates_inputs_and_not_the_job() -> None:
    """Fails when `compose_environment` lets a variable of the workflow or the runner through."""
    needed = {"PATH": "/bin", "HOME": "/root", "DOCKER_HOST": "unix:///x", "LC_ALL": "C", "TARGET_PORT": "8501"}
    of_the_job = {"JWT_SECRET": "x", "GITHUB_SHA": SHA, "PATH_TO": "x", "TARGET_SERVICE": ""}

    assert compose_environment(needed | of_the_job, only_inputs=True) == needed
    assert compose_environment(needed | of_the_job, only_inputs=False) == {
        name: value for name, value in (needed | of_the_job).items() if value
    }


@pytest.mark.parametrize(
    "name",
    [
        "GITHUB_TOKEN", "GITEA_TOKEN", "GH_TOKEN", "GITEA_RUNNER_REGISTRATION_TOKEN", "ACTIONS_RUNTIME_TOKEN",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_CACHE_URL", "COMPOSE_ENV",
    ],
)  # fmt: skip
def test_no_child_gets_a_token(name: str) -> None:
    """Fails when `_is_dropped` in child_environment.py no longer knows one: Compose would put it into containers."""
    own = {"APP_TOKEN": "the application's", "EMPTY": ""}

    assert child_environment({name: "secret", **own}) == own


def test_no_child_gets_a_token_by_another_name() -> None:
    """Fails when `child_environment` looks at names alone: a workflow may give the job's token any name."""
    assert child_environment({"GITHUB_TOKEN": "ghs_x", "MINE": "ghs_x", "OTHER": "x"}) == {"OTHER": "x"}


def test_children_do_not_inherit_what_leads_them_elsewhere() -> None:
    kept = {"HOME": "/home/x", "TARGET_PORT": "8501", "APP_TOKEN": "", "DOCKER_HOST": "unix:///x", "GITHUB_SHA": SHA}
    dropped = {
        "HEALTH_PATH": "",
        "COMPOSE_FILE": "other.yaml",
        "COMPOSE_PROFILES": "all",
        "BUILDX_BUILDER": "remote",
        "GITHUB_OUTPUT": "/x",
        "GITEA_STEP_SUMMARY": "/x",
        "FRESHNESS_PYTHON": "/x",
        "INPUT_GITHUB-TOKEN": "x",
    }
    assert child_environment(kept | dropped) == kept


def test_what_only_has_to_run_has_to_run_for_some_time() -> None:
    """I12. Breaks when `is_running_enough` is not asked: a moment would be proof enough."""
    assert gate({"HEALTH_PATH": "running"}).health.is_running_enough
    assert "expected some seconds" in refusal({"HEALTH_PATH": "Running", "HOLD_TIME": "0"})
