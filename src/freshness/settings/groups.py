"""What gate and promotion are told alike: health, the Engine, Git, the scope, and what is let pass."""

from pathlib import Path, PurePosixPath

from msgspec import Struct

from freshness.core.image import REVISION_LABEL
from freshness.core.question import PLAIN, Question
from freshness.core.secret import Secret
from freshness.settings import values
from freshness.settings.declaration import Surroundings, setting


class Health(Struct, frozen=True, kw_only=True):
    """How a container is proven. `asked` is a path, `none` or `running`, empty where nobody said.

    `interval` is in seconds, and `hold` is how many seconds a container must have run to count as proven.
    """

    asked: str = setting(
        values.health_path,
        "HTTP path that answers 2xx once the service is healthy. `none` uses the HEALTHCHECK. `running` only requires "
        "that it runs for `hold-time`, for a worker without a HEALTHCHECK.",
        name="health-path",
        shown_default="`/health`; the HEALTHCHECK where the service publishes no port and `port` is not set",
        common=True,
    )
    retries: int = setting(
        values.whole_number(1, 1000, "a number of tries"),
        "Number of health probes; `health-retries` times `health-interval` is the deadline.",
        name="health-retries",
        default="10",
    )
    interval: float = setting(
        values.number(0.1, 3600, "seconds"), "Seconds per health probe.", name="health-interval", default="6"
    )
    hold: float = setting(
        values.number(0, 3600, "seconds"),
        "Seconds that a container must stay healthy and not restart before it counts as verified; `0` probes once"
        " more, without waiting.",
        name="hold-time",
        default="10",
    )

    question: Question = PLAIN

    @property
    def path(self) -> str | None:
        """The HTTP path to ask, None where the HEALTHCHECK decides or nothing is asked."""
        return self.asked if self.asked.startswith("/") else None if self.asked else "/health"

    @property
    def is_running_enough(self) -> bool:
        """Whether no more is asked than that it runs for `hold` seconds."""
        return self.asked == "running"

    @property
    def wanted(self) -> str:
        """What counts as healthy, in words."""
        if self.is_running_enough:
            return "a running container"
        return f"{self.question} from {self.path}" if self.path else "HEALTHCHECK healthy"

    @property
    def note(self) -> str:
        """What is to be said of how little was asked; empty where more was."""
        return f"Proven to be *running* for {self.hold:g} s, and no more." if self.is_running_enough else ""

    @property
    def deadline(self) -> float:
        """Seconds until a target that gave no good answer is unhealthy."""
        return self.retries * self.interval


class EngineSettings(Struct, frozen=True, kw_only=True):
    """How long the Engine and the lock are waited for, in seconds, and how many reports stay."""

    lock_timeout: float = setting(
        values.number(0, 86400, "seconds"),
        "Seconds to wait for another run on the same target before giving up.",
        default="900",
    )
    keep_reports: int = setting(
        values.whole_number(1, 100000, "reports"),
        "Number of reports to keep in the runner's temporary folder.",
        default="100",
    )
    timeout: float = setting(
        values.number(1, 3600, "seconds"),
        "Seconds to wait for a response from the Docker Engine before giving up.",
        name="engine-timeout",
        default="60",
    )


class Exceptions(Struct, frozen=True, kw_only=True):
    """What is refused unless it is named here. `adopt` is a container that may be something else's, or None."""

    empty: frozenset[str] = setting(
        values.variable_names,
        "Variables of the service that may be empty or unset, separated by commas or blanks; any other is refused.",
        name="allow-empty",
        multiline=True,
        shown_default="none",
    )
    dependencies: frozenset[str] = setting(
        values.service_names,
        "One-time services (`service_completed_successfully`), such as a migration, that another step runs first;"
        " any other is refused.",
        name="accept-dependencies",
        multiline=True,
        shown_default="none",
    )
    adopt: str | None = setting(
        values.optional(
            values.matching(
                r"[A-Za-z0-9][A-Za-z0-9_.-]+", "a container's name", "Give the name that the refusal shows."
            )
        ),
        "Container that may be replaced although it may belong to something else, after a changed port, name or"
        " Compose file; for one run.",
        shown_default="none",
    )
    mounts: tuple[str, ...] = setting(
        values.container_paths,
        "Paths in the container, one a line, where a mount may hide files of the image; each is reported.",
        name="allow-mounts",
        multiline=True,
        shown_default="none",
    )


def _in_workspace(path: PurePosixPath, surroundings: Surroundings) -> Path:
    return surroundings.workspace / path


class SourceSettings(Struct, frozen=True, kw_only=True):
    """Where the commit is looked for, and how an image says which it holds."""

    label: str = setting(
        values.matching(
            r"[A-Za-z0-9][A-Za-z0-9._/-]{0,254}", "a label's key", "Use letters, digits, `.`, `-`, `_` and `/`."
        ),
        "Image label that names the commit.",
        name="revision-label",
        default=REVISION_LABEL,
    )
    folder: Path = setting(
        values.checkout_folder,
        "Folder of the checkout in the workspace.",
        name="path",
        variable="CHECKOUT_PATH",
        default=".",
        resolve=_in_workspace,
    )
    token: Secret | None = setting(
        values.optional(values.token),
        "Token to fetch commits and to query pull requests; sent to the forge's own host only.",
        name="github-token",
        action_default="${{ github.token }}",
        sensitive=True,
        shown_default="`github.token`",  # an expression in a description makes act refuse to load the action
    )


class ForgeSettings(Struct, frozen=True, kw_only=True):
    """What pull request and commit are told of a run; nothing of it changes how the run ends."""

    comments: bool = setting(
        values.switch,
        "`true` writes one comment on the pull request and keeps it up to date; `github-token` then needs "
        "`pull-requests: write` besides `contents: read`.",
        name="pull-request-comment",
        default="false",
    )
    context: str | None = setting(
        values.optional(values.status_name),
        "Name of the commit status that says the verdict, such as `freshness/gate`; `github-token` then needs "
        "`statuses: write`, on Gitea `contents: write`.",
        name="commit-status",
        shown_default="none",
    )


class Scope(Struct, frozen=True, kw_only=True):
    """Whether this repository is enforced at all."""

    enabled: bool = setting(
        values.switch,
        "`false` switches the enforcement off, with a warning.",
        variable="ORCH_IMAGE_FRESHNESS_ENABLED",
        carrier="FRESHNESS_ENABLED",
        default="true",
    )
    repos: tuple[str, ...] = setting(
        values.repos,
        "Repositories to enforce, as `owner/name` patterns with `*` and `?`, separated by commas or blanks.",
        variable="ORCH_IMAGE_FRESHNESS_REPOS",
        carrier="FRESHNESS_REPOS",
        multiline=True,
        shown_default="all",
    )


def _settings_path(text: str) -> PurePosixPath | None:
    return None if text.lower() == "none" else values.relative_path(text)


class FileSettings(Struct, frozen=True, kw_only=True):
    """Which part of the files of settings counts. `path` is the commit's file from the Git tree's root, or None."""

    environment: str | None = setting(
        values.optional(
            values.matching(r"[a-z0-9][a-z0-9_-]*", "an environment's name", "Use lower case letters and digits.")
        ),
        "Environment whose part of the settings files counts, such as `eu`.",
        name="deploy-environment",
        shown_default="`staging` for the gate, `production` for everything else",
        flags=("-e", "--environment"),
    )
    path: PurePosixPath | None = setting(
        _settings_path,
        "File of settings in the commit, relative to the repository's root; `none`: none is read.",
        name="settings-file",
        default="freshness.toml",
    )
