"""Whether a promotion goes forward: the candidate is still the head, and has all that production runs."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from freshness.ci.event_file import read_event
from freshness.core.ancestry import IN_PRODUCTION, RAN_LAST, require_ancestry
from freshness.core.check import CheckName
from freshness.core.deployment import Deployment, Recorded
from freshness.core.event import interpret
from freshness.core.history import Comparison, Relation
from freshness.core.image import Image
from freshness.core.revision import Candidate, Revision
from freshness.core.run import Run
from freshness.errors import Refused
from freshness.git.differ import differing_paths
from freshness.git.find import find_revision
from freshness.git.history import relation
from freshness.git.resolve_commit import NOT_ASKED, GitSource, confirm_still_head
from freshness.process.private_folder import private_folder
from freshness.promotion.request import Request
from freshness.report.run_log import RunLog
from freshness.settings.model import PromoteSettings

NAMED_PATHS = 20
NOTHING = "Production runs nothing yet."
ABOUT_PULL_REQUESTS = re.compile(r"pull_request\w*|issue_comment|workflow_run|workflow_call")
"""Events that can be about a pull request. A dispatch is about none, unless `pr` names it."""


class Advance(Struct, frozen=True, kw_only=True):
    """A promotion's questions to Git and the forge. `number` is the pull request's, None where none is named.

    `unnumbered`: it is about one, and the event does not say which. `folder` is ours, `env` the run's own environment.
    """

    settings: PromoteSettings
    env: Mapping[str, str]
    folder: Path
    number: int | None
    unnumbered: bool = False

    @property
    def origin(self) -> GitSource:
        """Opened only where a question needs it: a first deployment asks none. Raises RepositoryError."""
        return GitSource.find(self.settings, self.env, self.folder)

    def confirm_head(self, claimed: str) -> str:
        """In words that the head is still what the image was built from. Raises Superseded, or RepositoryError."""
        if not self.settings.head.recheck:
            return "not asked: `recheck-head` is false"
        if self.number is None and not self.unnumbered:
            return "not asked: the promotion is about no pull request"
        return confirm_still_head(self.origin, self._candidate(claimed))

    def is_unknown(self, production: str, candidate: str) -> bool:
        """Whether the history does not tell how the candidate stands to that commit. Raises RepositoryError."""
        return self._relate(production, candidate).relation is Relation.UNKNOWN

    def require_ancestry(self, production: str, candidate: str, where: str = IN_PRODUCTION) -> str:
        """How the candidate stands to the commit that production runs, in words. Raises Refused, or RepositoryError."""
        settings = self.settings
        return require_ancestry(
            self._relate(production, candidate),
            production=production,
            candidate=candidate,
            allow_rollback=settings.ancestry.allow_rollback,
            allow_diverged=settings.ancestry.allow_diverged,
            where=where,
        )

    def _relate(self, production: str, candidate: str) -> Comparison:
        if production == candidate:  # which takes no history to know
            return Comparison(relation=Relation.SAME, ahead=0, behind=0)
        origin = self.origin
        return relation(origin.repository, production, candidate, origin.address, number=self.number)

    def insist_equal_trees(self, claimed: str, expected: str) -> str:
        """In words that both commits have one tree (`match: tree`). Raises Refused with the paths that differ."""
        one, other = self._look_up(claimed), self._look_up(expected)
        if one.tree == other.tree:
            return f"{claimed}, whose tree {one.tree} is that of {expected}"
        paths = differing_paths(self.origin.repository, claimed, expected)
        more = f" and {len(paths) - NAMED_PATHS} more" if len(paths) > NAMED_PATHS else ""
        raise Refused(
            f"the image is built from {claimed}, whose tree differs from that of {expected} in"
            f" {', '.join(paths[:NAMED_PATHS])}{more}; expected equal trees.",
            "Run the gate for that commit and promote the image ID that it gives.",
        )

    def _look_up(self, commit: str) -> Revision:
        return find_revision(self.origin.repository, self._candidate(commit), self.origin.address)

    def _candidate(self, commit: str) -> Candidate:
        return Candidate(
            commit=commit,
            source="the promotion",
            event="",
            note="",
            number=self.number,
            unnumbered=self.unnumbered,
        )


@contextmanager
def advancing(settings: PromoteSettings, env: Mapping[str, str]) -> Iterator[Advance]:
    """What the questions need; `env` is the run's own environment. Raises Refused for an event that names no commit."""
    number, unnumbered = (settings.head.pr, False) if settings.head.pr else _pull_request_of_event(env)
    with private_folder(env) as folder:
        yield Advance(settings=settings, env=env, folder=folder, number=number, unnumbered=unnumbered)


