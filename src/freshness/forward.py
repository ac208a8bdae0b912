"""Whether a promotion goes forward: the candidate is still the head, and has all that production runs."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from freshness.choice import Origin, confirm_now
from freshness.core.direction import insist_forward
from freshness.core.event import interpret
from freshness.core.revision import Candidate, Revision
from freshness.errors import Refused
from freshness.forge.event import read_event
from freshness.private_folder import private_folder
from freshness.repository.differ import differing_paths
from freshness.repository.find import find_revision
from freshness.repository.history import relation
from freshness.settings.model import PromoteSettings

NAMED_PATHS = 20
ABOUT_PULL_REQUESTS = re.compile(r"pull_request\w*|issue_comment|workflow_run|workflow_call")
"""Events that can be about a pull request. A dispatch is about none, unless `pr` names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """A promotion's questions to Git and the forge. `number` is the pull request's, None where none is named."""

    settings: PromoteSettings
    origin: Origin
    number: int | None

    def confirm_head(self, claimed: str) -> str:
        """In words that the head is still what the image was built from. Raises Superseded, or RepositoryError."""
        if not self.settings.recheck_head:
            return "not asked: `recheck-head` is false"
        return confirm_now(self.origin, self._candidate(claimed))

    def insist_forward(self, production: str, candidate: str) -> str:
        """How the candidate stands to the commit that production runs, in words. Raises Refused, or RepositoryError."""
        settings = self.settings
        found = relation(self.origin.repository, production, candidate, self.origin.address, number=self.number)
        return insist_forward(
            found,
            production=production,
            candidate=candidate,
            allow_rollback=settings.allow_rollback,
            allow_diverged=settings.allow_diverged,
        )

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
        return Candidate(commit=commit, source="the promotion", event="", note="", number=self.number)


@contextmanager
def advancing(settings: PromoteSettings, env: Mapping[str, str]) -> Iterator[Advance]:
    """Opens what the questions need; `env` is the run's own environment. Raises RepositoryError."""
    with private_folder(env) as folder:
        origin = Origin.find(settings, env, folder)
        yield Advance(settings=settings, origin=origin, number=settings.pr or _number_of_event(env))


def _number_of_event(env: Mapping[str, str]) -> int | None:
    """The pull request that the run is about, whose head the gate asked for too."""
    name, payload = read_event(env)
    return interpret(name, payload, env).number if ABOUT_PULL_REQUESTS.fullmatch(name) else None
