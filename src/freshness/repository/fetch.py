"""Fetches one commit from the forge's own address into the repository, and leaves no reference behind."""

import pygit2

from freshness.core.revision import Candidate
from freshness.core.secret import Secret
from freshness.errors import RepositoryError
from freshness.repository.address import ForgeAddress

NO_REDIRECT_TO_ANOTHER_HOST = 1
"""libgit2's GIT_REMOTE_REDIRECT_NONE. Its default follows the first redirect anywhere, with our headers."""
NO_TAGS = 2
"""libgit2's GIT_REMOTE_DOWNLOAD_TAGS_NONE: what is fetched leaves no reference in the checkout."""
NOT_SERVED = (
    "cannot fetch a specific object",
    "not our ref",
    "unexpected packet type",
    "could not read from remote repository",
)
"""What libgit2 says where a server takes no commit ids, or has not this one. The last two are its only words for a
server's refusal in the middle: with `depth` and without."""


class Transfer(pygit2.RemoteCallbacks):
    """Sends `headers` with every request and keeps libgit2 from following a redirect to another host."""

    def __init__(self, headers: tuple[Secret, ...]) -> None:
        super().__init__()
        self._headers = headers

    def custom_headers(self) -> list[str]:
        return [header.reveal() for header in self._headers]

    def __setattr__(self, name: str, value: object) -> None:
        """pygit2 offers no other way to these options than the moment when it stores them here."""
        if name == "fetch_options":
            value.follow_redirects = NO_REDIRECT_TO_ANOTHER_HOST  # type: ignore[attr-defined]
            value.update_fetchhead = 0  # type: ignore[attr-defined]
            value.download_tags = NO_TAGS  # type: ignore[attr-defined]
        super().__setattr__(name, value)


def fetch_commit(repository: pygit2.Repository, candidate: Candidate, address: ForgeAddress) -> None:
    """Brings the commit into the repository where the server has it, by its id or as the pull request's head.

    Nothing is raised where the server answers and does not have it: look it up. `RepositoryError` where the server
    cannot be reached, does not let us in, or sends us elsewhere.
    """
    remote = repository.remotes.create_anonymous(address.url)
    if remote.url != address.url:
        raise RepositoryError(
            f"Git's configuration (`url.….insteadOf`) sends {address.url} elsewhere, where no token is sent.",
            "Remove the setting, or check out with `fetch-depth: 0`.",
        )
    for source in list_sources(candidate):
        try:
            fetch_source(repository, remote, source, f"refs/freshness/{candidate.commit}", address)
        except pygit2.GitError as error:
            if source != candidate.commit or not any(sign in str(error) for sign in NOT_SERVED):
                raise explain(error, candidate, address) from error
        if candidate.commit in repository.odb:
            return


def list_sources(candidate: Candidate) -> list[str]:
    """What to ask a server for: the commit itself, then the head of its pull request, by the name on both forges."""
    return [candidate.commit] + ([f"refs/pull/{candidate.number}/head"] if candidate.number is not None else [])


def fetch_source(
    repository: pygit2.Repository, remote: pygit2.Remote, source: str, kept_as: str, address: ForgeAddress
) -> None:
    """Fetches `source`, and where the repository is shallow no history with it. The reference `kept_as` goes again."""
    transfer = Transfer(find_credentials(repository, address))
    depth = 1 if repository.is_shallow else 0
    try:
        # proxy=True: what HTTPS_PROXY, NO_PROXY and http.proxy say, as Git itself does
        remote.fetch([f"+{source}:{kept_as}"], callbacks=transfer, depth=depth, proxy=True)
    finally:
        if kept_as in repository.references:
            repository.references.delete(kept_as)


def find_credentials(repository: pygit2.Repository, address: ForgeAddress) -> tuple[Secret, ...]:
    """The job's token, else what actions/checkout left for exactly this server (v6 and newer by an includeIf)."""
    if address.authorization is not None:
        return (address.authorization,)
    left = repository.config.get_multivar(f"http.{address.origin}/.extraheader")
    return tuple(Secret(header) for header in left if header and header.isprintable())


def explain(error: pygit2.GitError, candidate: Candidate, address: ForgeAddress) -> RepositoryError:
    doing = f"fetching {candidate.commit} from {address.url}"
    what = "the server takes no credentials of ours" if isinstance(error, pygit2.AuthError) else str(error)
    return RepositoryError(
        f"{doing}: {what}.",
        "Check the network, and that `github-token` may read the repository; or check out with `fetch-depth: 0`.",
    )
