"""Which variables of our service Compose has no value for."""

from typing import Any

import pytest

from freshness.core.variables import (
    behind,
    env_files_of,
    find_emptied,
    needed_by,
    needed_by_all,
    optional_env_files,
    passed_through,
    secret_variables,
)


def raw(**ours: Any) -> dict[str, Any]:
    """What `config --no-interpolate` prints: each part of the project needs a variable of its own name."""
    return {
        "name": "$NAME",
        "services": {"ours": ours, "other": {"environment": {"O": "${OTHER}", "N": "${N:-$NESTED}"}}},
        "networks": {"default": {"name": "$DEFAULT"}, "back": {"name": "$BACK"}},
        "configs": {"one": {"content": "$ONE"}, "two": {"content": "$TWO"}},
        "secrets": {"key": {"file": "$KEY"}, "lock": {"file": "$LOCK"}},
        "volumes": {"data": {"driver_opts": {"device": "$DATA"}}, "more": {"name": "$MORE"}},
    }


@pytest.mark.parametrize(
    ("ours", "names"),
    [
        ({}, {"DEFAULT"}),
        ({"environment": ["A=${A}", "B"], "ports": ["${P}:80"], "labels": {"$L": "${M:-m}"}}, {"A", "P", "DEFAULT"}),
        ({"build": {"args": {"A": "$A"}}, "develop": {"watch": [{"path": "$W"}]}}, {"DEFAULT"}),
        ({"networks": {"back": None}}, {"BACK"}),
        ({"networks": ["back"]}, {"BACK"}),
        ({"configs": [{"source": "one"}], "secrets": ["key"]}, {"ONE", "KEY", "DEFAULT"}),
        ({"volumes": ["data:/data:ro"]}, {"DATA", "DEFAULT"}),
        ({"volumes": [{"type": "volume", "source": "more", "target": "/$T"}]}, {"MORE", "T", "DEFAULT"}),
    ],
)
def test_what_the_service_and_what_it_uses_need_is_ours(ours: dict[str, Any], names: set[str]) -> None:
    """Fails when `needed_by` takes what only another service uses, or leaves out what ours uses at the top level."""
    assert needed_by(raw(**ours), "ours") == {"NAME"} | names


def test_all_that_the_files_need_is_more() -> None:
    """Fails when `needed_by_all` leaves out what stands in a default: it would be taken for ours."""
    assert {"NAME", "OTHER", "NESTED", "TWO", "LOCK", "MORE"} <= needed_by_all(raw())


def test_env_files_are_those_that_compose_interpolates() -> None:
    """Fails when `env_files_of` takes a raw one, or knows the short form no longer."""
    entries = ["a.env", {"path": "b.env", "required": False}, {"path": "c.env", "format": "raw"}]

    assert env_files_of(raw(env_file=entries), "ours") == ("a.env", "b.env")
    assert env_files_of(raw(env_file="a.env"), "ours") == ("a.env",)
    assert env_files_of(raw(), "ours") == ()


def test_what_stands_behind_a_name_of_an_env_file_is_needed_too() -> None:
    """Fails when `behind` looks at one step alone, or at names that nobody wants."""
    env_file = 'JWT=${VAULT}\nexport VAULT="$STORE"\nOTHER=${ELSE}\nSAFE=${DEFAULT:-x}\nLOOP=$JWT\n'

    assert behind(frozenset({"JWT", "SAFE", "C"}), [env_file]) == {"VAULT", "STORE"}
    assert behind(frozenset({"C"}), [env_file]) == frozenset()


def test_a_name_without_a_value_is_passed_through_and_lacks_one() -> None:
    """Fails when `passed_through` takes an empty value for none, or overlooks a bare name in an env file."""
    config = {"services": {"ours": {"environment": {"A": None, "B": "", "C": "c", "D": "d"}}, "none": {}}}
    env_file = "C\nD\n  export E\nF=1\n# G\nKEY=\"-----BEGIN\nabc\n-----END\"\nL='x\nM\n'\n"

    assert passed_through(config, "ours", ()) == {"A"}
    assert passed_through(config, "ours", (env_file,)) == {"A", "E"}
    assert passed_through(config, "none", ()) == set()


def test_a_secret_from_a_variable_is_known_by_its_name() -> None:
    """Fails when `secret_variables` takes another service's, or only secrets."""
    config = {
        "services": {"ours": {"secrets": [{"source": "db"}], "configs": [{"source": "conf"}]}},
        "secrets": {"db": {"environment": "DB_PASSWORD"}, "other": {"environment": "OTHER"}, "file": {"file": "/x"}},
        "configs": {"conf": {"environment": "CONF"}},
    }

    assert secret_variables(config, "ours") == {"DB_PASSWORD", "CONF"}


def test_a_value_that_runs_must_not_become_empty_unseen() -> None:
    """Fails when `find_emptied` compares other than emptiness: a changed value is a change, and no loss."""
    running = {"A": "1", "B": "2", "C": "3", "D": "", "GONE": "x"}
    new = {"A": "", "B": None, "C": "other", "D": "", "NEW": ""}

    assert find_emptied(new, running) == ("A", "B")
    assert find_emptied(new, running, {"A"}) == ("B",)


def test_an_env_file_is_optional_only_where_it_says_so() -> None:
    """Fails when `optional_env_files` takes what Compose itself insists on, or leaves out the format that is raw."""
    files = ["a", {"path": "b"}, {"path": "c", "required": True}, {"path": "d", "required": False}]
    project = {"services": {"web": {"env_file": [*files, {"path": "e", "required": False, "format": "raw"}]}}}
    assert optional_env_files(project, "web") == ("d", "e")
    assert optional_env_files({"services": {"web": {"env_file": "a"}}}, "web") == ()
