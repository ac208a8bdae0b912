"""A dockerd of a test's own, in a network namespace of its own, which may be stopped, killed, hung and filled."""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

END_SECONDS = 60

# It holds network and mounts, and starts a dockerd for each line that it reads; containerd lives on beside, as on hosts
# of the usual kind. When its input ends, as it does when we die, all that it started is ended, also what hangs.
HOLDER = """
exec 2>> log
[ -z "$NODE" ] || hostname "$NODE"
ip link set lo up
[ ! -e data.ext4 ] || mount -o loop data.ext4 data || exit
containerd --config "$PWD/containerd.toml" --address "$PWD/containerd.sock" \\
    --root "$PWD/data/containerd" --state "$PWD/exec/containerd" >> log < /dev/null &
containerd=$!
while read -r _; do
    dockerd "$@" >> log < /dev/null &
    dockerd=$!
    echo $dockerd
done
kill -TERM $dockerd && kill -CONT $dockerd && wait $dockerd
kill -TERM $containerd
wait
"""
CONTAINERD_CONFIG = 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Which dockerd: the folders of its programs, its configuration as JSON, and more options."""

    programs: tuple[Path, ...]
    config: str = "{}"
    options: tuple[str, ...] = ()


class Daemon:
    """A dockerd with its `folder`; `host` is where it answers. After a kill, `start` finds the data root as it was.

    With a `hostname` it takes its machine for one of that name.
    """

    def __init__(self, version: Version, folder: Path, hostname: str = "") -> None:
        self.folder = folder
        self.host = f"unix://{folder / 'docker.sock'}"
        self._lock = threading.Lock()
        self._process: int | None = None
        (folder / "data").mkdir()
        (folder / "daemon.json").write_text(version.config)
        (folder / "containerd.toml").write_text(CONTAINERD_CONFIG)
        options = [
            f"--config-file={folder / 'daemon.json'}",
            f"--data-root={folder / 'data/docker'}",
            f"--exec-root={folder / 'exec'}",
            f"--containerd={folder / 'containerd.sock'}",
            f"--pidfile={folder / 'pid'}",
            f"--host={self.host}",
            "--bip=10.214.0.1/24",
            *version.options,
        ]
        programs = ":".join(str(path) for path in version.programs)
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "--uts", "sh", "-c", HOLDER, "dockerd", *options],
            cwd=folder,
            env={"PATH": f"{programs}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin", "NODE": hostname},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
        )

    @property
    def data(self) -> Path:
        """The data root, as its own mounts have it."""
        return Path(f"/proc/{self._holder.pid}/root/{self.folder}/data")

    @property
    def network(self) -> Path:
        """The file of its network namespace, which stays when dockerd ends."""
        return Path(f"/proc/{self._holder.pid}/ns/net")

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    @property
    def is_up(self) -> bool:
        """Whether its process is there; it may hang all the same."""
        return self._process is not None

    def start(self, _call: object = None) -> None:
        """Starts dockerd; until it answers is the caller's to wait."""
        assert self._holder.stdin is not None
        assert self._holder.stdout is not None
        (self.folder / "pid").unlink(missing_ok=True)  # of one that was killed; its number may be another's by now
        self._holder.stdin.write("start\n")
        self._process = int(self._holder.stdout.readline())

    def stop(self, _call: object = None) -> None:
        """SIGTERM: it stops its containers, and ends."""
        self._end(signal.SIGTERM)

    def kill(self, _call: object = None) -> None:
        """SIGKILL: its containers go on, what published their ports does not."""
        self._end(signal.SIGKILL)

    def hang(self, _call: object = None) -> None:
        """It takes connections, as the kernel does for it, and answers nothing until `go_on`."""
        self._send(signal.SIGSTOP)
        while not all(_is_stopped(thread) for thread in Path(f"/proc/{self._process}/task").iterdir()):
            os.sched_yield()

    def go_on(self, _call: object = None) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None, "there is no dockerd"
        os.kill(self._process, number)

    def _end(self, number: signal.Signals) -> None:
        with self._lock:
            if self._process is None:
                return
            ended = os.pidfd_open(self._process)
            try:
                self._send(number)
                self._send(signal.SIGCONT)
                assert select.select([ended], [], [], END_SECONDS)[0], f"dockerd did not end:\n{self.log[-2000:]}"
            finally:
                os.close(ended)
            self._process = None

    def close(self) -> None:
        """Ends dockerd with its containers: those of one that was killed are ended by the next, which has to start."""
        if not self.is_up:
            self.start()
        self.go_on()
        self.stop()
        self._holder.communicate(timeout=END_SECONDS)
        self._end_what_was_forgotten()
        assert self._holder.returncode == 0, self.log[-2000:]

    def _end_what_was_forgotten(self) -> None:
        """A container that dockerd was starting when it was killed, with its shim, which names our own socket."""
        ours = str(self.folder / "containerd.sock").encode()
        for process in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if process.name.isdigit() and ours in (process / "cmdline").read_bytes().split(b"\0"):
                    for pid in (*_children(int(process.name)), int(process.name)):
                        os.kill(pid, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _is_stopped(thread: Path) -> bool:
    return (thread / "stat").read_text().rpartition(")")[2].split()[0] == "T"


@contextlib.contextmanager
def running_daemon(version: Version, *, megabytes: int | None = None, hostname: str = "") -> Iterator[Daemon]:
    """Started, and ended with the block or with this process; with `megabytes` its data root is that small an ext4."""
    folder = Path(tempfile.mkdtemp(prefix="freshness-engine-"))
    try:
        if megabytes:
            make_filesystem(folder / "data.ext4", megabytes)
        daemon = Daemon(version, folder, hostname)
        daemon.start()
        try:
            yield daemon
        finally:
            daemon.close()
    finally:
        shutil.rmtree(folder)


def make_filesystem(file: Path, megabytes: int) -> None:
    """A file that can be mounted as an ext4 of that size, with nothing held back for root."""
    with file.open("wb") as image:
        image.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(file)], check=True, capture_output=True)
