"""A real Gitea and its runner, as `make test-gitea` has built them, on loopback and with what a person does to them."""

import getpass
import http.cookiejar
import json
import os
import re
import secrets
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

from tests.support.engines import ROOT, free_port, pause

BUILT = ROOT / ".cache/gitea"
USER, PASSWORD = "founder", "a-password-of-tests"
LABEL = "deploy-host"
SECONDS = 300
SETTINGS = """
RUN_USER = {user}
RUN_MODE = prod
WORK_PATH = {folder}
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true

[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = http://127.0.0.1:{port}/
STATIC_ROOT_PATH = {built}
DISABLE_SSH = true
OFFLINE_MODE = true

[database]
DB_TYPE = sqlite3
PATH = {folder}/gitea.db

[repository]
ROOT = {folder}/repositories

[security]
INSTALL_LOCK = true
SECRET_KEY = {secret}

[actions]
ENABLED = true
DEFAULT_ACTIONS_URL = self

[cron.update_checker]
ENABLED = false

[log]
LEVEL = Warn
"""
RUNNER_SETTINGS = """
runner: {{file: {folder}/registered, capacity: 2, fetch_interval: 1s, shutdown_timeout: 0s}}
cache: {{enabled: false}}
container: {{network: host, force_pull: false}}
host: {{workdir_parent: {folder}/work}}
"""


class Rejected(Exception):
    """What Gitea's API answered, where that was no success."""


