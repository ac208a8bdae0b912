"""Runs a real board in a process of its own, on a free port of 127.0.0.1."""

import http.client
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parents[3] / "src"
SERVE = "import os; from freshness.board.server import serve; serve('127.0.0.1', 0, os.environ)"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningBoard:
    """`line` is what it printed when it began to listen."""

    process: subprocess.Popen[str]
    line: str

    @property
    def url(self) -> str:
        return self.line.rpartition(" ")[2].rstrip("/\n")

    @property
    def address(self) -> str:
        return self.url.removeprefix("http://")

    def get(self, path: str) -> tuple[int, http.client.HTTPMessage, str]:
        connection = http.client.HTTPConnection(self.address, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()


@contextmanager
def running_board(env: Mapping[str, str]) -> Iterator[RunningBoard]:
    surroundings = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), **env}
    argv = [sys.executable, "-c", SERVE]
    with subprocess.Popen(argv, env=surroundings, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield RunningBoard(process=process, line=process.stdout.readline())
        finally:
            process.kill()
