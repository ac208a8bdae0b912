"""The run as its runner describes it: the one reader of what GitHub, Gitea and act set for a job."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


def _variable(name: str) -> Any:
    return field(default="", metadata={"variable": name})


def _reported(name: str) -> Any:
    return field(default="", metadata={"variable": name, "reported": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is not set is empty. `sha` is as it was given; `commit` is what both forges' ids are compared with."""

    repository: str = _reported("GITHUB_REPOSITORY")
    server_url: str = _reported("GITHUB_SERVER_URL")
    api_url: str = _variable("GITHUB_API_URL")
    event: str = _reported("GITHUB_EVENT_NAME")
    event_path: str = _variable("GITHUB_EVENT_PATH")
    sha: str = _reported("GITHUB_SHA")
    ref: str = _reported("GITHUB_REF")
    base_ref: str = _variable("GITHUB_BASE_REF")
    actor: str = _reported("GITHUB_ACTOR")
    id: str = _reported("GITHUB_RUN_ID")
    number: str = _reported("GITHUB_RUN_NUMBER")
    attempt: str = _reported("GITHUB_RUN_ATTEMPT")
    workflow: str = _reported("GITHUB_WORKFLOW")
    job: str = _reported("GITHUB_JOB")
    runner: str = _reported("RUNNER_NAME")
    workspace: str = _variable("GITHUB_WORKSPACE")
    output: str = _variable("GITHUB_OUTPUT")
    step_summary: str = _variable("GITHUB_STEP_SUMMARY")
    temp: str = _variable("RUNNER_TEMP")
    actions: str = _variable("GITHUB_ACTIONS")
    gitea: str = _variable("GITEA_ACTIONS")
    act: str = _variable("ACT")
    container: str = _variable("JOB_CONTAINER_NAME")

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "Run":
        """Reads the environment."""
        return cls(**{each.name: env.get(each.metadata["variable"], "") for each in fields(cls)})

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
        known = {
            each.metadata["variable"]: getattr(self, each.name) for each in fields(self) if "reported" in each.metadata
        }
        return {name: value for name, value in known.items() if value}