@dataclass(slots=True, kw_only=True)
class Gitea:
    """A server whose data lie in `folder`, and a runner, until `close`. `token` may do everything."""

    folder: Path
    port: int = field(default_factory=free_port)
    token: str = ""
    server: "subprocess.Popen[bytes] | None" = None
    runner: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def set_up(self) -> None:
        """Makes the database, one user, and a runner whose jobs run on this machine itself."""
        self.folder.mkdir()
        settings = {"user": getpass.getuser(), "port": self.port, "secret": secrets.token_hex(20)}
        self._settings.write_text(SETTINGS.format(folder=self.folder, built=BUILT, **settings))
        self.command("migrate")
        self.token = self.add_user(USER, "--admin")
        self.start()
        self._register(self.folder / "runner")
        self.start_runner()

    def start(self) -> None:
        self.server = self._begin("server", BUILT / "gitea", "--config", self._settings, "web")
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                self.api("GET", "/version")
            except (OSError, HTTPException):
                assert time.monotonic() < deadline, (self.folder / "server.log").read_text()
                pause()
            else:
                return

    def stop(self) -> None:
        _end(self.server)

    def start_runner(self) -> None:
        folder = self.folder / "runner"
        self.runner = self._begin("runner", BUILT / "runner", "--config", folder / "config.yaml", "daemon")

    def stop_runner(self) -> None:
        _end(self.runner)

    def command(self, *arguments: str) -> str:
        """What `gitea ARGUMENTS` prints."""
        done = subprocess.run(
            [BUILT / "gitea", "--config", self._settings, *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def add_user(self, name: str, *options: str) -> str:
        """Makes the user. Returns a token of theirs that may do all that they may."""
        who = ("--username", name)
        account = ("--password", PASSWORD, "--email", f"{name}@example.org", "--must-change-password=false")
        self.command("admin", "user", "create", *who, *account, *options)
        told = self.command(
            "admin", "user", "generate-access-token", *who, "--token-name", "tests", "--scopes", "all", "--raw"
        )
        return _token_in(told)

    def address(self, repository: str, token: str = "") -> str:
        """Where Git pushes to."""
        return f"http://x:{token or self.token}@127.0.0.1:{self.port}/{repository}.git"

    def api(self, method: str, path: str, body: Mapping[str, object] | None = None, *, token: str = "") -> Any:
        """The answer as JSON, or its text. Raises Rejected, and OSError where nobody answers."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        if token or self.token:
            headers["Authorization"] = f"token {token or self.token}"
        asked = urllib.request.Request(f"{self.url}/api/v1{path}", method=method, data=data, headers=headers)  # noqa: S310
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            raise Rejected(f"{method} {path}: {error.code} {error.read().decode()}") from None
        try:
            return json.loads(text) if text else None
        except ValueError:
            return text

    def cancel(self, repository: str, run: int) -> None:
        """As a person does in the browser: the API of 1.26 has no such call."""
        self._click(f"{repository}/actions/runs/{run}/cancel")

    def approve(self, repository: str, run: int) -> None:
        """As `cancel`: lets the run of a fork's pull request begin."""
        self._click(f"{repository}/actions/runs/{run}/approve")

    def _click(self, path: str) -> None:
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        browser.addheaders = [("Origin", self.url)]
        login = urllib.parse.urlencode({"user_name": USER, "password": PASSWORD}).encode()
        browser.open(f"{self.url}/user/login", login).close()
        browser.open(f"{self.url}/{path}", b"").close()

    def close(self) -> None:
        _end(self.runner)
        _end(self.server)

    @property
    def _settings(self) -> Path:
        return self.folder / "app.ini"

    @property
    def _environment(self) -> dict[str, str]:
        """Without Git's variables: Gitea writes to the file that GIT_CONFIG_GLOBAL names, and replaced /dev/null."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return {**kept, "GITEA_WORK_DIR": str(self.folder), "XDG_CACHE_HOME": str(self.folder / "cache")}

    def _register(self, folder: Path) -> None:
        folder.mkdir()
        config = folder / "config.yaml"
        config.write_text(RUNNER_SETTINGS.format(folder=folder))
        token = _token_in(self.command("actions", "generate-runner-token"))
        words = ("--no-interactive", "--instance", self.url, "--token", token, "--labels", f"{LABEL}:host")
        subprocess.run(
            [BUILT / "runner", "--config", config, "register", *words], check=True, cwd=folder, capture_output=True
        )

    def _begin(self, name: str, *words: str | Path) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                words, cwd=self.folder, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """How a job ended, as Gitea says, and its log without the times."""

    result: str
    log: str

    @property
    def said(self) -> str:
        """What the action ends with: the decision, and the line behind it."""
        found = re.findall(r"^(?:[✓✗] |::error title=)(freshness \w+(?::|%3A) .*(?:\n.*)?)$", self.log, re.MULTILINE)
        return str(found[-1]) if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run of a workflow on Gitea."""

    gitea: Gitea
    repository: str
    number: int

    def end(self) -> dict[str, Job]:
        """Waits until all jobs are at their end. Returns them by their names."""
        for jobs in self._looks():
            if jobs and all(job["status"] == "completed" for job in jobs):
                return {job["name"]: Job(result=job["conclusion"], log=self._log(job["id"])) for job in jobs}
        raise AssertionError(f"run {self.number} did not end")

    def wait_for_text(self, text: str) -> None:
        """Waits until a job's log has it."""
        logs: dict[str, str] = {}
        for jobs in self._looks():
            if any(text in self._log(job["id"]) for job in jobs if job["status"] == "in_progress"):
                return
            logs = {f"{job['name']} {job['status']}": self._log(job["id"]) for job in jobs}
            if jobs and all(job["status"] == "completed" for job in jobs):
                break
        raise AssertionError(f"run {self.number} did not say {text!r}, but {logs}")

    def again(self, *, failed_only: bool = False) -> dict[str, Job]:
        """Starts the run, or what failed of it, once more, and waits for its end."""
        which = "rerun-failed-jobs" if failed_only else "rerun"
        self.gitea.api("POST", f"/repos/{self.repository}/actions/runs/{self.number}/{which}")
        return self.end()

    def cancel(self) -> None:
        self.gitea.cancel(self.repository, self.number)

    def _looks(self) -> Iterator[list[dict[str, Any]]]:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            yield self.gitea.api("GET", f"/repos/{self.repository}/actions/runs/{self.number}/jobs")["jobs"]
            time.sleep(0.2)

    def _log(self, job: int) -> str:
        """Empty where the job never began."""
        try:
            log = self.gitea.api("GET", f"/repos/{self.repository}/actions/jobs/{job}/logs")
        except Rejected:
            return ""
        return re.sub(r"^\S+Z ", "", log, flags=re.MULTILINE)


def _token_in(told: str) -> str:
    """The line that is one: a slow machine's Gitea prints warnings around it."""
    return str(re.findall(r"^[0-9A-Za-z]{40}$", told, re.MULTILINE)[-1])


def _end(process: "subprocess.Popen[bytes] | None") -> None:
    if process and process.poll() is None:
        process.terminate()
        process.wait()


@contextmanager
def running_gitea(folder: Path) -> Iterator[Gitea]:
    gitea = Gitea(folder=folder)
    try:
        gitea.set_up()
        yield gitea
    finally:
        gitea.close()
