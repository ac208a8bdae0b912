"""The one table of all settings, which drives the reading, the options, the actions, `.env.example` and the README."""

from freshness.core.image import REVISION_LABEL
from freshness.settings import build_inputs, commit_rows, values
from freshness.settings.setting import Setting

# An input of the actions alone: install.sh reads it, before there is a Python.
PYTHON = Setting(
    name="python",
    variable="",
    carrier="FRESHNESS_PYTHON",
    read=str,
    shown_default="the runner's",
    about="Python interpreter for the action, 3.11 or newer: a name or an absolute path.",
)

_COMPOSE_FILE = Setting(
    name="compose-file",
    variable="COMPOSE_FILE",
    read=values.compose_file,
    default="compose.yaml",
    about="Compose file: a path in the workspace, or an absolute one on the host.",
    common=True,
)
_HEALTH_PATH = Setting(
    name="health-path",
    variable="HEALTH_PATH",
    read=values.health_path,
    default="/health",
    about="HTTP path that answers 2xx once the service is healthy; `none`: the image's HEALTHCHECK decides.",
    common=True,
)
_PATH = Setting(
    name="path",
    variable="CHECKOUT_PATH",
    read=values.checkout_folder,
    default=".",
    about="Folder of the checkout in the workspace.",
)
_TOKEN = Setting(
    name="github-token",
    variable="GITHUB_TOKEN",
    read=values.optional(values.token),
    action_default="${{ github.token }}",
    sensitive=True,
    shown_default="`github.token`",  # an expression in a description makes act refuse to load the action
    about="Token to fetch commits and to ask for heads; sent to the server's own host only.",
)
_SHARED = (
    Setting(
        name="health-retries",
        variable="HEALTH_RETRIES",
        read=values.whole_number(1, 1000, "a number of tries"),
        default="10",
        about="Number of tries; times `health-interval` it is the deadline for health, which is noticed at once.",
    ),
    Setting(
        name="health-interval",
        variable="HEALTH_INTERVAL",
        read=values.number(0.1, 3600, "seconds"),
        default="6",
        about="Seconds that each try counts for.",
    ),
    Setting(
        name="lock-timeout",
        variable="LOCK_TIMEOUT",
        read=values.number(0, 86400, "seconds"),
        default="900",
        about="Seconds to wait for another run that holds the same target; then this one is refused.",
    ),
    Setting(
        name="engine-timeout",
        variable="ENGINE_TIMEOUT",
        read=values.number(1, 3600, "seconds"),
        default="60",
        about="Seconds that an answer of the Docker Engine may take; then it hangs, and the run ends.",
    ),
    Setting(
        name="project",
        variable="COMPOSE_PROJECT_NAME",
        read=values.optional(
            values.matching(
                r"[a-z0-9][a-z0-9_-]*",
                "a Compose project name",
                "Use lower case letters, digits, `-` and `_`, beginning with a letter or digit.",
            )
        ),
        shown_default="the Compose file's `name:`, else the repository's name",
        about="Compose project.",
    ),
    Setting(
        name="revision-label",
        variable="REVISION_LABEL",
        read=values.matching(
            r"[A-Za-z0-9][A-Za-z0-9._/-]{0,254}", "a label's key", "Use letters, digits, `.`, `-`, `_` and `/`."
        ),
        default=REVISION_LABEL,
        about="Image label that holds the commit.",
    ),
)
_SWITCHES = (
    Setting(
        name="enabled",
        variable="ORCH_IMAGE_FRESHNESS_ENABLED",
        carrier="FRESHNESS_ENABLED",
        read=values.switch,
        default="true",
        about="`false` switches the enforcement off, loudly.",
    ),
    Setting(
        name="repos",
        variable="ORCH_IMAGE_FRESHNESS_REPOS",
        carrier="FRESHNESS_REPOS",
        read=values.repos,
        multiline=True,
        shown_default="all",
        about="Enforced repositories, as `owner/name` patterns with `*` and `?`, separated by commas or blanks.",
    ),
)

_SERVICE = values.matching(
    r"[A-Za-z0-9][A-Za-z0-9._-]*", "a service's name as in the Compose file", "Use letters, digits, `.`, `-` and `_`."
)
_CONTAINER = values.optional(
    values.matching(r"[A-Za-z0-9][A-Za-z0-9_.-]+", "a container's name", "Use letters, digits, `_`, `.` and `-`.")
)


def _image(variable: str) -> Setting:
    return Setting(
        name="image",
        variable=variable,
        read=values.optional(values.image),
        shown_default="what Compose runs: `image:`, else `<project>-<service>`",
        about="Image tag of the service; given, it is only compared with what Compose runs.",
    )


def _container(variable: str) -> Setting:
    return Setting(
        name="container",
        variable=variable,
        read=_CONTAINER,
        shown_default="the one that Compose made",
        about="Container name of the service; given, it is only compared with what Compose makes.",
    )


