"""Which commit is meant: what the event and the settings name, held against what the forge says now."""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from freshness.ci.event_file import read_event
from freshness.ci.forge_api import is_own_pull_request
from freshness.core.agreement import References, settle
from freshness.core.event import choose, interpret
from freshness.core.fork import UNKNOWN_REPOSITORY
from freshness.core.revision import Candidate, Question, Revision
from freshness.core.run import Run
from freshness.errors import Refused, RepositoryError
from freshness.git.address import ForgeAddress, is_web_address
from freshness.git.ask import ask_references
from freshness.git.checkout import Repository, is_there, open_or_make, open_repository
from freshness.git.find import find_revision
from freshness.git.history import behind_base
from freshness.git.local import local_references
from freshness.git.reach import require_reachable
from freshness.settings.model import GateSettings, PromoteSettings

ACT_GUESS = "https://github.com"
"""What act says where it is told nothing."""
NOT_ASKED = (
    "The forge was not asked whether the commit is still the pull request's head: `recheck-head` is false (the"
    " default outside a forge's own runs)."
)


class GitSource(Struct, frozen=True, kw_only=True):
    """Where commits come from: the checkout, or a bare repository of our own. `address` is None without a forge."""

    repository: Repository
    address: ForgeAddress | None

    @property
    def key(self) -> str:
        """The repository, whatever clone of it this is: by its address, else by its folder."""
        return self.address.url if self.address else os.path.realpath(self.repository.path)

    @classmethod
    def find(cls, settings: GateSettings | PromoteSettings, env: Mapping[str, str], folder: Path) -> "GitSource":
        """Opens the checkout, or makes a repository in `folder`, which is ours. Raises RepositoryError."""
        address = forge_address(settings, env)
        return cls(repository=open_or_make(settings.source.folder, address, folder), address=address)


def forge_address(settings: GateSettings | PromoteSettings, env: Mapping[str, str]) -> ForgeAddress | None:
    """Where the forge serves the repository. A plain act run guesses it, unless a person names a server or a token."""
    run = Run.of(env)
    guessed = run.is_act and run.server_url == ACT_GUESS
    if guessed and settings.source.token is None and not settings.head.recheck:
        return None
    return ForgeAddress.from_environment(env, settings.source.token)


def find_checkout(settings: GateSettings | PromoteSettings) -> Repository | None:
    """The checkout, or None where there is none. Raises RepositoryError for one that cannot be opened."""
    return open_repository(settings.source.folder) if is_there(settings.source.folder) else None


def permitted_revision(
    git_source: GitSource,
    settings: GateSettings,
    candidate: Candidate,
    references: References | None,
    env: Mapping[str, str],
) -> Revision:
    """The candidate as a Revision, once nothing speaks against it: who has it, and whether it is up to date.

    `env` is the run's own environment. Raises Refused, and RepositoryError.
    """
    revision = find_revision(git_source.repository, candidate, git_source.address)
    if candidate.is_explicit:
        require_own_commit(git_source, candidate, references, env)
    if settings.forks.require_up_to_date:
        refuse_outdated(git_source, candidate, references, Run.of(env).base_ref)
    return revision


def require_own_commit(
    git_source: GitSource, candidate: Candidate, references: References | None, env: Mapping[str, str]
) -> str:
    """In words, where this repository has the commit of `revision`. Raises Refused, and RepositoryError."""

    def is_own(number: int) -> bool:
        address, api_url = git_source.address, Run.of(env).api_url
        if address is None or not is_web_address(api_url):
            return False
        return is_own_pull_request(api_url, address.repository, number, address.server_url, address.token)

    return require_reachable(git_source.repository, candidate, references, git_source.address, is_own)


def refuse_outdated(git_source: GitSource, candidate: Candidate, references: References | None, base: str) -> None:
    """Raises Refused, with the number, where the pull request's branch lacks commits of its base."""
    known = references if references is not None else local_references(git_source.repository)
    tip = known.get(f"refs/heads/{base}") or known.get(f"refs/remotes/origin/{base}")
    lacks = (
        behind_base(git_source.repository, candidate.commit, tip, git_source.address, number=candidate.number)
        if tip
        else None
    )
    if lacks == 0:
        return
    if lacks is None:
        raise Refused(
            f"cannot tell whether {candidate.commit} has all commits of its base {base or '(none is named)'}.",
            "`require-up-to-date` is for pull requests; check out with `fetch-depth: 0`, or set it to false.",
        )
    raise Refused(
        f"{candidate.commit} lacks {lacks} commits of its base {base}.",
        "Merge or rebase onto the base, and push again.",
    )


def confirm_still_head(git_source: GitSource, candidate: Candidate) -> str:
    """Asks the forge once more, in words: raises Superseded where the pull request's head is another commit by now."""
    if candidate.number is None and not candidate.unnumbered:
        return "it is not a pull request, so no head could have moved"
    if git_source.address is None:
        raise no_forge_error()
    confirmed = settle(candidate, ask_references(git_source.repository, git_source.address))
    return f"the head of pull request #{confirmed.number} is still {confirmed.commit}"


def resolve_candidate(
    env: Mapping[str, str],
    *,
    revision: str | None,
    pr: int | None,
    recheck_head: bool,
    address: ForgeAddress | None,
    checkout: Repository | None,
) -> tuple[Candidate, References | None]:
    """The commit that the event, `revision` or `pr` names, and what the forge said where it was asked: one request.

    It is asked what only it knows (where there is an `address`), and with `recheck_head` whether it contradicts.
    `checkout` is only where credentials are found. Raises Refused, Superseded, SettingsError for the event file, and
    RepositoryError where the forge has to be asked and cannot be.
    """
    name, payload = read_event(env)
    chosen = interpret(name, payload, env, revision=revision, pr=pr)
    if isinstance(chosen, Question) and address is None and not recheck_head:
        return choose(name, payload, env, revision, pr), None
    if not (isinstance(chosen, Question) or (recheck_head and needs_forge(chosen))):
        return chosen, None
    if address is None:
        raise no_forge_error(can_be_left=isinstance(chosen, Candidate))
    references = ask_references(checkout, address)
    return settle(chosen, references), references


def needs_forge(candidate: Candidate) -> bool:
    """Whether the forge can contradict: a pull request's head moves, and only the forge knows whose a commit is."""
    has_head = candidate.number is not None or candidate.unnumbered
    return has_head or candidate.is_explicit or candidate.fork == UNKNOWN_REPOSITORY


def no_forge_error(*, can_be_left: bool = True) -> RepositoryError:
    """The forge has to be asked, and there is none; `can_be_left` where the commit is known without it."""
    return RepositoryError(
        "The forge must be asked, but GITHUB_SERVER_URL and GITHUB_REPOSITORY do not name it.",
        "Set both, or set `recheck-head` to false, of which the log warns." if can_be_left else "Set both.",
    )
