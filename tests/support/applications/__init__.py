"""Small real applications, each in a Git repository of its own, for the gate and promote to work on."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from tests.support.engines import BASE_IMAGE, ROOT, Sandbox, free_port
from tests.support.git import Content, GitRepo

HERE = Path(__file__).parent
BUSYBOX = ROOT / ".cache/busybox/busybox"
FILE_SERVER = f"""\
FROM {BASE_IMAGE}
ARG GIT_SHA
ENV REVISION=$GIT_SHA
WORKDIR /app
COPY . .
STOPSIGNAL SIGKILL
CMD ["python3", "-m", "http.server", "8000"]
"""
"""A Dockerfile whose image serves the commit's own files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A repository with two Compose services, `staging` and `production`, on ports of their own.

    `settings` are the variables that tell gate and promote about it, on top of their defaults. `/version` answers the
    revision that was built.
    """

    repo: GitRepo
    project: str
    staging: str
    production: str
    staging_port: int
    production_port: int
    settings: dict[str, str]

    @classmethod
    def new(
        cls, folder: Path, sandbox: Sandbox, *, staging: str = "none", production: str = "none", **settings: str
    ) -> Self:
        """An empty repository in `folder/app`; the project has the sandbox's name."""
        return cls(
            repo=GitRepo.init(folder / "app"),
            project=sandbox.name,
            staging=staging,
            production=production,
            staging_port=free_port(),
            production_port=free_port(),
            settings=settings,
        )

    @property
    def staging_image(self) -> str:
        return f"{self.project}-{self.staging}"

    @property
    def production_image(self) -> str:
        return f"{self.project}-{self.production}"


def python_application(path: Path, sandbox: Sandbox, **behaviour: object) -> Application:
    """The usual shape: services `orchestrator-staging` and `orchestrator`, `/health`, `scripts/staging_check.py`.

    `behaviour` is committed with it, see `behaviour`.
    """
    app = Application(
        repo=GitRepo.init(path),
        project=sandbox.name,
        staging="orchestrator-staging",
        production="orchestrator",
        staging_port=free_port(),
        production_port=free_port(),
        settings={"HOLD_TIME": "0"},
    )
    app.settings.update(TARGET_PORT=str(app.staging_port), PROD_PORT=str(app.production_port))
    files = _files(HERE / "python", app)
    app.repo.commit({**files, **behave(**behaviour)}, "Begin")
    return app


def behave(**behaviour: object) -> dict[str, Content]:
    """The file that makes the next commit of a Python application behave otherwise, each given as JSON.

    `health` (200): the status of `/health`, or `drip`: 200, and then headers without end.
    `unhealthy_on` (none): `staging` or `production`, where it is 503.
    `good_answers` (all): how often `/health` answers as told; `then` (503) it is 503, or the server ends: `exit`.
    `needs` (none): variables without which it ends at once.
    `health_seconds` (0): how long an answer of `/health` takes. `listen` (all addresses, 8000): address and port.
    `start_seconds` (0): before it listens. `exit_after` (none): seconds until it ends with status 1.
    `stop_seconds` (0): how long it serves on when it is told to stop.
    `check` (`pass`): what its staging check does: `pass`, `fail`, `hang` or `kill` itself.
    `log` (nothing), `check_log` (nothing): text that the application, its check, prints first.
    """
    return {"behaviour.json": json.dumps(behaviour)}


def static_application(path: Path, sandbox: Sandbox) -> Application:
    """Everything unlike the default: `FROM scratch`, no Python, shell or HTTP client, a sub-folder, other names."""
    if not BUSYBOX.exists():
        pytest.skip(f"{BUSYBOX.relative_to(ROOT)} is missing; `make test` puts it there")
    app = Application(
        repo=GitRepo.init(path),
        project=f"{sandbox.name}-shop",
        staging="web-preview",
        production="web",
        staging_port=free_port(),
        production_port=free_port(),
        settings={
            "COMPOSE_FILE": "deploy/docker-compose.yml",
            "TARGET_SERVICE": "web-preview",
            "PROD_SERVICE": "web",
            "BUILD_CONTEXT": "services/web",
            "HEALTH_PATH": "/ready.txt",
            "HOLD_TIME": "0",
            "CHECK_COMMAND": "/grep -Exq '[0-9a-f]{40}' /www/version",
        },
    )
    app.settings.update(TARGET_PORT=str(app.staging_port), PROD_PORT=str(app.production_port))
    app.repo.commit({**_files(HERE / "static", app), "services/web/busybox": BUSYBOX.read_bytes()}, "Begin")
    return app


def _files(folder: Path, app: Application) -> dict[str, Content]:
    """The files of `folder`, with the test's names and ports in place of @WORDS@."""
    words = {
        "@PROJECT@": app.project,
        "@STAGING_PORT@": str(app.staging_port),
        "@PRODUCTION_PORT@": str(app.production_port),
    }
    files: dict[str, Content] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or "__pycache__" in path.parts:
            continue
        text = path.read_text()
        for word, value in words.items():
            text = text.replace(word, value)
        files[str(path.relative_to(folder))] = text
    return files
