"""Speaks to the forge's Git server: with the job's credentials, to the forge's own address and to no other host."""

from collections.abc import Sequence

import pygit2

from freshness.core.hexid import is_full_id
from freshness.core.secret import Secret
from freshness.errors import RepositoryError
from freshness.git.address import NOT_TRUSTED, TRUST_IT, ForgeAddress
from freshness.git.deploy_key import DeployKey, find_deploy_key, trusting
from freshness.git.sound import require_intact

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
KEPT = "refs/freshness"
"""Where what is fetched stands until it is there; nothing of it is left."""


class NotServed(Exception):
    """The server answered, and does not give these commits by their ids; caught in this room."""


class Transfer(pygit2.RemoteCallbacks):
    """Sends `headers` with every request, or signs with `key`; keeps libgit2 from following a redirect elsewhere."""

    def __init__(self, headers: tuple[Secret, ...], key: DeployKey | None = None) -> None:
        super().__init__()
        self._headers = headers
        self._key = key
        self._asked = False

    def custom_headers(self) -> list[str]:
        return [header.reveal() for header in self._headers]

    def credentials(self, url: str, username_from_url: str | None, allowed_types: object) -> pygit2.Keypair:  # noqa: ARG002 -- pygit2's names
        """libgit2 asks again for as long as it is given what the server refuses."""
        if self._key is None:
            raise pygit2.Passthrough
        if self._asked:
            raise pygit2.AuthError("the server refuses the deploy key")
        self._asked = True
        return self._key.credential()

    def certificate_check(self, certificate: None, valid: bool, host: bytes) -> bool:  # noqa: ARG002, FBT001 -- pygit2's
        """Left to pygit2, every ssh host would do."""
        return valid

    def __setattr__(self, name: str, value: object) -> None:
        """pygit2 offers no other way to these options than the moment when it stores them here."""
        if name == "fetch_options":
            value.follow_redirects = NO_REDIRECT_TO_ANOTHER_HOST  # type: ignore[attr-defined]
            value.update_fetchhead = 0  # type: ignore[attr-defined]
            value.download_tags = NO_TAGS  # type: ignore[attr-defined]
        super().__setattr__(name, value)


def exchange(
    repository: pygit2.Repository,
    address: ForgeAddress,
    sources: Sequence[str],
    *,
    depth: int,
    doing: str,
    checkout: pygit2.Repository | None = None,
    instead: str = "; or check out with `fetch-depth: 0`",
) -> pygit2.Remote:
    """Fetches `sources` (ids, references, or patterns of them), so many commits deep; 0 is all that is missing.

    `checkout` is where credentials may be found, if not in the repository that is fetched into. `instead` ends the
    advice where nobody answers: what makes this request needless.

    A reference that the server lacks is passed over; for ids that it does not give, `NotServed`. `RepositoryError`,
    which begins with `doing`, where it cannot be reached, does not let us in, or sends us elsewhere; and for a damaged
    repository.
    """
    require_intact(repository)
    headers = find_credentials(checkout or repository, address)
    key = None if headers else find_deploy_key(checkout or repository, address)
    remote = open_remote(repository, key.url if key else address.url)
    refspecs = [f"+{one}:{KEPT}/{one}" for one in sources]
    try:
        with trusting(key, address):
            # proxy=True: what HTTPS_PROXY, NO_PROXY and http.proxy say, as Git itself does
            remote.fetch(refspecs, callbacks=Transfer(headers, key), depth=depth, proxy=True)
    except pygit2.GitError as error:
        if all(map(is_full_id, sources)) and any(sign in str(error) for sign in NOT_SERVED):
            raise NotServed from error
        raise explain(error, doing, remote.url or address.url, address.proxy, instead) from error
    finally:
        for name in repository.references:
            if name.startswith(f"{KEPT}/"):
                repository.references.delete(name)
    return remote


def open_remote(repository: pygit2.Repository, url: str) -> pygit2.Remote:
    remote = repository.remotes.create_anonymous(url)
    if remote.url != url:
        raise RepositoryError(
            f"Git's configuration (`url.….insteadOf`) sends {url} elsewhere, where no token is sent.",
            "Remove the setting, or check out with `fetch-depth: 0`.",
        )
    return remote


def find_credentials(repository: pygit2.Repository, address: ForgeAddress) -> tuple[Secret, ...]:
    """The job's token, else what actions/checkout left for exactly this server (v6 and newer by an includeIf)."""
    if address.authorization is not None:
        return (address.authorization,)
    left = repository.config.get_multivar(f"http.{address.origin}/.extraheader")
    return tuple(Secret(header) for header in left if header and header.isprintable())


def explain(error: pygit2.GitError, doing: str, url: str, proxy: str, instead: str) -> RepositoryError:
    """`proxy` is the variable that names one for an http address, to which libgit2 goes past it."""
    refused = isinstance(error, pygit2.AuthError) or "authenticate" in str(error)
    if "certificate" in str(error):  # libgit2 calls it "rejected" by a user, who is our `certificate_check`
        return RepositoryError(f"{doing} from {url}: {NOT_TRUSTED}.", TRUST_IT)
    what = "the server rejects the credentials" if refused else str(error)
    if proxy and not refused and url.startswith("http://"):
        return RepositoryError(
            f"{doing} from {url}: {what}. {proxy} names a proxy, and libgit2 uses none for http:// addresses.",
            "Use an https:// address of the forge (its proxy is https_proxy), or let this machine reach it without"
            " a proxy and name its host in `no_proxy`. Or check out with `fetch-depth: 0`, and set `recheck-head` to"
            " false.",
        )
    return RepositoryError(
        f"{doing} from {url}: {what}.",
        f"Check the network, and that `github-token` may read the repository{instead}.",
    )
