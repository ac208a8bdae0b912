"""HAProxy as Debian ships it, in an image of its own, set up as docs/promotion-and-rollback.md says."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.support.engines import ROOT, Sandbox

UNPACKED = ROOT / ".cache/haproxy"
HAPROXY = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin:{UNPACKED}/usr/sbin")
DOCKERFILE = """\
FROM scratch
COPY . /
ENV LD_LIBRARY_PATH=/libraries
ENTRYPOINT ["/haproxy", "-db", "-f", "/haproxy.cfg"]
"""


def why_no_proxy() -> str | None:
    """Why there is no HAProxy to run, or None."""
    return None if HAPROXY else "there is no haproxy; `make test` puts it into .cache where apt has it"


def build_proxy(sandbox: Sandbox, folder: Path, configuration: str, tag: str) -> None:
    """An image that runs HAProxy with this configuration; `folder` must be new."""
    (folder / "libraries").mkdir(parents=True)
    shutil.copy(str(HAPROXY), folder / "haproxy")
    for library in libraries():
        # The loader's own path is written into the program; all else is looked for.
        place = folder / str(library).lstrip("/") if "ld-linux" in library.name else folder / "libraries" / library.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, place)
    (folder / "haproxy.cfg").write_text(configuration)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    sandbox.cli("build", "--quiet", "--label", f"freshness.test={sandbox.name}", "--tag", tag, str(folder))


def libraries() -> list[Path]:
    """What the program is linked with on this machine, the loader included."""
    paths = ":".join(map(str, UNPACKED.glob("**/lib/*-linux-gnu*")))
    listed = subprocess.run(
        ["ldd", str(HAPROXY)], env={**os.environ, "LD_LIBRARY_PATH": paths}, capture_output=True, text=True, check=True
    )
    return [Path(found) for found in re.findall(r"(/\S+) \(0x", listed.stdout)]


def documented_configuration(service: str, port: int) -> str:
    """The configuration that docs/promotion-and-rollback.md shows, for this service in place of `shop:8000`."""
    (shown,) = re.findall(r"```haproxy\n(.*?)```", (ROOT / "docs/promotion-and-rollback.md").read_text(), re.DOTALL)
    return str(shown).replace("shop:8000", f"{service}:{port}")
