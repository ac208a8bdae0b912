"""Reads the fields of payloads. Payloads are untrusted: whatever is damaged in them is a refusal, never a crash."""

from collections.abc import Mapping
from typing import TypeGuard

from freshness.core.fork import tells_forks_apart
from freshness.core.hexid import SHA1, is_full_id
from freshness.core.quoting import quoted
from freshness.core.run import Run
from freshness.errors import Refused

Payload = Mapping[str, object]
Environment = Mapping[str, str]

_LARGEST_NUMBER = 2**31


def remedy_for(event: str, env: Environment, needed: str) -> str:
    """What to do about a damaged payload: under act it is the user's own. `needed` names the fields."""
    if Run.of(env).is_act:
        return f"Give act the event: `act {event} -e event.json`, with {needed}."
    return f"Run the gate again with the payload as the forge sent it{or_set_revision(event)}."


def or_set_revision(event: str) -> str:
    """The end of a remedy: `revision` helps, except on events that do not tell forks apart."""
    return ", or set `revision` to the commit" if tells_forks_apart(event) else ""


def full_id(value: object, field: str, remedy: str) -> str:
    """The commit id in lower case. Raises Refused for all that is no full id of a commit, and for SHA-256."""
    text = value.lower() if isinstance(value, str) else ""
    if not is_full_id(text) or not text.strip("0"):
        raise Refused(f"{field} is {quoted(value)}; expected a full commit id.", remedy)
    if len(text) != SHA1:
        raise Refused(
            f"{field} is {text}, a commit of a SHA-256 repository, which libgit2 cannot read; expected 40 hex digits.",
            "Use a repository whose object format is sha1.",
        )
    return text


def object_at(parent: Payload, name: str, where: str, remedy: str) -> Payload:
    """The object in the field `name` of `parent`, whose own name is `where`."""
    value = parent.get(name)
    if not isinstance(value, Mapping):
        raise Refused(f"{where}.{name} is {quoted(value)}; expected an object.", remedy)
    return value


def is_pull_number(value: object) -> TypeGuard[int]:
    """Whether it can be a pull request's number; no bool, which JSON keeps apart and Python does not."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LARGEST_NUMBER


def pull_number(value: object, field: str, remedy: str) -> int:
    """The pull request's number, or raises Refused."""
    if not is_pull_number(value):
        raise Refused(f"{field} is {quoted(value)}; expected the pull request's number.", remedy)
    return value


def is_zero_id(value: object) -> bool:
    """Whether it is the id of no object, which both forges send in place of a deleted one."""
    return isinstance(value, str) and len(value) in {40, 64} and not value.strip("0")
