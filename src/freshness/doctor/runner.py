"""Looks at where jobs run: this very job, or the runner that is registered on this machine."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from freshness.core.diagnosis import find_labels, judge_labels
from freshness.core.finding import Area, Finding
from freshness.core.run import Run
from freshness.doctor.trial import fine, note, unchecked

WORKFLOWS = (".gitea/workflows", ".forgejo/workflows", ".github/workflows")
_PLACES = (
    "/var/lib/act_runner",
    "/var/lib/gitea-runner",
    "/etc/act_runner",
    "/etc/gitea-runner",
    "/opt/act_runner",
    "/data",
)
_AT_HOME = ("", "act_runner", "gitea-runner", "runner", "actions-runner")
_REGISTRATION = ".runner"
"""Gitea's runner and GitHub's write it into the folder that they are started in."""


def look_at_runner(run_env: Mapping[str, str], checkout: Path, job: str | None) -> Iterator[Finding]:
    """`job` is the container that this process runs in, None where that is the host."""
    run = Run.of(run_env)
    if run.actions == "true":
        yield from _look_at_job(run, run_env, job)
        return
    found = [one for folder in _folders(run_env) if (one := _read(folder / _REGISTRATION)) is not None]
    if not found:
        yield unchecked(Area.RUNNER, f"its labels, as no runner is registered in {', '.join(_PLACES[:2])} or at home.")
    for place, registration in found:
        yield from _look_at_registration(place, registration, checkout)


def _look_at_job(run: Run, run_env: Mapping[str, str], job: str | None) -> Iterator[Finding]:
    forge = "Gitea" if run.is_gitea else "act" if run.is_act else "GitHub"
    where = (
        f"in the container {job[:12]}, which has Docker's socket" if job else "on the machine of the Engine's socket"
    )
    yield fine(Area.RUNNER, f"this job of {forge} runs {where}.")
    if run_env.get("RUNNER_ENVIRONMENT") == "github-hosted":
        yield note(
            Area.RUNNER,
            "this runner is GitHub's own: it ends with its job, and staging with it.",
            "Register a runner on the machine that serves: docs/runners.md.",
        )


def _look_at_registration(place: Path, registration: Mapping[str, object], checkout: Path) -> Iterator[Finding]:
    labels = registration.get("labels")
    if not isinstance(labels, list):
        yield unchecked(Area.RUNNER, f"the labels of the runner at {place}, which its forge alone knows.")
        return
    plain = [label for label in labels if isinstance(label, str)]
    workflows = list(_workflows(checkout))
    if not workflows:
        yield note(
            Area.RUNNER,
            f"no workflow in {' or '.join(WORKFLOWS)} uses freshness-action.",
            "`freshness init` writes one.",
        )
    for text in workflows:
        yield from judge_labels(plain, tuple(find_labels(text)), str(place))


def _workflows(checkout: Path) -> Iterator[str]:
    for folder in WORKFLOWS:
        for path in sorted((checkout / folder).glob("*.y*ml")):
            text = path.read_text(encoding="utf-8", errors="replace")
            if "freshness-action" in text:
                yield text


def _folders(env: Mapping[str, str]) -> Iterator[Path]:
    home = Path(env.get("HOME") or "/")
    yield from dict.fromkeys([*map(Path, _PLACES), *(home / name for name in _AT_HOME)])


def _read(path: Path) -> tuple[Path, Mapping[str, object]] | None:
    """What is registered there; None where nothing is, or nothing that this user may read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return None
    return (path.parent, found) if isinstance(found, dict) else None
