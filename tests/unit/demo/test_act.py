"""The demo believes what act records of a job's own steps, and nothing that a step prints."""

from collections.abc import Mapping
from pathlib import Path

from demo.act import ActRun


def read(*records: Mapping[str, object]) -> ActRun:
    run = ActRun(log=Path("log"))
    for record in records:
        run.take(record)
    return run


def output(value: str, *ids: str) -> dict[str, object]:
    return {"jobID": "gate", "stepID": list(ids), "command": "set-output", "name": "gate", "arg": value, "msg": "⚙"}


def test_an_output_is_the_one_that_the_jobs_own_step_left_last() -> None:
    run = read(output("closed", "gate"), output("open", "gate"), output("closed", "gate", "inner"))
    assert run.output("gate", "gate") == "open"


def test_an_output_of_a_step_inside_a_composite_action_is_not_the_jobs() -> None:
    assert read(output("open", "gate", "gate")).output("gate", "gate") == ""


def test_an_exit_status_is_not_taken_from_what_a_step_prints() -> None:
    record = {"jobID": "promote", "stepID": ["1"], "msg": "exit status 4"}
    assert read({**record, "raw_output": True}).exit_statuses == {}
    assert read(record).exit_statuses == {"promote": 4}


def test_a_job_that_was_skipped_has_no_result() -> None:
    assert read({"jobID": "gate", "jobResult": "success", "msg": "Job succeeded"}).results == {"gate": "success"}
