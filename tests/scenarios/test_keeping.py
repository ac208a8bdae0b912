"""What runs leave behind is bounded: images under their commits' tags, and reports in the temporary folder."""

from pathlib import Path

from tests.support.docker_proxy import docker_proxy
from tests.support.engines import Sandbox
from tests.support.runner import Runner

LABEL = "org.opencontainers.image.revision"
PREVIOUS = "freshness-previous"


def left_by_an_earlier_gate(runner: Runner, number: int, label: str | None = None) -> str:
    """The tag of an image that holds nothing, as a gate of that commit would have left it."""
    commit = f"{number:040x}"
    tag = f"{runner.app.staging_image}:{commit}"
    file = runner.folder / "Dockerfile.empty"
    file.write_text('FROM scratch\nCMD ["none"]\n')
    runner.sandbox.cli(
        "buildx", "build", "--quiet", "--provenance=false", "--load", "--file", str(file), "--tag", tag,
        "--label", f"freshness.test={runner.sandbox.name}", "--label", f"{LABEL}={label or commit}", str(runner.folder),
    )  # fmt: skip
    return tag


def there(sandbox: Sandbox, *tags: str) -> list[bool]:
    return [sandbox.image_id(tag) is not None for tag in tags]


def test_older_builds_go_and_what_is_in_use_or_has_another_name_stays(any_runner: Runner) -> None:
    """Fails when `_prune_builds` in switch.py calls no `prune_builds`, or that asks for one repository's images."""
    sandbox, repository = any_runner.sandbox, any_runner.app.staging_image
    old, older, used, kept, production, foreign = (
        left_by_an_earlier_gate(any_runner, number, "f" * 40 if number == 6 else None) for number in range(1, 7)
    )
    sandbox.cli("create", "--name", f"{sandbox.name}-stopped", "--label", f"freshness.test={sandbox.name}", used)
    sandbox.cli("tag", kept, f"{repository}:{PREVIOUS}")
    sandbox.cli("tag", production, f"{any_runner.app.production_image}:latest")

    first = any_runner.gate(KEEP_BUILDS="100")
    assert first.decision == ("open", "fresh", 0), first.log
    assert all(there(sandbox, old, older, used, kept, production, foreign)), "a hundred are to be kept"

    ended = any_runner.gate(KEEP_BUILDS="1")

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert there(sandbox, old, older, used, kept, production, foreign) == [False, False, True, True, True, True]
    assert any_runner.built() == any_runner.staging().attrs["Image"]


def test_a_build_that_goes_before_it_is_staging_is_said_and_the_next_run_has_it(runner: Runner) -> None:
    """Fails when `tag_image` in engine/images.py leaves it at the Engine's words: the daemon is not what to look at.

    As when another gate lets older builds go, while this one waits for it.
    """
    with docker_proxy(runner.sandbox.engine.host) as proxy:
        proxy.before("POST /images/*/tag", lambda _call: runner.sandbox.cli("rmi", str(runner.built())))
        ended = runner.gate(DOCKER_HOST=proxy.host)

    assert ended.decision == ("closed", "error", 3), ended.log
    assert "was removed before it could be tagged" in ended.reason
    assert runner.containers(runner.app.staging) == []
    again = runner.gate()
    assert again.decision == ("open", "fresh", 0), again.log


def test_only_our_own_closed_report_folders_go(runner: Runner, tmp_path: Path) -> None:
    """Fails when `run_gate` does not hand on `keep-reports`, or `_is_report` in report/json_report.py asks for less."""
    temp = tmp_path / "temp"
    temp.mkdir()
    for name, mode, files in (
        ("freshness-open", 0o755, ("report.json",)),
        ("freshness-more", 0o700, ("report.json", "notes.txt")),
        ("freshness-empty", 0o700, ()),
        ("others", 0o700, ("report.json",)),
    ):
        (temp / name).mkdir(mode=mode)
        for file in files:
            (temp / name / file).write_text("{}")
    (temp / "freshness-link").symlink_to(temp / "others")
    before = set(temp.iterdir())
    switched_off = {"ORCH_IMAGE_FRESHNESS_ENABLED": "false", "RUNNER_TEMP": str(temp), "KEEP_REPORTS": "2"}

    reports = [Path(runner.gate(**switched_off).outputs["report-path"]) for _ in range(4)]

    assert [report.is_file() for report in reports] == [False, False, True, True]
    assert set(temp.iterdir()) == before | {report.parent for report in reports[2:]}
    assert (temp / "others/report.json").read_text() == "{}"
