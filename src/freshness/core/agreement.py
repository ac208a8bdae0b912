"""Decides whether all that name a pull request's head name the same commit, and answers what only the server knows."""

from collections.abc import Mapping

from msgspec.structs import replace

from freshness.core.fork import UNKNOWN_REPOSITORY
from freshness.core.quoting import quoted
from freshness.core.revision import Candidate, Question, head_ref, number_of_head
from freshness.errors import Refused, Superseded

References = Mapping[str, str]
"""What the server says now: the full names of references and the commits they stand at, tags peeled."""

MOVED = "The pull request has moved on: wait for the run of its newest commit, or push again."


def agree(number: int, said: Mapping[str, str]) -> None:
    """Raises Superseded, with what each source said, unless all say the same commit."""
    if len(set(said.values())) > 1:
        raise disagreement(f"Pull request #{number}", said)


def disagreement(about: str, said: Mapping[str, object]) -> Superseded:
    """What to raise where the sources do not say the same commit: what each said, an empty text being none."""
    each = ", ".join(
        f"{source} says {quoted(commit)}" if commit else f"{source} names none" for source, commit in said.items()
    )
    return Superseded(f"{about}: {each}; expected the same commit.", MOVED)


def settle(chosen: Candidate | Question, references: References) -> Candidate:
    """The commit, after the server was asked: its answer to a question, or a candidate that it does not contradict.

    Raises Superseded where a pull request's head is another commit by now, Refused where there is no such pull request.
    What the event left open is settled here: the pull request's number, and the origin (what a branch of the base
    repository stands at is its own).
    """
    candidate = _answer(chosen, references) if isinstance(chosen, Question) else _numbered(chosen, references)
    confirm_head(candidate, references)
    if candidate.fork == UNKNOWN_REPOSITORY and candidate.commit in branch_tips(references):
        return replace(candidate, fork=None)
    return candidate


def confirm_head(candidate: Candidate, references: References) -> None:
    """Raises Superseded where the candidate is of a pull request whose head is another commit by now."""
    if candidate.number is None:
        return
    ref = head_ref(candidate.number)
    earlier = f"{ref} as it was" if candidate.source == ref else candidate.source
    agree(candidate.number, {earlier: candidate.commit, ref: references.get(ref, "")})


def branch_tips(references: References) -> set[str]:
    """The commits that the repository's branches stand at."""
    return {commit for name, commit in references.items() if name.startswith("refs/heads/")}


def _numbered(candidate: Candidate, references: References) -> Candidate:
    if not candidate.unnumbered:
        return candidate
    for name, commit in references.items():
        number = number_of_head(name)
        if commit == candidate.commit and number is not None:
            return replace(candidate, number=number, unnumbered=False)
    raise Superseded(
        f"{candidate.source} says {candidate.commit}, but no refs/pull/N/head on the server is at that commit;"
        " expected the head of a pull request.",
        MOVED,
    )


def _answer(question: Question, references: References) -> Candidate:
    commit = references.get(question.ref)
    if commit is None:
        raise Refused(
            f"{question.asker} names pull request #{question.number}, but the server has no {question.ref}.",
            "Give the number of a pull request of this repository; this may be an issue.",
        )
    sha = question.sha
    why = f", and GITHUB_SHA {quoted(sha)} is not it" if sha not in {"", commit} else ""
    return Candidate(
        commit=commit,
        source=question.ref,
        event=question.event,
        note=(
            f"Commit {commit} is now the head of pull request #{question.number} on the server ({question.ref});"
            f" {question.asker} names only the pull request{why}."
        ),
        number=question.number,
        fork=UNKNOWN_REPOSITORY,
    )
