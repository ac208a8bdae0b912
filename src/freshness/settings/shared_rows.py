"""The rows of the table that gate and promote have alike."""

from freshness.core.image import REVISION_LABEL
from freshness.settings import values
from freshness.settings.setting import Setting

COMPOSE_FILE = Setting(
    name="compose-file",
    variable="COMPOSE_FILE",
    read=values.compose_files,
    multiline=True,
    shown_default="what Compose reads: `COMPOSE_FILE` of the `.env`, else `compose.yaml` and its override",
    about="Compose file, a path in the workspace or an absolute one on the host; of several, one a line (or "
    "`first.yaml:second.yaml`), each adds to those before.",
    common=True,
)
COMPOSE = (
    Setting(
        name="compose-env-files",
        variable="COMPOSE_ENV_FILES",
        read=values.env_files,
        multiline=True,
        shown_default="`.env` beside the Compose file",
        about="Files whose variables the Compose file interpolates (Compose's `--env-file`), one a line; of several "
        "the last wins.",
    ),
    Setting(
        name="compose-env",
        variable="COMPOSE_ENV",
        read=values.compose_variables,
        multiline=True,
        sensitive=True,
        shown_default="none; on the command line every variable of the shell",
        about="Variables that the Compose file interpolates, one a line: `NAME=VALUE`, or `NAME` for one of the job's "
        "`env:`.",
    ),
    Setting(
        name="project-directory",
        variable="PROJECT_DIRECTORY",
        read=values.optional(values.host_path),
        shown_default="the Compose file's",
        about="Folder that holds `.env`, the files of `env_file:` and relative mounts, such as `/srv/shop`.",
    ),
    Setting(
        name="allow-empty",
        variable="ALLOW_EMPTY",
        read=values.variable_names,
        multiline=True,
        shown_default="none",
        about="Variables of the service that may be empty or not set, separated by commas or blanks; without, one that "
        "is missing is refused.",
    ),
    Setting(
        name="accept-dependencies",
        variable="ACCEPT_DEPENDENCIES",
        read=values.service_names,
        multiline=True,
        shown_default="none",
        about="Services that ours waits for with `service_completed_successfully`, such as a migration, and that a "
        "step of its own runs before; without, such a service is refused.",
    ),
    Setting(
        name="force-recreate",
        variable="FORCE_RECREATE",
        read=values.switch,
        default="false",
        about="`true` recreates the service even where Compose sees no difference, as with a rotated secret.",
    ),
)
HEALTH_PATH = Setting(
    name="health-path",
    variable="HEALTH_PATH",
    read=values.health_path,
    default="/health",
    about="HTTP path that answers 2xx once the service is healthy; `none`: the image's HEALTHCHECK decides.",
    common=True,
)
PATH = Setting(
    name="path",
    variable="CHECKOUT_PATH",
    read=values.checkout_folder,
    default=".",
    about="Folder of the checkout in the workspace.",
)
TOKEN = Setting(
    name="github-token",
    variable="GITHUB_TOKEN",
    read=values.optional(values.token),
    action_default="${{ github.token }}",
    sensitive=True,
    shown_default="`github.token`",  # an expression in a description makes act refuse to load the action
    about="Token to fetch commits and to ask for heads; sent to the server's own host only.",
)
SHARED = (
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
        name="hold-time",
        variable="HOLD_TIME",
        read=values.number(0, 3600, "seconds"),
        default="10",
        about="Seconds that a container must have run without a restart, healthy, before it counts as proven; `0` "
        "asks for health once more and waits for nothing.",
    ),
    Setting(
        name="lock-timeout",
        variable="LOCK_TIMEOUT",
        read=values.number(0, 86400, "seconds"),
        default="900",
        about="Seconds to wait for another run that holds the same target; then this one is refused.",
    ),
    Setting(
        name="keep-reports",
        variable="KEEP_REPORTS",
        read=values.whole_number(1, 100000, "reports"),
        default="100",
        about="Reports of this tool that stay in the runner's temporary folder; older ones are removed.",
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
        read=values.optional(values.project),
        shown_default="the Compose file's `name:`, else the repository's name",
        about="Compose project.",
    ),
    Setting(
        name="adopt",
        variable="ADOPT",
        read=values.optional(
            values.matching(
                r"[A-Za-z0-9][A-Za-z0-9_.-]+",
                "a container's name",
                "Give the name that the refusal says, and no other.",
            )
        ),
        shown_default="none",
        about="Name of the container that may be replaced although it may be something else's: after a changed port, "
        "name or Compose file, for one run.",
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
    Setting(
        name="allow-mounts",
        variable="ALLOW_MOUNTS",
        read=values.container_paths,
        multiline=True,
        shown_default="none",
        about="Paths in the container, one a line, where a mount may hide files of the image; each is named in the "
        "report.",
    ),
)
SWITCHES = (
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