def _pull_request_of_event(env: Mapping[str, str]) -> tuple[int | None, bool]:
    """The pull request that the run is about, whose head the gate asked for too; whether it is about one unnumbered."""
    name, payload = read_event(env)
    if not ABOUT_PULL_REQUESTS.fullmatch(name):
        return None, False
    chosen = interpret(name, payload, env)
    return chosen.number, isinstance(chosen, Candidate) and chosen.unnumbered


def require_forward(
    request: Request, run: RunLog, production: Image | None, candidate: Image, last: Recorded | None
) -> str:
    """How the candidate stands to what runs: never backwards, never sideways. Empty where nobody asked.

    Raises Refused for a commit that is no head any more, or lacks what runs.

    Where nothing runs, `last` is what was recorded to have run last, None where nothing was.
    Where the guard is not in force nothing is asked, and a rollback is itself the permission to go back.
    """
    settings = request.settings
    claimed = candidate.revision(settings.source.label)
    if request.is_rollback or request.expected(candidate) is None or claimed is None:
        return ""
    with advancing(settings, request.run_env) as advance:
        with run.step(CheckName.HEAD, f"{claimed} as the pull request's head, still") as step:
            step.got = advance.confirm_head(claimed)
        if not settings.head.recheck:
            if Run.of(request.run_env).has_forge:
                run.warn("recheck-head", NOT_ASKED)
            else:
                run.note(NOT_ASKED)
        with run.step(CheckName.ANCESTRY, "a commit that builds on what production runs") as step:
            step.got = _stand_to(production, claimed, advance, last)
    run.notes.append(f"Before the first write: {step.got}")  # the log has it as the check's own line
    return step.got


def _stand_to(production: Image | None, claimed: str, advance: Advance, last: Recorded | None) -> str:
    if production is None:
        return _stand_to_last(claimed, advance, last.deployment) if last and last.deployment.image else NOTHING
    runs = production.revision(advance.settings.source.label)
    if runs is not None:
        return advance.require_ancestry(runs, claimed)
    if advance.settings.ancestry.require_known:
        raise Refused(
            f"production runs {production.id}, which names no commit, and `require-known` is true.",
            "Promote once with `require-known: false` to adopt what runs.",
        )
    return f"Production runs {production.id}, which names no commit: it is adopted, and unproven."


def _stand_to_last(claimed: str, advance: Advance, last: Deployment) -> str:
    """By the record: it outlives the container, and a change of the Engine's image store."""
    runs = f"Nothing runs here, and {last.image} was recorded to have run last"
    unknown = not last.revision or advance.is_unknown(last.revision, claimed)
    if not unknown:
        try:
            return f"{runs}. {advance.require_ancestry(last.revision, claimed, RAN_LAST)}"
        except Refused as error:
            raise Refused(f"{runs}: {error.args[0]}", error.remedy) from error
    why = f"its commit {last.revision} is not in the history" if last.revision else "it names no commit"
    if advance.settings.ancestry.require_known:
        raise Refused(
            f"nothing runs here, {last.image} was recorded to have run last, {why}, and `require-known` is true.",
            "Promote once with `require-known: false` to begin anew.",
        )
    return f"{runs}; {why}, so nobody knows whether this one builds on it."
