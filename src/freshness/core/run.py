"""The run as its runner describes it: the one reader of what GitHub, Gitea and act set for a job."""

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

_UNREPORTED = {"api_url", "event_path", "base_ref", "workspace", "output", "step_summary", "temp", "actions", "gitea"}
_UNREPORTED |= {"act", "container"}


class Run(Struct, frozen=True, kw_only=True):
    """What is not set is empty. `sha` is as it was given; `commit` is what both forges' ids are compared with."""

    repository: str = field(default="", name="GITHUB_REPOSITORY")
    server_url: str = field(default="", name="GITHUB_SERVER_URL")
    api_url: str = field(default="", name="GITHUB_API_URL")
    event: str = field(default="", name="GITHUB_EVENT_NAME")
    event_path: str = field(default="", name="GITHUB_EVENT_PATH")
    sha: str = field(default="", name="GITHUB_SHA")
    ref: str = field(default="", name="GITHUB_REF")
    base_ref: str = field(default="", name="GITHUB_BASE_REF")
    actor: str = field(default="", name="GITHUB_ACTOR")
    id: str = field(default="", name="GITHUB_RUN_ID")
    number: str = field(default="", name="GITHUB_RUN_NUMBER")
    attempt: str = field(default="", name="GITHUB_RUN_ATTEMPT")
    workflow: str = field(default="", name="GITHUB_WORKFLOW")
    job: str = field(default="", name="GITHUB_JOB")
    runner: str = field(default="", name="RUNNER_NAME")
    workspace: str = field(default="", name="GITHUB_WORKSPACE")
    output: str = field(default="", name="GITHUB_OUTPUT")
    step_summary: str = field(default="", name="GITHUB_STEP_SUMMARY")
    temp: str = field(default="", name="RUNNER_TEMP")
    actions: str = field(default="", name="GITHUB_ACTIONS")
    gitea: str = field(default="", name="GITEA_ACTIONS")
    act: str = field(default="", name="ACT")
    container: str = field(default="", name="JOB_CONTAINER_NAME")

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "Run":
        """Reads the environment."""
        return cls(**{name: env.get(variable, "") for name, variable in _variables()})

    @property
    def commit(self) -> str:
        return self.sha.lower()

    @property
    def is_gitea(self) -> bool:
        """Gitea's runner sets ACT as well, so Gitea is asked first."""
        return self.gitea.lower() == "true"

    @property
    def is_act(self) -> bool:
        """A plain act run: its GITHUB_SHA is the local HEAD, and its server address is a guess."""
        return self.act.lower() == "true" and not self.is_gitea

    @property
    def has_forge(self) -> bool:
        """Whether a forge made this run, so that it can be asked for a pull request's head and for branches."""
        return bool(self.server_url) and not self.is_act

    @property
    def reported(self) -> dict[str, str]:
        """What a report repeats, by the variables' names."""
        known = {variable: getattr(self, name) for name, variable in _variables() if name not in _UNREPORTED}
        return {name: value for name, value in known.items() if value}


def _variables() -> Iterator[tuple[str, str]]:
    """Each field, and the variable that it is called by outside."""
    return zip(Run.__struct_fields__, Run.__struct_encode_fields__, strict=True)
