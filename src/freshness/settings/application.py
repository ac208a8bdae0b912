"""What is said of an application: how each service is reached and proven, and which jobs run around the switch."""

from msgspec import Struct

from freshness.core.question import Question
from freshness.settings import values
from freshness.settings.declaration import setting
from freshness.settings.kinds import CommandCheck, HealthKind, ScriptCheck, Stage


class ServiceSettings(Struct, frozen=True, kw_only=True):
    """One service. What is None here is for Compose to say.

    `port` is the one it publishes on the Docker host. `health` None: HTTP where there is a port or a path, else its
    HEALTHCHECK. `headers` are in the order given, `Host` among them. `check_timeout` is in seconds.
    """

    name: str
    port: int | None = setting(
        values.optional(values.port),
        "Port of the service on the Docker host.",
        shown_default="the one that Compose publishes",
    )
    health: HealthKind | None = setting(
        values.optional(values.choice(HealthKind)),
        "How the service is checked: `http`, its `healthcheck`, or only that it is `running` for the hold time.",
        shown_default="`http` where there is a port or a path, else `healthcheck`",
    )
    health_path: str | None = setting(
        values.optional(values.http_path), "HTTP path that answers once the service is healthy."
    )
    headers: tuple[tuple[str, str], ...] = setting(
        values.headers, "Headers of the health request, such as `Host`.", multiline=True
    )
    https: bool = setting(values.switch, "`true` asks for health with https.", default="false")
    verify_certificate: bool = setting(values.switch, "`false` accepts any certificate with https.", default="true")
    statuses: frozenset[int] = setting(
        values.statuses, "HTTP statuses that count as healthy, such as `2xx` and `401`.", default="2xx", words=True
    )
    check_path: str | None = setting(
        values.optional(values.script_path), "Staging check: a Python script inside the container."
    )
    check_mode: str = setting(values.word, "What the check script gets as `--mode`.", default="stub")
    check_command: tuple[str, ...] | None = setting(
        values.optional(values.command), "Staging check: a command inside the container, no shell."
    )
    check_timeout: float | None = setting(
        values.optional(values.number(1, 86400, "seconds")), ("Time limit of the staging check, in seconds.")
    )

    @property
    def question(self) -> Question:
        """How it is asked over HTTP."""
        return Question(
            headers=self.headers, https=self.https, verifies=self.verify_certificate, statuses=self.statuses
        )

    @property
    def check(self) -> ScriptCheck | CommandCheck | None:
        """The service's own staging check, or None where it has none."""
        if self.check_command:
            return CommandCheck(argv=self.check_command)
        return ScriptCheck(path=self.check_path, mode=self.check_mode) if self.check_path else None


class JobSettings(Struct, frozen=True, kw_only=True):
    """A service that runs once, to its end, for `timeout` seconds. `is_shared`: another environment has it too."""

    service: str
    is_shared: bool = False
    stage: Stage = setting(values.choice(Stage), "When it runs: `pre-deploy`, or `post-deploy`.", default="pre-deploy")
    timeout: float = setting(values.number(1, 86400, "seconds"), "Time limit of the job, in seconds.", default="600")


class ApplicationSettings(Struct, frozen=True, kw_only=True):
    """The services of one commit, the first of which the inputs speak of, and its jobs in the order they run."""

    services: tuple[ServiceSettings, ...]
    pre_deploy: tuple[JobSettings, ...] = ()
    post_deploy: tuple[JobSettings, ...] = ()

    @property
    def jobs(self) -> tuple[JobSettings, ...]:
        """Those of both."""
        return self.pre_deploy + self.post_deploy
