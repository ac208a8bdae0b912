"""The gate's good end: what it publishes, what runs on staging, and what it leaves alone."""

import json
from pathlib import Path

from tests.support.engines import BASE_IMAGE
from tests.support.git import GitRepo
from tests.support.runner import Runner, identity, pull_request

DECLARED = {
    "gate", "verdict", "reason", "revision", "tree", "image", "image-id", "images", "digest", "digests", "daemon-id",
    "report-path",
}  # fmt: skip
OTHER = "f" * 40


def test_a_first_deployment_is_fresh_and_publishes_every_output(any_runner: Runner) -> None:
    """I5. Breaks when `Outputs.write` no longer sorts the decisive output last."""
    ended = any_runner.gate()

    assert ended.decision == ("open", "fresh", 0), ended.log
    lines = ended.written.splitlines()
    assert lines[0] == "gate=closed"
    assert lines[-1] == "gate=open"
    assert {line.partition("=")[0] for line in lines[1:]} == DECLARED
    assert len(lines) == 1 + len(DECLARED)
    head, image = any_runner.app.repo.head(), any_runner.staging().attrs["Image"]
    expected = {
        "revision": head,
        "tree": any_runner.app.repo.head("HEAD^{tree}"),
        "image": any_runner.app.staging_image,
        "image-id": image,
        "images": json.dumps({any_runner.app.staging: image}),
        "daemon-id": any_runner.sandbox.docker.info()["ID"],
    }
    assert expected.items() <= ended.outputs.items()
    assert any_runner.sandbox.get(any_runner.app.staging_port, "/version") == (200, head)


def test_the_commit_wins_over_every_label_and_argument_of_the_dockerfile(any_runner: Runner) -> None:
    """I2. Breaks when `command_of` in engine/build.py no longer passes `--label`, or no longer passes `--build-arg`."""
    sandbox, repo = any_runner.sandbox, any_runner.app.repo
    base = f"{sandbox.name}-base"
    label = f"LABEL org.opencontainers.image.revision={OTHER}"
    folder = GitRepo.init(repo.path.parent / "base")
    folder.commit({"Dockerfile": f"FROM {BASE_IMAGE}\n{label}\n"})
    sandbox.cli("buildx", "build", "--quiet", "--load", "--tag", base, str(folder.path))
    assert sandbox.docker.images.get(base).labels["org.opencontainers.image.revision"] == OTHER
    own = (repo.path / "Dockerfile").read_text().replace(f"FROM {BASE_IMAGE}", f"FROM {base}")
    commit = repo.commit({"Dockerfile": own.replace('ARG GIT_SHA=""', f"{label}\nARG GIT_SHA={OTHER}")})

    ended = any_runner.gate()

    assert ended.decision == ("open", "fresh", 0), ended.log
    running = sandbox.docker.images.get(any_runner.staging().attrs["Image"])
    assert running.labels["org.opencontainers.image.revision"] == commit
    assert sandbox.get(any_runner.app.staging_port, "/version") == (200, commit)
    assert ended.outputs["image-id"] == running.id == any_runner.built(commit)


def test_the_same_commit_again_recreates_nothing_and_checks_everything(any_runner: Runner) -> None:
    """I11. Breaks when `recreate` always passes `--force-recreate`, or when builds attest (`--provenance=false`)."""
    first = any_runner.gate()
    before = identity(any_runner.staging())

    again = any_runner.gate()

    assert (first.decision, again.decision) == (("open", "fresh", 0), ("open", "fresh", 0)), again.log
    assert identity(any_runner.staging()) == before
    assert again.outputs["image-id"] == first.outputs["image-id"]
    assert set(again.checks().values()) == {"passed"}


def test_only_committed_bytes_of_the_head_reach_the_image(runner: Runner, tmp_path: Path) -> None:
    """I1. Breaks when `end` of Building gets the workspace as its context in place of the exported tree."""
    repo = runner.app.repo
    repo.branch("feature")
    head = repo.commit({"content.txt": "of the head", ".gitignore": "ignored.txt\n"})
    repo.switch("main")
    repo.commit({"main-only.txt": "of main"})
    merge = repo.merge("feature")
    repo.write({"content.txt": "dirty", "untracked.txt": "untracked", "ignored.txt": "ignored"})
    repo.git("add", "content.txt")

    ended = runner.gate(GITHUB_SHA=merge, **pull_request(tmp_path / "event.json", head))

    assert ended.decision == ("open", "fresh", 0), ended.log
    (note,) = [note for note in ended.report["notes"] if "uncommitted" in note]
    assert ("'content.txt'" in note, "'untracked.txt'" in note, "ignored.txt" in note) == (True, True, False)
    assert ended.outputs["revision"] == head
    listed = runner.in_staging("ls", "-A").split()
    assert set(listed) == set(repo.git("ls-tree", "--name-only", head).split())
    assert runner.in_staging("cat", "content.txt") == "of the head"


def test_no_other_service_is_started_or_recreated(runner: Runner) -> None:
    """I6. Breaks when `recreate` in engine/compose.py no longer passes `--no-deps`."""
    repo = runner.app.repo
    runner.sandbox.cli("tag", BASE_IMAGE, runner.app.production_image)
    compose = (repo.path / "compose.yaml").read_text()
    idle = "command: [sleep, infinity]\n    init: true"
    compose = compose.replace(
        "  orchestrator-staging:\n", "  orchestrator-staging:\n    depends_on: [orchestrator, db]\n"
    )
    compose = compose.replace("  orchestrator:\n", f"  orchestrator:\n    {idle}\n")
    compose += f"  db:\n    image: {BASE_IMAGE}\n    {idle}\n"
    repo.commit({"compose.yaml": compose})
    runner.compose("up", "--detach", "orchestrator")
    (production,) = runner.containers("orchestrator")
    before = identity(production)
    # Were it part of what Compose brings up, Compose would see its configuration changed, and recreate it.
    repo.commit({"compose.yaml": compose.replace("TARGET: production", "TARGET: elsewhere")})

    ended = runner.gate()

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert identity(production) == before
    assert runner.containers("db") == []
    assert "depends on db, which does not run" in ended.log
    assert "depends on orchestrator" not in ended.log


def test_a_pull_requests_run_says_the_same_in_log_summary_and_annotation(runner: Runner) -> None:
    """Breaks when `Publisher.tell` no longer appends the summary, or writes another reason there."""
    runner.app.repo.commit({"Dockerfile": None})

    ended = runner.gate(GITHUB_ACTIONS="true")

    assert ended.decision == ("closed", "build-failed", 1), ended.log
    (annotation,) = [line for line in ended.log.splitlines() if line.startswith("::error ")]
    assert ended.reason in annotation
    assert "goes back to development" in ended.reason
    assert "The commit has no Dockerfile at Dockerfile" in ended.summary
