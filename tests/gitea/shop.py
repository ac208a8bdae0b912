"""The guide's first deployment on a real Gitea: its files, with names and ports of a test's own."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.gitea.server import SECONDS, Gitea, Rejected, Run
from tests.support.engines import ROOT, Sandbox, free_port
from tests.support.git import Content, GitRepo

ACTION, CHECKOUT = "tools/freshness-action", "actions/checkout"
WORKFLOW, CHECK = ".gitea/workflows/deploy.yml", "scripts/staging_check.py"
SLOW = "import time\n\ntime.sleep(8)\n"
"""Put before the staging check, so that a test has time to meet it at work."""
STAND_IN = """
name: checkout
inputs:
  persist-credentials: {default: "true"}
runs:
  using: composite
  steps:
    - shell: bash
      env:
        TOKEN: ${{ github.token }}
      run: |
        git init --quiet .
        git remote add origin "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY"
        git -c "http.extraheader=AUTHORIZATION: basic $(printf 'x-access-token:%s' "$TOKEN" | base64 --wrap 0)" \\
          fetch --quiet --no-tags --depth 1 origin "+$GITHUB_SHA:refs/remotes/origin/checked-out"
        git checkout --quiet --detach refs/remotes/origin/checked-out
"""
"""For actions/checkout, which is on no package index: the one commit of GITHUB_SHA, and no credentials left behind."""


def publish_actions(gitea: Gitea, folder: Path) -> dict[str, str]:
    """Puts this repository's HEAD, and a checkout action, where the workflow looks for them. Returns their commits."""
    for repository in (ACTION, CHECKOUT):
        owner, name = repository.split("/")
        gitea.api("POST", "/orgs", {"username": owner})
        gitea.api("POST", f"/orgs/{owner}/repos", {"name": name, "default_branch": "main"})
    GitRepo(ROOT).git("push", "--quiet", gitea.address(ACTION), "HEAD:refs/heads/main")
    checkout = GitRepo.init(folder)
    checkout.commit({"action.yml": STAND_IN})
    checkout.git("push", "--quiet", gitea.address(CHECKOUT), "HEAD:refs/heads/main")
    return {ACTION: GitRepo(ROOT).head(), CHECKOUT: checkout.head()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A repository on Gitea, and a clone of it, `repo`, with the remote `origin`. `pins` are the actions' commits."""

    gitea: Gitea
    pins: Mapping[str, str]
    sandbox: Sandbox
    repo: GitRepo
    name: str
    staging_port: int
    production_port: int

    @classmethod
    def open(cls, gitea: Gitea, pins: Mapping[str, str], sandbox: Sandbox, folder: Path) -> Self:
        shop = cls(
            gitea=gitea,
            pins=pins,
            sandbox=sandbox,
            repo=GitRepo.init(folder),
            name=f"acme/{sandbox.name}",
            staging_port=free_port(),
            production_port=free_port(),
        )
        gitea.api("POST", "/orgs/acme/repos", {"name": sandbox.name, "default_branch": "main"})
        shop.repo.git("remote", "add", "origin", gitea.address(shop.name))
        shop.repo.commit(shop._files())
        shop.push("main")
        return shop

    def push(self, branch: str) -> None:
        self.repo.git("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")

    def commit(self, branch: str, files: Mapping[str, Content], *, start: str = "origin/main") -> str:
        """Pushes a branch that begins at `start`, with one commit more. Returns the commit's id."""
        self.repo.git("fetch", "--quiet", "origin")
        self.repo.git("switch", "--quiet", "--force-create", branch, start)
        commit = self.repo.commit(files)
        self.push(branch)
        return commit

    def pull(self, branch: str, *, token: str = "") -> int:
        """Opens a pull request of the branch. Returns its number."""
        body = {"head": branch, "base": "main", "title": branch}
        made = _soon(lambda: self.gitea.api("POST", f"/repos/{self.name}/pulls", body, token=token))
        number: int = made["number"]
        return number

    def merge(self, number: int) -> str:
        """Returns the main branch's new tip."""
        self.gitea.api("POST", f"/repos/{self.name}/pulls/{number}/merge", {"Do": "merge"})
        self.repo.git("fetch", "--quiet", "origin")
        return self.repo.head("origin/main")

    def started_by(self, deed: Callable[[], object]) -> Run:
        """Does it. Returns the run that it starts."""
        before, deadline = self._runs(), time.monotonic() + SECONDS
        deed()
        while time.monotonic() < deadline:
            if new := self._runs() - before:
                return Run(gitea=self.gitea, repository=self.name, number=max(new))
            time.sleep(0.2)
        raise AssertionError("no run began")

    def dispatch(self, **inputs: str) -> Run:
        """Starts the workflow by hand on the main branch."""
        path = f"/repos/{self.name}/actions/workflows/deploy.yml/dispatches"
        body = {"ref": "main", "inputs": inputs}
        return self.started_by(lambda: _soon(lambda: self.gitea.api("POST", path, body)))

    def served(self, port: int) -> str:
        """The commit that what answers there was built from."""
        return self.sandbox.wait_for(port, "/version").strip()

    def add_status_jobs(self) -> None:
        """Puts the jobs of docs/pull-request.md, which set the commit status, into the workflow of the main branch."""
        workflow = self._files()[WORKFLOW] + "\n" + self._pinned(_status_jobs())
        self.commit("main", {WORKFLOW: workflow})

    def comments(self, number: int) -> list[dict[str, Any]]:
        """The comments on the pull request, as the server returns them."""
        found: list[dict[str, Any]] = self.gitea.api("GET", f"/repos/{self.name}/issues/{number}/comments")
        return found

    def comment(self, number: int) -> str:
        """The text of the only one."""
        (comment,) = self.comments(number)
        return str(comment["body"])

    def status(self, commit: str, context: str = "freshness/gate") -> list[tuple[str, str]]:
        """The states that the commit's status of that name had, the newest first, with their words."""
        found = self.gitea.api("GET", f"/repos/{self.name}/statuses/{commit}?limit=50")
        found = sorted((one for one in found if one["context"] == context), key=lambda one: -int(one["id"]))
        return [(one["status"], one["description"]) for one in found]

    def check(self) -> dict[str, Content]:
        """The guide's own staging check."""
        return {CHECK: self._files()[CHECK]}

    def slow_check(self) -> dict[str, Content]:
        return {CHECK: SLOW + self._files()[CHECK]}

    def _runs(self) -> set[int]:
        return {run["id"] for run in self.gitea.api("GET", f"/repos/{self.name}/actions/runs")["workflow_runs"]}

    def _files(self) -> dict[str, str]:
        compose, dockerfile, check, workflow = (
            _block(step, language) for step, language in ((2, "yaml"), (3, "dockerfile"), (4, "python"), (5, "yaml"))
        )
        compose = compose.replace("8501", str(self.staging_port)).replace("8500", str(self.production_port))
        compose = re.sub(r"^name: shop$", f"name: {self.sandbox.name}", compose, flags=re.MULTILINE)
        compose = re.sub(r"image: shop", f"image: {self.sandbox.name}", compose)
        return {"compose.yaml": compose, "Dockerfile": dockerfile, CHECK: check, WORKFLOW: self._workflow(workflow)}

    def _workflow(self, text: str) -> str:
        """The guide's, with its defaults for ports, and pinned by the commits that lie on this Gitea."""
        text = self._pinned(re.sub(r"actions/checkout@\S+.*", f"{CHECKOUT}@{self.pins[CHECKOUT]}", text))
        staging = f"port: {self.staging_port}\n          prod-port: {self.production_port}"
        for service, ports in (("shop-staging", staging), ("shop", f"port: {self.production_port}")):
            text = re.sub(rf"^( +)service: {service}$", rf"\g<0>\n\1{ports}", text, flags=re.MULTILINE)
        return text

    def _pinned(self, text: str) -> str:
        return text.replace("org/freshness-action", ACTION).replace("<full commit id of v1.0.0>", self.pins[ACTION])


def _status_jobs() -> str:
    """The block of the page about pull requests that is to be added to the workflow."""
    text = (ROOT / "docs/pull-request.md").read_text(encoding="utf-8")
    found = re.search(r"^```yaml\n(  pending:\n.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert found, "the page has no block with the jobs of the status"
    return found[1]


def _soon(deed: Callable[[], Any]) -> Any:
    """What the deed returns, once Gitea does not reject it: it gets to know what was pushed a moment later."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return deed()
        except Rejected:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _block(step: int, language: str) -> str:
    """The code block of a step of the guide's first deployment."""
    text = (ROOT / "docs/getting-started.md").read_text(encoding="utf-8")
    found = re.search(rf"^\*\*{step}\. .*?^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert found, f"the guide has no step {step} with a block of {language}"
    return found[1]
