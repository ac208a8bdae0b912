"""Writes the step's outputs: closed before anything else happens, and all of them in one write at the end (I5)."""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from freshness.ci.sanitizing import one_line
from freshness.errors import OutputError

GATE_OUTPUTS: Mapping[str, str] = {
    "gate": "`open` or `closed`: the one to gate on, always as `== 'open'`",
    "verdict": "`fresh`, `disabled`, `out-of-scope`, `refused`, `build-failed`, `stale`, `unhealthy`, `check-failed`, "
    "`superseded` or `error`",
    "reason": "One sentence for a person: what was got, what was expected, what to do",
    "revision": "Full id of the validated commit",
    "tree": "Full id of the commit's tree",
    "image": "Staging's image tag",
    "image-id": "ID of the image that passed the gate: what to promote",
    "images": "Each service of the application with its image ID, in JSON",
    "digest": "Digest of that image in the registry, where `registry` is set",
    "digests": "Each service with its image in the registry (`HOST/NAME@sha256:…`), in JSON",
    "daemon-id": "Docker Engine that holds the image",
    "report-path": "JSON report of all checks, with times",
}
PROMOTE_OUTPUTS: Mapping[str, str] = {
    "outcome": "`promoted`, `unchanged`, `refused`, `rolled-back`, `stranded` or `error`",
    "reason": "One sentence for a person: what was got, what was expected, what to do",
    "image-id": "ID of the image in production, as far as this run verified it; else empty",
    "images": "Each service with the image ID that it runs, in JSON, as far as this run verified it",
    "previous-image-id": "ID of the image that ran in production before; empty at the first deployment",
    "report-path": "JSON report of all checks, with times",
}


class Outputs(Struct, frozen=True, kw_only=True):
    """The file that the runner reads the step's outputs from; None where no runner does.

    `decisive` is the output that opens something. It is written first with the value that opens nothing (`closed`), and
    at the end as the last of all, so that a crash or a torn write can open nothing.
    """

    path: Path | None
    decisive: str = "gate"
    closed: str = "closed"

    def close_gate(self) -> None:
        """Writes the value that opens nothing. Raises OutputError."""
        self._append(f"{self.decisive}={self.closed}\n")

    def write(self, values: Mapping[str, str]) -> None:
        """Appends all values in one write, the decisive one last, each on one line. Raises OutputError."""
        names = sorted(values, key=lambda name: name == self.decisive)
        self._append("".join(f"{name}={one_line(values[name])}\n" for name in names))

    def _append(self, lines: str) -> None:
        if self.path is None:
            return
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        except (OSError, ValueError) as error:
            raise _failure(self.path, error) from error
        try:
            _append_whole(descriptor, lines.encode("utf-8", "replace"))
        except OSError as error:
            raise _failure(self.path, error) from error
        finally:
            os.close(descriptor)


def _append_whole(descriptor: int, lines: bytes) -> None:
    """One write, or none: what a full disk cut short is taken back."""
    size = os.fstat(descriptor).st_size
    # On Gitea and act one file serves all steps, and the one before us may have left its last line open.
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        lines = b"\n" + lines
    if os.write(descriptor, lines) != len(lines):
        os.ftruncate(descriptor, size)
        raise OSError("only a part of it fitted on the disk")


def _failure(path: Path, error: Exception) -> OutputError:
    return OutputError(
        f"The step's outputs cannot be written to {str(path)!r}: {error}.",
        "Check the free space and the permissions of the runner's folder; the gate stays closed.",
    )
