"""An application of three services and a migration, promoted as a whole: web and worker of one image, a scheduler."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.applications import FILE_SERVER, Application
from tests.support.engines import Sandbox
from tests.support.images import make_image
from tests.support.promotions import LABEL, State, make_history
from tests.support.runner import Ended, Runner, Running

SERVICES = ("web", "worker", "scheduler")
COMPOSE = """\
name: {project}
services:
  web:
    image: {project}-app:prod
    ports: ["127.0.0.1:{port}:8000"]
    depends_on: {{worker: {{condition: service_started}}, migrate: {{condition: service_completed_successfully}}}}
  worker:
    image: {project}-app:prod
    command: ["sh", "-c", "[ ! -e /app/breaks ] && sleep 600"]
  scheduler:
    image: {project}-tick:prod
    command: ["sleep", "600"]
  migrate:
    image: {project}-app:prod
    command: ["sh", "-c", "cat /app/revision; sleep $$(cat /app/seconds); exit $$(cat /app/status)"]
    profiles: [jobs]
"""
SETTINGS = """\
[services.worker]
health = "running"
[services.scheduler]
health = "running"
[environments.production.jobs.migrate]
timeout = 60
"""
GIVEN = {
    "PROD_SERVICE": "web, worker scheduler", "HEALTH_PATH": "/revision", "HOLD_TIME": "1", "HEALTH_RETRIES": "10",
    "HEALTH_INTERVAL": "1",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The images of one commit, by service and job."""

    revision: str
    images: Mapping[str, str]

    @property
    def services(self) -> dict[str, str]:
        return {name: self.images[name] for name in SERVICES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """The application on one Engine; nothing of it runs at first."""

    runner: Runner

    @property
    def sandbox(self) -> Sandbox:
        return self.runner.sandbox

    @property
    def project(self) -> str:
        return self.runner.app.project

    def build(self, revision: str, **files: str) -> Release:
        """Two images labelled with the revision: one for web, worker and migration, one for the scheduler."""
        files = {"revision": revision, "status": "0", "seconds": "0", **files}
        app, tick = self._build(files, revision, "app"), self._build(files, revision, "tick")
        return Release(revision=revision, images={"web": app, "worker": app, "migrate": app, "scheduler": tick})

    def _build(self, files: Mapping[str, str], revision: str, name: str) -> str:
        folder = self.runner.folder / "build"
        folder.mkdir(exist_ok=True)
        (folder / "Dockerfile").write_text(FILE_SERVER)
        tag, labels = f"{self.project}-{name}:{revision[:7]}", {LABEL: revision, "name": name}
        return make_image(self.sandbox, folder, tag, files=files, labels=labels, environment={})

    def promote(self, release: Release, *words: str, **variables: str) -> Ended:
        """From its start to its end."""
        return self.start(release, *words, **variables).end()

    def start(self, release: Release, *words: str, **variables: str) -> Running:
        told = {"EXPECTED_REVISION": release.revision, "SOURCE_IMAGES": json.dumps(release.images)}
        return self.runner.start("promote", *words, **{**told, **variables})

    def runs(self) -> dict[str, str]:
        """The image of each service's one running container."""
        found = {}
        for name in SERVICES:
            for container in self.runner.containers(name):
                assert name not in found, f"{name} has two containers"
                container.reload()
                assert container.status == "running", f"{name} is {container.status}"
                found[name] = str(container.attrs["Image"])
        return found

    def one_offs(self) -> list[str]:
        return [str(container.name) for container in self.runner.containers("migrate")]

    def left_behind(self) -> list[str]:
        """Volumes of locks and plans."""
        found = self.sandbox.docker.volumes.list(filters={"name": f"freshness.{self.project}."})
        return [volume.name for volume in found]

    def state(self) -> State:
        """What a promotion may change, to compare before and after."""
        api, mine = self.sandbox.docker.api, {"name": self.sandbox.name}
        found = [api.inspect_container(listed["Id"]) for listed in api.containers(all=True, filters=mine)]
        tags = [(tag, image["Id"]) for image in api.images() for tag in image["RepoTags"] or ()]
        return State(
            containers=frozenset((one["Name"], one["Id"], one["Image"], one["State"]["StartedAt"]) for one in found),
            tags={tag: image_id for tag, image_id in tags if self.sandbox.name in tag},
        )


def open_shop(sandbox: Sandbox, folder: Path) -> Shop:
    """Its checkout, with the history that `make_history` makes."""
    app = Application.new(folder, sandbox, production="web", **GIVEN)
    app.settings["PROD_PORT"] = str(app.production_port)
    own = folder / "config/freshness/org/app.toml"
    own.parent.mkdir(parents=True)
    own.write_text(SETTINGS)
    app.settings["XDG_CONFIG_HOME"] = str(folder / "config")
    app.repo.commit({"compose.yaml": COMPOSE.format(project=app.project, port=app.production_port)})
    make_history(app.repo)
    return Shop(runner=Runner(sandbox=sandbox, app=app, folder=folder))
