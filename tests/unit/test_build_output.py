"""Why a build failed, from buildx's plain output: the failing line, the error, and what was printed last."""

import pytest

from freshness.core.build_output import BuildOutput

STEP = """\
#5 [2/2] RUN echo one && exit 3
#5 0.265 one
#5 ERROR: process "/bin/sh -c echo one && exit 3" did not complete successfully: exit code: 3
------
 > [2/2] RUN echo one && exit 3:
0.265 one
0.300 ERROR: of the step's own
------
"""
EXCERPT = """\
Dockerfile.prod:12
--------------------
  10 |     FROM python
  11 |
  12 | >>> RUN echo one && \\
  13 | >>>     exit 3
  14 |
--------------------
"""
ERROR = 'process "/bin/sh -c echo one && exit 3" did not complete successfully: exit code: 3'


def read(text: str) -> BuildOutput:
    output = BuildOutput()
    for line in text.splitlines(keepends=True):
        output.read(line)
    return output


@pytest.mark.parametrize("begins", ["ERROR: failed to solve: ", "ERROR: failed to build: failed to solve: ", "ERROR: "])
def test_the_failing_line_the_error_and_the_last_output_are_quoted(begins: str) -> None:
    """As buildx 0.13 and 0.29 put it. Breaks when what a step printed is taken for buildx's own error."""
    said = read(f"{STEP}{EXCERPT}{begins}{ERROR}\n")

    assert said.why == (
        "The failing line at 'Dockerfile.prod:12' is 'RUN echo one && \\\\ exit 3',"
        f" the error is '{ERROR}', the last output is \"ERROR: of the step's own\"."
    )
    assert not said.is_cut


def test_an_older_engine_shows_no_excerpt_and_the_step_is_quoted() -> None:
    said = read(f"{STEP}ERROR: failed to solve: executor failed running [/bin/sh -c exit 3]: exit code: 3\n")

    assert said.why.startswith("The failing line is 'RUN echo one && exit 3', the error is 'executor failed running")


def test_a_dockerfile_that_cannot_be_read_has_a_line_and_no_step() -> None:
    text = "Dockerfile:3\n--------------------\n   3 | >>> RUNN pip\n--------------------\n"

    said = read(f"{text}ERROR: failed to solve: dockerfile parse error on line 3: unknown instruction: RUNN\n")

    assert "'Dockerfile:3' is 'RUNN pip'" in said.why
    assert "unknown instruction: RUNN" in said.why


def test_long_and_hostile_text_is_short_and_harmless() -> None:
    """Breaks when `why` quotes without `quoted`, or cuts the end away, where the reason stands."""
    said = read(f'{STEP}ERROR: failed to solve: {"x" * 5000} \x1b[31mred\x1b[0m: "/missing": not found\n')

    assert len(said.why) < 500
    assert "\x1b" not in said.why
    assert '"/missing": not found' in said.why


def test_nothing_said_is_nothing_quoted() -> None:
    assert read("#1 [internal] load\n").why == ""


@pytest.mark.parametrize(
    ("error", "is_cut"),
    [
        ("failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF", True),
        ("failed to build: failed to receive status: rpc error: code = Unavailable desc = EOF", True),
        ("failed to solve: Unavailable: error reading from server: EOF", True),
        ("failed to solve: executor failed running [echo failed to receive status: ]: exit code: 1", False),
        ('failed to solve: process "/bin/sh -c false" did not complete successfully: exit code: 1', False),
    ],
)
def test_a_lost_connection_is_told_from_a_failed_step(error: str, is_cut: bool) -> None:  # noqa: FBT001 -- a result
    assert read(f"ERROR: {error}\n").is_cut is is_cut
