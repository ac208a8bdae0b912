"""Runs workflows through act, on this machine as Gitea's host runner does, or in job containers as its Docker mode."""

import base64
import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.support import plugins
from tests.support.engines import BASE_IMAGE, ROOT, Sandbox

ACT = ROOT / ".venv/bin/act"
RELEASED = "org/freshness-action@v1"
LABELS = ("ubuntu-latest", "self-hosted", "linux", "docker", "deploy")
MARK = "needs-in-base64:"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRun:
    """How a run ended. `needs` is what the job that `write_workflow` adds saw of the others."""

    status: int
    log: str
    needs: dict[str, dict[str, object]]

    def outputs(self, job: str) -> dict[str, str]:
        outputs = self.needs[job]["outputs"]
        assert isinstance(outputs, dict)
        return outputs

    def result(self, job: str) -> str:
        return str(self.needs[job]["result"])


def write_workflow(path: Path, *, on: str, jobs: Mapping[str, object]) -> Path:
    """Writes a workflow with `jobs` and one more, `seen`, that always runs after them and tells what `needs` held."""
    show = {
        "if": "${{ always() }}",
        "needs": list(jobs),
        "runs-on": "ubuntu-latest",
        "steps": [
            {
                "shell": "sh",
                "env": {"NEEDS": "${{ toJSON(needs) }}"},
                "run": f'printf "\\n%s%s\\n" {MARK} "$(printf %s "$NEEDS" | base64 | tr -d "\\n")"',
            }
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    # act calls a job's container after workflow and job, and removes one that has that name.
    name = f"test-{uuid.uuid4().hex}"
    path.write_text(json.dumps({"name": name, "on": on, "jobs": {**jobs, "seen": show}}))  # JSON is YAML too
    return path


def copy_action(path: Path) -> Path:
    """A copy of what a release holds, so that a test may break a line of it, and nothing else is copied by act."""
    path.mkdir(parents=True)
    for name in ("action.yml", "install.sh"):
        shutil.copy2(ROOT / name, path / name)
    for name in ("promote", "src", "requirements"):
        shutil.copytree(ROOT / name, path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContainers:
    """Jobs in containers of `image` on the bridge `network`, with the Docker socket, as in Gitea's Docker mode."""

    image: str
    network: str

    @classmethod
    def prepare(cls, sandbox: Sandbox, folder: Path) -> Self:
        """Makes both: Python and this machine's Docker command line with its plugins. Needs no network."""
        made = cls(image=f"{sandbox.name}-job", network=f"{sandbox.name}-jobs")
        sandbox.cli("network", "create", made.network)
        folder.mkdir()
        for name, program in docker_programs().items():
            shutil.copy2(program, folder / name)
        lines = (
            f"FROM {BASE_IMAGE}",
            "COPY docker /usr/bin/",
            "COPY docker-buildx docker-compose /usr/libexec/docker/cli-plugins/",
        )
        (folder / "Dockerfile").write_text("\n".join(lines))
        sandbox.cli("buildx", "build", "--quiet", "--tag", made.image, str(folder))
        return made

    def options(self) -> list[str]:
        """What act is told; where this machine's network has a CA of its own, jobs trust it too."""
        ca = os.environ.get("PIP_CERT")
        trust = ["--container-options", f"-v {ca}:/host-ca.pem:ro", "--env", "PIP_CERT=/host-ca.pem"] if ca else []
        return ["--network", self.network, *trust]


def docker_programs() -> dict[str, Path]:
    """The files of this test's Docker command line and its plugins, by the name that each has."""
    found = {f"docker-{name}": plugins.program(name) for name in plugins.NAMES}
    return {"docker": Path(shutil.which("docker") or "docker"), **found}


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """act with a home, an action and an Engine of the test's own. `cache` outlives the test, with the dependencies."""

    action: Path
    home: Path
    cache: Path
    containers: JobContainers | None = None

    def command(
        self, workflow: Path, *, event_name: str, event: Mapping[str, object], env: Mapping[str, str]
    ) -> list[str]:
        """For a test that starts act by itself, with `environment` and a checkout as its folder."""
        event_file = self.home / "event.json"
        event_file.write_text(json.dumps(event))
        platform = self.containers.image if self.containers else "-self-hosted"
        return [
            str(ACT), event_name, "--workflows", str(workflow), "--eventpath", str(event_file),
            *(word for label in LABELS for word in ("--platform", f"{label}={platform}")),
            *(self.containers.options() if self.containers else ()),
            *(word for name, value in env.items() for word in ("--env", f"{name}={value}")),
            "--local-repository", f"{RELEASED}={self.action}", "--no-cache-server", "--pull=false", "--rm",
        ]  # fmt: skip

    def environment(self) -> dict[str, str]:
        home = str(self.home)
        return {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": str(self.cache)}

    def run(
        self,
        workflow: Path,
        *,
        repo: Path,
        event_name: str = "push",
        event: Mapping[str, object] | None = None,
        env: Mapping[str, str] | None = None,
        job: str | None = None,
        timeout: float = 170,
    ) -> ActRun:
        """Runs the workflow, or one `job`, on the checkout `repo`, with `env` in the environment of every step."""
        only = ["--job", job] if job else []
        done = subprocess.run(
            [*self.command(workflow, event_name=event_name, event=event or {}, env=env or {}), *only],
            cwd=repo,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
        return ActRun(status=done.returncode, log=done.stdout, needs=read_needs(done.stdout))


def read_needs(log: str) -> dict[str, dict[str, object]]:
    """What the job `seen` told; empty where there is none."""
    found = re.search(rf"{MARK}(\S+)", log)
    needs: dict[str, dict[str, object]] = json.loads(base64.b64decode(found[1])) if found else {}
    return needs
