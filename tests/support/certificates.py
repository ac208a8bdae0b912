"""Certificates of a test's own, made by openssl, laid out as Docker wants them in DOCKER_CERT_PATH."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority in a folder of its own."""

    folder: Path

    @classmethod
    def new(cls, folder: Path) -> "Authority":
        folder.mkdir()
        _openssl(
            *("req", "-x509", "-newkey", "ed25519", "-noenc", "-days", "1", "-subj", "/CN=authority"),
            *("-keyout", folder / "ca-key.pem", "-out", folder / "ca.pem"),
        )
        return cls(folder)

    def issue(self, name: str, extensions: str) -> Path:
        """A folder with `ca.pem`, and a `cert.pem` that this authority signed with its `key.pem`."""
        folder = self.folder / name
        folder.mkdir()
        (folder / "extensions").write_text(extensions)
        _openssl(
            *("req", "-newkey", "ed25519", "-noenc", "-subj", f"/CN={name}"),
            *("-keyout", folder / "key.pem", "-out", folder / "request"),
        )
        _openssl(
            *("x509", "-req", "-in", folder / "request", "-days", "1", "-extfile", folder / "extensions"),
            *("-CA", self.folder / "ca.pem", "-CAkey", self.folder / "ca-key.pem", "-CAcreateserial"),
            *("-out", folder / "cert.pem"),
        )
        shutil.copy(self.folder / "ca.pem", folder / "ca.pem")
        return folder


def _openssl(*words: str | Path) -> None:
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
