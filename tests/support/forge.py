"""A forge's Git server with one repository, `org/app`, that demands the job's token."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from freshness.core.secret import Secret
from freshness.git.address import ForgeAddress
from tests.support.git import GitRepo
from tests.support.git_server import GitServer, serve_git

NAME = "org/app"
TOKEN = "ghs_0123456789"  # noqa: S105 -- that of no forge
AUTHORIZATION = "Basic " + b64encode(f"x-access-token:{TOKEN}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Forge:
    """`repo` is what the server serves; commits made there are pushed commits."""

    repo: GitRepo
    server: GitServer
    folder: Path

    @property
    def address(self) -> ForgeAddress:
        return ForgeAddress(server_url=self.server.url, repository=NAME, token=Secret(TOKEN))

    def allow_ids(self) -> None:
        """Serves commits by their ids, as Gitea and GitHub do."""
        self.repo.git("config", "uploadpack.allowAnySHA1InWant", "true")

    def pull_request(self, number: int, commit: str) -> None:
        """Sets the pull request's head, as the forge does when somebody pushes."""
        self.repo.git("update-ref", f"refs/pull/{number}/head", commit)

    def clone(self, name: str, *options: str) -> GitRepo:
        return GitRepo.clone(self.repo.url, self.folder / name, *options)

    def shallow_clone(self, ref: str = "main") -> GitRepo:
        """One commit and one reference, as actions/checkout leaves it."""
        return self.clone("shallow", "--depth=1", "--no-tags", "--single-branch", f"--branch={ref}")


@contextmanager
def serve_forge(folder: Path) -> Iterator[Forge]:
    repo = GitRepo.init(folder / "forge" / NAME)
    with serve_git(folder / "forge", authorization=AUTHORIZATION) as server:
        yield Forge(repo, server, folder)
