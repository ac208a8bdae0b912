"""A Dockerfile reduced to its stages, from which Docker makes the base image."""

import pytest

from freshness.core.stages import only_stages

SIMPLE = """\
# syntax=docker/dockerfile:1
ARG BASE=python
FROM ${BASE}:3 AS build
# FROM a comment
ARG BASE
RUN make
FROM build
COPY . .
CMD ["run"]
"""


def test_arguments_before_the_first_stage_and_every_stage_stay() -> None:
    """Breaks when `only_stages` keeps an instruction of a stage: its layer would count as the base's."""
    kept = "# syntax=docker/dockerfile:1\nARG BASE=python\nFROM ${BASE}:3 AS build\nFROM build\n"

    assert only_stages(SIMPLE) == kept


@pytest.mark.parametrize(
    "body",
    [
        "RUN a \\\n  && echo \\\nFROM b\n",
        "RUN a \\\n\n# FROM c\n\\\nFROM b\n",
        "RUN <<EOF\nFROM b\nEOF\n",
        "RUN <<-'END' cat\n\tFROM b\n\tEND\n",
        "COPY <<one <<two /x/\nFROM b\none\nFROM c\ntwo\n",
        "run echo <<< FROM\n",
        "ONBUILD RUN <<EOF\nFROM b\nEOF\n",
    ],
)
def test_what_only_looks_like_a_stage_does_not_stay(body: str) -> None:
    """Breaks when `_instructions` no longer takes the lines that belong to an instruction together."""
    assert only_stages(f"FROM a\n{body}FROM z\nRUN x\n") == "FROM a\nFROM z\n"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("# escape=`\nFROM a\nRUN x `\nFROM b\nFROM z\n", "# escape=`\nFROM a\nFROM z\n"),
        ("from a \\\n  as b\nRUN x\n", "from a \\\n  as b\n"),
        ("FROM --platform=$BUILDPLATFORM a\r\nRUN x\r\n", "FROM --platform=$BUILDPLATFORM a\n"),
        ("\n\nFROM scratch\nCOPY a /\n", "\n\nFROM scratch\n"),
        ("FROM a\nRUN <<EOF\nFROM b\n", "FROM a\n"),
        ("", "\n"),
    ],
)
def test_other_spellings_are_read_alike(text: str, kept: str) -> None:
    assert only_stages(text) == kept
