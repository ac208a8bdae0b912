"""A damaged payload gives a commit that the forge named, or a refusal in one line; never another commit or a crash."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.core.event import interpret
from freshness.core.event.rules import RULES
from freshness.core.revision import Candidate
from freshness.errors import Refused
from tests.payloads import load, names

HEAD = "1f0c2a9b7d6e4f3a8b5c9d0e1f2a3b4c5d6e7f80"
PAYLOADS = [*names("github"), *names("gitea-1.26")]
HOSTILE = ["::set-output name=gate::open\n", "refs/heads/main", "../..", "`id`", "$(id)", "\x00", "\u202e", "x" * 10**5]
NO_COMMIT = ["0" * 40, HEAD[:12], HEAD + "\n", " " + HEAD, HEAD + "0", "g" * 40, "\uff11" * 40]


def paths_of(value: object, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every field of the payload, objects and what is in them."""
    if not isinstance(value, dict):
        return []
    return [path for key, inner in value.items() for path in ((*prefix, key), *paths_of(inner, (*prefix, key)))]


def replaced(value: Any, path: tuple[str, ...], new: object) -> Any:
    return new if not path else {**value, path[0]: replaced(value[path[0]], path[1:], new)}


def without(value: Any, path: tuple[str, ...]) -> Any:
    if len(path) == 1:
        return {key: inner for key, inner in value.items() if key != path[0]}
    return {**value, path[0]: without(value[path[0]], path[1:])}


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**4000, max_value=10**4001)
    | st.floats()
    | st.text()
    | st.sampled_from([*HOSTILE, *NO_COMMIT, "open", "closed", "acme/app"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


def judge(event: str, payload: Any, env: dict[str, str], allowed: set[str]) -> None:
    try:
        chosen = interpret(event, payload, env)
    except Refused as refusal:
        said = str(refusal)
    else:
        said = chosen.note if isinstance(chosen, Candidate) else str(chosen.number)
        assert not isinstance(chosen, Candidate) or chosen.commit in allowed
    assert said.isprintable()
    assert len(said) < 1500


def commits_of(payload: Any, env: dict[str, str]) -> set[str]:
    """Where a payload names a commit to validate: the fields of the table, and GITHUB_SHA."""
    fields = (("pull_request", "head", "sha"), ("workflow_run", "head_sha"), ("merge_group", "head_sha"))
    found = {env["GITHUB_SHA"]}
    for field in fields:
        value = payload
        for key in field:
            value = value.get(key) if isinstance(value, dict) else None
        found |= {value} if isinstance(value, str) else set()
    return found


@given(data=st.data(), name=st.sampled_from(PAYLOADS))
def test_a_damaged_field_is_never_another_commit_and_never_a_crash(data: st.DataObject, name: str) -> None:
    """Fails where a field is used before its type is known."""
    event, payload, env = load(name)
    path = data.draw(st.sampled_from(paths_of(payload)))
    new = replaced(payload, path, data.draw(_JSON)) if data.draw(st.booleans()) else without(payload, path)
    judge(event, new, env, commits_of(payload, env))


@given(event=st.sampled_from([*RULES, "workflow_call", "", "other"]), payload=st.dictionaries(st.text(), _JSON))
def test_a_payload_of_anything_is_never_a_crash(event: str, payload: dict[str, object]) -> None:
    judge(event, payload, {"GITHUB_SHA": HEAD, "GITHUB_REPOSITORY": "acme/app"}, {HEAD})


@given(
    name=st.sampled_from(PAYLOADS),
    event=st.sampled_from([*RULES, "workflow_call"]),
    act=st.sampled_from(["true", "false"]),
)
def test_an_event_under_anothers_name_is_never_another_commit(name: str, event: str, act: str) -> None:
    _, payload, env = load(name)
    judge(event, payload, env | {"ACT": act}, commits_of(payload, env))


@pytest.mark.parametrize("sha", [*HOSTILE, *NO_COMMIT, ""])
@pytest.mark.parametrize("event", ["push", "schedule", "create", "workflow_dispatch"])
def test_a_hostile_github_sha_is_refused(event: str, sha: str) -> None:
    with pytest.raises(Refused, match="GITHUB_SHA is ") as refusal:
        interpret(event, {}, {"GITHUB_SHA": sha})
    assert str(refusal.value).isprintable()