GATE: tuple[Setting, ...] = (
    _COMPOSE_FILE,
    Setting(
        name="service",
        variable="TARGET_SERVICE",
        read=_SERVICE,
        default="orchestrator-staging",
        about="Compose service of staging.",
        common=True,
    ),
    Setting(
        name="port",
        variable="TARGET_PORT",
        read=values.port,
        default="8501",
        about="Port of staging on the Docker host.",
        common=True,
    ),
    Setting(
        name="revision",
        variable="GIT_SHA",
        read=values.optional(values.revision),
        shown_default="from the event",
        about="Full id of the commit to gate.",
        common=True,
    ),
    Setting(
        name="context",
        variable="BUILD_CONTEXT",
        read=values.relative_path,
        default=".",
        about="Folder of the build context, relative to the repository's root.",
        common=True,
    ),
    Setting(
        name="file",
        variable="DOCKERFILE",
        read=values.optional(values.relative_path),
        shown_default="`{context}/Dockerfile`",
        about="Dockerfile, relative to the repository's root; may lie outside the context.",
        common=True,
    ),
    Setting(
        name="build-args",
        variable="BUILD_ARGS",
        read=build_inputs.build_args,
        multiline=True,
        about="Build arguments, one `NAME=VALUE` a line. Readable in the image's history: no secrets.",
        common=True,
    ),
    Setting(
        name="secrets",
        variable="BUILD_SECRETS",
        read=build_inputs.secrets,
        multiline=True,
        about="BuildKit secrets, one a line: `id=NAME,src=/absolute/path` outside the workspace, or "
        "`id=NAME,env=VARIABLE` of the job's `env:`.",
        common=True,
    ),
    _HEALTH_PATH,
    Setting(
        name="check-path",
        variable="STAGING_CHECK_PATH",
        read=values.matching(r"[^-].*", "a path in the container", "Give the script's path without a leading `-`."),
        default="scripts/staging_check.py",
        about="Staging check: a Python script inside the container.",
        common=True,
    ),
    Setting(
        name="check-mode",
        variable="STAGING_CHECK_MODE",
        read=values.matching(r"\S+", "one word", "Give the mode that the check script knows, such as stub."),
        default="stub",
        about="What the staging check gets as `--mode`.",
        common=True,
    ),
    Setting(
        name="check-command",
        variable="CHECK_COMMAND",
        read=values.optional(values.command),
        about="Command in the container in place of `check-path` and `check-mode`; no shell, "
        "`BASE_URL` and `GIT_SHA` in its environment.",
        shown_default="none",
    ),
    Setting(
        name="check-timeout",
        variable="CHECK_TIMEOUT",
        read=values.number(1, 86400, "seconds"),
        default="300",
        about="Seconds that the staging check may take.",
    ),
    Setting(
        name="build-timeout",
        variable="BUILD_TIMEOUT",
        read=values.number(1, 86400, "seconds"),
        default="3600",
        about="Seconds that the build may take.",
    ),
    *_SHARED,
    _image("STAGING_IMAGE"),
    _container("STAGING_CONTAINER"),
    Setting(
        name="target",
        variable="BUILD_TARGET",
        read=values.optional(
            values.matching(
                r"[A-Za-z0-9][A-Za-z0-9_.-]*", "a build stage's name", "Give the name after `AS` in the Dockerfile."
            )
        ),
        shown_default="the last one",
        about="Build stage.",
    ),
    Setting(
        name="prod-port",
        variable="PROD_PORT",
        read=values.port,
        default="8500",
        about="Port of production, which the gate must never publish on.",
    ),
    Setting(
        name="incomplete",
        variable="INCOMPLETE",
        read=values.incomplete,
        default="refuse",
        about="Submodules and Git LFS pointers in the context: `refuse`, or `allow` "
        "(empty folders, pointers as they are, each named).",
    ),
    _PATH,
    _TOKEN,
    *commit_rows.GATE,
    *_SWITCHES,
)

PROMOTE: tuple[Setting, ...] = (
    Setting(
        name="expected-revision",
        variable="EXPECTED_REVISION",
        read=values.optional(values.revision),
        required=True,
        about="Full id of the commit that the image must prove: the gate's output `revision`.",
        common=True,
    ),
    Setting(
        name="source-image",
        variable="SOURCE_IMAGE",
        read=values.optional(values.source_image),
        shown_default="the tag that `staging-service` runs",
        about="Image to promote: in a workflow the gate's output `image-id`.",
        common=True,
    ),
    Setting(
        name="staging-service",
        variable="TARGET_SERVICE",
        read=_SERVICE,
        default="orchestrator-staging",
        about="Compose service of staging, whose tag is the source where `source-image` is empty.",
    ),
    _COMPOSE_FILE,
    Setting(
        name="service",
        variable="PROD_SERVICE",
        read=_SERVICE,
        default="orchestrator",
        about="Compose service of production.",
        common=True,
    ),
    Setting(
        name="port",
        variable="PROD_PORT",
        read=values.port,
        default="8500",
        about="Port of production on the Docker host.",
        common=True,
    ),
    _HEALTH_PATH,
    *_SHARED,
    _image("PROD_IMAGE"),
    _container("PROD_CONTAINER"),
    Setting(
        name="recreate",
        variable="RECREATE",
        read=values.switch,
        default="true",
        about="`false` only moves the tag that `image` names, where something else restarts production.",
    ),
    Setting(
        name="keep-images",
        variable="KEEP_IMAGES",
        read=values.whole_number(1, 1000, "images"),
        default="5",
        about="Images that production ran before and that stay, for `freshness rollback`; older ones are let go.",
    ),
    Setting(
        name="update-order",
        variable="UPDATE_ORDER",
        read=values.update_order,
        default="stop-first",
        about="`start-first`: the new container is proven beside the old one before that is retired, for a service "
        "that publishes no port and runs behind a proxy; `port` is then the port inside the container.",
    ),
    Setting(
        name="update-overlap",
        variable="UPDATE_OVERLAP",
        read=values.number(0, 600, "seconds"),
        default="5",
        about="Seconds that old and new serve together with `start-first`: as long as the proxy takes to find the "
        "new one.",
    ),
    _PATH,
    _TOKEN,
    *commit_rows.PROMOTE,
    *_SWITCHES,
)
