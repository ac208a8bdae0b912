"""Jobs of a forge: checkout, event and the runner's variables, against a real Git server that has the application."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.forge import NAME, TOKEN, Forge, serve_forge
from tests.support.git import Content, GitRepo
from tests.support.runner import Runner, Running, pull_request

NUMBER = 7
FORK = "eve/app"
GITEA = {"GITHUB_ACTIONS": "true", "GITEA_ACTIONS": "true", "ACT": "true"}
GITHUB = {"GITHUB_ACTIONS": "true"}
PLAIN_ACT = {"GITHUB_ACTIONS": "true", "ACT": "true"}

BLOCKED = {"CHECK_COMMAND": "sh -c 'echo blocked; until [ -e /tmp/go ]; do sleep 0.05; done'"}
"""A staging check that goes on until `unblock`, so that the world can change while the gate runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosted:
    """An application that a forge hosts. The application's own repository is its developer's: `push` publishes it."""

    runner: Runner
    forge: Forge

    @property
    def repo(self) -> GitRepo:
        return self.runner.app.repo

    def push(self, *references: str) -> None:
        """Pushes branches and tags, as `git push --force` takes them."""
        self.repo.git("push", "--quiet", "--force", self.forge.repo.url, *references)

    def open_pull_request(self, files: Mapping[str, Content] | None = None) -> str:
        """The head of pull request #7: one commit on the branch `feature`, on top of what is checked out."""
        self.repo.branch("feature")
        head = self.repo.commit(files or {"feature.txt": "new"}, "A feature")
        self.repo.switch("main")
        self.push("feature")
        self.forge.pull_request(NUMBER, head)
        return head

    def open_from_fork(self) -> str:
        """The head of pull request #7 from a fork: the base repository has it at refs/pull/7/head alone."""
        head = self.open_pull_request()
        self.forge.repo.git("branch", "--quiet", "-D", "feature")
        return head

    def move_head(self) -> str:
        """Another push to the pull request: its new head."""
        self.repo.switch("feature")
        head = self.repo.commit({"feature.txt": "newer"}, "Go on")
        self.repo.switch("main")
        self.push("feature")
        self.forge.pull_request(NUMBER, head)
        return head

    def merge_for_tests(self) -> str:
        """GitHub's merge of the head into the base, which it gives as GITHUB_SHA."""
        self.repo.branch("merge", "main")
        merge = self.repo.merge("feature")
        self.repo.switch("main")
        self.push(f"merge:refs/pull/{NUMBER}/merge")
        return merge

    def check_out(self, reference: str) -> GitRepo:
        """What actions/checkout leaves of one reference: one commit, detached."""
        checkout = GitRepo.init(Path(tempfile.mkdtemp(prefix="checkout-", dir=self.forge.folder)) / NAME)
        checkout.git("remote", "add", "origin", f"{self.forge.server.url}/{NAME}")
        there = f"refs/remotes/{reference.removeprefix('refs/')}"
        checkout.git("fetch", "--quiet", "--depth=1", "--no-tags", self.forge.repo.url, f"+{reference}:{there}")
        checkout.git("checkout", "--quiet", "--detach", there)
        return checkout

    def job(self, runner: Mapping[str, str], sha: str, checkout: GitRepo | None = None) -> dict[str, str]:
        """What a runner tells each of a job's steps, and its token; without a `checkout` the developer's clone."""
        return {
            **runner,
            "GITHUB_SERVER_URL": self.forge.server.url,
            "GITHUB_REPOSITORY": NAME,
            "GITHUB_SHA": sha,
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_WORKSPACE": str((checkout or self.repo).path),
        }

    def on_pull_request(
        self, head: str, *, name: str = "pull_request", repository: str = NAME, base: str = "main"
    ) -> dict[str, str]:
        """The variables of an event of pull request #7."""
        event = pull_request(self.forge.folder / "event.json", head, repository=repository)
        return {**event, "GITHUB_EVENT_NAME": name, "GITHUB_BASE_REF": base}

    def on(self, name: str, payload: object) -> dict[str, str]:
        """The variables of any other event."""
        path = self.forge.folder / "event.json"
        path.write_text(json.dumps(payload))
        return {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(path), "GIT_SHA": ""}

    def on_comment(self) -> dict[str, str]:
        """A comment on pull request #7: neither forge's payload has the head."""
        return self.on("issue_comment", {"action": "created", "issue": {"number": NUMBER, "pull_request": {}}})

    def on_dispatch(self, **inputs: str) -> dict[str, str]:
        """A person started the workflow; `inputs` are settings by their variables."""
        return {**self.on("workflow_dispatch", {"inputs": {}, "workflow": "deploy.yml"}), **inputs}

    def is_untouched(self) -> bool:
        """Whether nothing was built, and staging was not started."""
        images = self.runner.sandbox.docker.images.list(self.runner.app.staging_image)
        return not images and not self.runner.containers(self.runner.app.staging)

    @contextmanager
    def while_checking(self, **variables: str) -> Iterator[Running]:
        """A gate, and a block that runs while its staging check does."""
        running = self.runner.start_gate(**BLOCKED, **variables)
        running.wait_for("│ blocked")
        yield running
        self.runner.in_staging("touch", "/tmp/go")  # noqa: S108 -- the container's own

    def stop_serving(self) -> None:
        """The forge goes down: nothing answers at its address any more."""
        self.forge.server.shutdown()
        self.forge.server.server_close()


@contextmanager
def host(runner: Runner, folder: Path) -> Iterator[Hosted]:
    """Serves the application's repository as `org/app`, by ids too, to whoever has the job's token."""
    with serve_forge(folder) as forge:
        forge.allow_ids()
        forge.repo.git("config", "receive.denyCurrentBranch", "ignore")
        hosted = Hosted(runner=runner, forge=forge)
        hosted.push("main")
        yield hosted
