"""What a target runs, for people at 80 columns and for programs."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, to_builtins

from freshness.ci.sanitizing import one_line
from freshness.core.hexid import with_short_ids
from freshness.core.retained import RetainedImage
from freshness.report.age import age

_SUBJECT = 44  # characters
_FIRST = 12  # characters of the first column
UNREACHABLE = "unreachable"
MOST_PREVIOUS = 3
"""What can be gone back to, that people are shown; `rollback --list` has all."""


class Locked(Struct, frozen=True, kw_only=True):
    """Who has locked a target: `who` on `host` with this `command`. `dead` says in words why that run is over."""

    who: str
    host: str
    command: str
    revision: str | None
    run: str | None
    since: str
    dead: str | None


class Previous(Struct, frozen=True, kw_only=True):
    """What can be gone back to; `left`: a rollback went past it. Fields as `rollback --list --json` has them."""

    number: int
    revision: str | None
    subject: str | None
    replaced: str | None
    image_id: str
    left: bool

    @classmethod
    def of(cls, one: RetainedImage) -> "Previous":
        """From the list of a rollback, without the commit's subject."""
        return cls(
            number=one.number,
            revision=one.revision or None,
            subject=None,
            replaced=one.replaced or None,
            image_id=one.image,
            left=one.left,
        )


class TargetStatus(Struct, frozen=True, kw_only=True):
    """What a target runs. `revision` is what the image's label claims, None where nothing runs or is claimed.

    `restarts` are those that Docker made by itself since the container was made or started by hand. `notes` say what
    else may be meant, where nothing runs. `health` is None where the image has no HEALTHCHECK. `behind` counts the
    commits of `branch` that it lacks. `deployed_by` and `run` are those of the record. `interrupted`: a promotion was
    begun, and is neither finished nor undone. `host` is its Docker host, where there are several.
    """

    target: str
    service: str
    container: str | None = None
    status: str
    image_id: str | None = None
    revision: str | None = None
    since: str | None = None
    restarts: int | None = None
    notes: tuple[str, ...] = ()
    project: str
    health: str | None = None
    subject: str | None = None
    branch: str | None = None
    behind: int | None = None
    created: str | None = None
    deployed_by: str | None = None
    run: str | None = None
    locked: Locked | None = None
    interrupted: bool = False
    previous: tuple[Previous, ...] = ()
    host: str | None = None


def as_json(one: TargetStatus) -> dict[str, Any]:
    """The object for programs: without notes where there are none, and a host where there is only one."""
    return {key: value for key, value in to_builtins(one).items() if key not in {"notes", "host"} or value}


def in_words(found: Sequence[TargetStatus], now: datetime) -> str:
    """A paragraph for each target; `now` is the Engine's own time, which made all others."""
    paragraphs = ["\n".join(_paragraph(one, now)) for one in found]
    return "\n\n".join([*paragraphs, *_differing(found)])


def _differing(found: Sequence[TargetStatus]) -> Iterator[str]:
    """Services of one target that should be of one commit, and are not."""
    for target in dict.fromkeys(one.target for one in found):
        running = [one for one in found if one.target == target and one.container]
        if len({one.revision for one in running}) > 1:
            each = ", ".join(f"{_name(one)} {with_short_ids(one.revision or 'no commit')}" for one in running)
            yield f"{target} runs more than one commit: {each}"


def _name(one: TargetStatus) -> str:
    return f"{one.service} on {one.host}" if one.host else one.service


def _paragraph(one: TargetStatus, now: datetime) -> Iterator[str]:
    yield f"{one.target:<{_FIRST}}{one.service} of {one.project}{f' on {one.host}' if one.host else ''}: {_state(one)}"
    if one.status == UNREACHABLE:
        yield from one.notes
        return
    if one.container:
        behind = f" ({_behind(one)})" if one.branch else ""
        yield _row("commit", _commit(one.revision, one.subject) + behind)
        yield _row("deployed", f"{_ago(one.created, now)}{_by(one)}")
        if one.run:
            yield _row("", f"run {one_line(one.run)}")
        yield _row("started" if one.status == "exited" else "up since", _ago(one.since, now))
        yield _row("image", f"{with_short_ids(one.image_id or '')} in {one.container}")
    yield from _lock_lines(one.locked, now)
    if one.interrupted:
        yield _row("begun", "a promotion; the next one finishes or undoes it")
    yield from _previous_lines(one, now)
    yield from one.notes


def _row(name: str, text: str) -> str:
    return f"  {name:<{_FIRST - 2}}{text}"


def _state(one: TargetStatus) -> str:
    """A container that restarts again and again looks fine at most moments."""
    words = {"nothing": "nothing runs", "running": "running, no HEALTHCHECK"}
    shown = words.get(one.status, one.status)
    return f"{shown}, {one.restarts} restart{'s' if one.restarts > 1 else ''}" if one.restarts else shown


def _commit(revision: str | None, subject: str | None) -> str:
    if revision is None:
        return "none: the image has no commit label"
    shown = one_line(subject, limit=_SUBJECT) if subject else "(not in this clone)"
    return f"{with_short_ids(revision)} {shown}"


def _behind(one: TargetStatus) -> str:
    if one.behind is None:
        return f"not compared with {one.branch}"
    return f"{_counted(one.behind, 'commit')} behind {one.branch}" if one.behind else f"as new as {one.branch}"


def _by(one: TargetStatus) -> str:
    return f" by {one_line(one.deployed_by)}" if one.deployed_by else ", by whom was not recorded"


def _lock_lines(lock: Locked | None, now: datetime) -> Iterator[str]:
    if lock is None:
        yield _row("locked", "by nobody")
        return
    of = f" of {with_short_ids(one_line(lock.revision))}" if lock.revision else ""
    yield _row("locked", f"by {one_line(lock.who)} on {one_line(lock.host)}, {age(lock.since, now)} ago")
    yield _row("", f"for `{one_line(lock.command)}`{of}")
    if lock.run:
        yield _row("", f"run {one_line(lock.run)}")
    if lock.dead:
        yield _row("", f"but {lock.dead}: the next run takes over")


def _previous_lines(one: TargetStatus, now: datetime) -> Iterator[str]:
    for number, old in enumerate(one.previous[:MOST_PREVIOUS]):
        replaced = f", replaced {age(old.replaced, now)} ago" if old.replaced else ""
        left = ", rolled back from" if old.left else ""
        yield _row("" if number else "back to", f"{old.number}: {_commit(old.revision, old.subject)}{replaced}{left}")
    more = len(one.previous) - MOST_PREVIOUS
    if more > 0:
        yield _row("", f"and {more} more: `freshness rollback --list`")


def _ago(moment: str | None, now: datetime) -> str:
    return f"{age(moment, now)} ago ({moment[:19].replace('T', ' ')} UTC)" if moment else "unknown"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
