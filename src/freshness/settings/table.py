"""The one table of all settings: it drives reading, options, actions, `.env.example` and the reference."""

from freshness.settings import build_inputs, commit_rows, shared_rows, values
from freshness.settings.kinds import Incomplete, UpdateOrder
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
        read=values.optional(values.container),
        shown_default="the one that Compose made",
        about="Container name of the service; given, it is only compared with what Compose makes.",
    )


GATE: tuple[Setting, ...] = (
    shared_rows.COMPOSE_FILE,
    Setting(
        name="service",
        variable="TARGET_SERVICE",
        read=values.services,
        words=True,
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
    shared_rows.HEALTH_PATH,
    Setting(
        name="check-path",
        variable="STAGING_CHECK_PATH",
        read=values.script_path,
        default="scripts/staging_check.py",
        about="Staging check: a Python script inside the container.",
        common=True,
    ),
    Setting(
        name="check-mode",
        variable="STAGING_CHECK_MODE",
        read=values.word,
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
    *shared_rows.COMPOSE,
    *shared_rows.SHARED,
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
        read=values.choice(Incomplete, "Write refuse, or allow where empty submodules and LFS pointers are wanted."),
        default="refuse",
        about="Submodules and Git LFS pointers that the build sees: `refuse`, or `allow` "
        "(empty folders, pointers as they are, each named).",
    ),
    Setting(
        name="keep-builds",
        variable="KEEP_BUILDS",
        read=values.whole_number(1, 100000, "builds"),
        default="20",
        about="Images that gates of this image repository built and that stay under their commit's tag; older ones are "
        "let go, but for those that a container uses or that have another tag too.",
    ),
    shared_rows.PATH,
    shared_rows.TOKEN,
    *commit_rows.GATE,
    *shared_rows.SWITCHES,
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
        read=values.service,
        default="orchestrator-staging",
        about="Compose service of staging, whose tag is the source where `source-image` is empty.",
    ),
    Setting(
        name="staging-compose-file",
        variable="STAGING_COMPOSE_FILE",
        read=values.compose_files,
        multiline=True,
        shown_default="production's",
        about="Compose file of staging, where it has one of its own; several as in `compose-file`.",
    ),
    Setting(
        name="staging-project",
        variable="STAGING_PROJECT",
        read=values.optional(values.project),
        shown_default="what its Compose file says, else production's",
        about="Compose project of staging, where it is another one than production's.",
    ),
    shared_rows.COMPOSE_FILE,
    Setting(
        name="service",
        variable="PROD_SERVICE",
        read=values.services,
        words=True,
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
    shared_rows.HEALTH_PATH,
    *shared_rows.COMPOSE,
    *shared_rows.SHARED,
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
        read=values.choice(
            UpdateOrder, "Write stop-first, or start-first where production publishes no port and runs behind a proxy."
        ),
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
    shared_rows.PATH,
    shared_rows.TOKEN,
    *commit_rows.PROMOTE,
    *shared_rows.SWITCHES,
)
