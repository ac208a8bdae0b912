"""Finds the commit that a gate is about, and what the repository says of it before anything is built."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from freshness.core.fork import refuse_fork
from freshness.core.quoting import quoted
from freshness.core.revision import Candidate, Revision
from freshness.core.run import Run
from freshness.gate.request import Request
from freshness.git.commit_file import read_commit_file
from freshness.git.resolve_commit import GitSource, find_checkout, forge_address, permitted_revision, resolve_candidate
from freshness.git.uncommitted import in_words, looking_for_uncommitted
from freshness.report.run_log import RunLog
from freshness.report.steps import Found
from freshness.settings.model import GateSettings
from freshness.settings.read import with_commits_file


class Commit(Struct, frozen=True, kw_only=True):
    """The validated commit, and the repository that has it."""

    origin: GitSource
    candidate: Candidate
    revision: Revision


def find_commit(request: Request, folder: Path, run: RunLog) -> Found[Commit]:
    settings, env = request.settings, request.run_env
    candidate, references = resolve_candidate(
        env,
        revision=settings.revision,
        pr=settings.head.pr,
        recheck_head=settings.head.recheck,
        address=forge_address(settings, env),
        checkout=find_checkout(settings),
    )
    run.found["candidate"] = candidate
    if Run.of(request.run_env).event or not candidate.is_explicit:  # else nothing was weighed
        run.log.say(candidate.note)
    refuse_fork(candidate, allowed=settings.forks.allow, allowed_with_secrets=settings.forks.allow_with_secrets)
    origin = GitSource.find(settings, env, folder)
    revision = permitted_revision(origin, settings, candidate, references, env)
    run.found["revision"] = revision
    run.log.say(f"The commit is {revision.commit} {quoted(revision.subject)}.")
    got = f"{revision.commit} (tree {revision.tree}), from {revision.source}"
    return Found(value=Commit(origin=origin, candidate=candidate, revision=revision), got=got)


def settings_of_commit(settings: GateSettings, commit: Commit) -> GateSettings:
    """With what the commit's own settings file says."""
    path = settings.files.path
    text = read_commit_file(commit.origin.repository, commit.revision.commit, path) if path else ""
    return with_commits_file(settings, text)


@contextmanager
def comparing_work_tree(request: Request, origin: GitSource, run: RunLog) -> Iterator[None]:
    """Tells a person at a work tree, while the block goes on, what the build does not have.

    A job's work tree holds what its earlier steps made.
    """
    job = Run.of(request.run_env)
    if job.has_forge or job.actions:
        yield
        return
    with looking_for_uncommitted(origin.repository) as look:
        yield
        with run.phase("comparing the work tree"):
            paths = look.end()
    if paths is None:
        run.log.say("Whether the work tree has uncommitted changes could not be told in time.")
    elif paths:
        run.warn("Uncommitted changes", in_words(paths))
