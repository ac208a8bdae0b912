"""What is told of a HEALTHCHECK's last run: foreign text, short, with what helps."""

from freshness.core.healthcheck import HealthcheckRun, describe_unhealthy, describe_waiting


def run(output: str) -> HealthcheckRun:
    return HealthcheckRun(exit_code=1, output=output)


def test_the_last_line_of_its_output_is_told() -> None:
    """Fails when `HealthcheckRun` is told without what it said, or with control characters."""
    told = str(run("Traceback …\n\x1b[31m/bin/sh: 1: curl:\tnot found\n\n"))

    assert told == "exit status 1, [31m/bin/sh: 1: curl: not found"


def test_silence_is_told() -> None:
    assert str(run(" \n")) == "exit status 1, no output"


def test_a_slow_starter_is_told_about_start_period() -> None:
    """Fails when `describe_unhealthy` says nothing of it."""
    told = describe_unhealthy(run("no"), 1.5)

    assert told.startswith("the HEALTHCHECK says unhealthy: exit status 1, no (")
    assert "raise `start_period`, now 1.5 s" in told


def test_one_that_never_ran_says_nothing() -> None:
    assert describe_unhealthy(None, 0).startswith("the HEALTHCHECK says unhealthy (")
    assert describe_waiting("", None) == "HEALTHCHECK missing"
    assert describe_waiting("starting", run("no")) == "HEALTHCHECK starting; its last run: exit status 1, no"
    assert describe_waiting("healthy", run("")) == "HEALTHCHECK healthy"
