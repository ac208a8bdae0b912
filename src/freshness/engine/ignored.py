"""Asks Docker's own client which paths of a build context it would send: only that reads `.dockerignore` exactly."""

import os
import tarfile
from collections.abc import Iterable
from pathlib import Path

from freshness.engine.client import Engine, require_reachable
from freshness.engine.plugin import STARTED_BY_DOCKER, find_plugin
from freshness.errors import EngineError
from freshness.process.children import stream
from freshness.process.private_folder import private_folder

IGNORE = ".dockerignore"
PROBE = "FROM scratch\nCOPY . /\n"
SECONDS = 120


def has_ignore_file(context: Path, dockerfile: Path) -> bool:
    """Whether there is a file that leaves something out of the context; none of them may be a link to another."""
    files = _ignore_files(context, dockerfile)
    return any(path.is_file() for path in files) and not any(path.is_symlink() for path in files)


def sent(engine: Engine, context: Path, dockerfile: Path, paths: Iterable[str]) -> frozenset[str]:
    """Those of the paths, relative to the context, that would reach a build; each stands for a file.

    Builds nothing but their names: empty files in their places, and the context's own ignore file. Raises EngineError.
    """
    wanted = frozenset(paths)
    with private_folder(engine.env) as folder:
        # By its last name BuildKit knows what it was sent before.
        root, probe, result = folder / folder.name, folder / "Dockerfile", folder / "sent.tar"
        root.mkdir()
        probe.write_text(PROBE)
        for path in wanted:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).touch()
        own, shared = _ignore_files(context, dockerfile)
        for source, copy in ((own, folder / f"Dockerfile{IGNORE}"), (shared, root / IGNORE)):
            if source.is_file():
                copy.write_bytes(source.read_bytes())
        argv = [find_plugin("buildx", engine.env), "buildx", "build", "--builder", engine.context, "--progress"]
        argv += ["plain", "--provenance=false", "--file", str(probe), "--output", f"type=tar,dest={result}", str(root)]
        said: list[str] = []
        if stream(argv, {**engine.env, **STARTED_BY_DOCKER}, said.append, timeout=SECONDS) != 0:
            require_reachable(engine, "reading .dockerignore")
            why = said[-1].strip().rstrip(".") if said else "no output"
            raise EngineError(f"buildx cannot apply {IGNORE}: {why}.", "Correct that file, or set `incomplete: allow`.")
        return wanted & _names(result)


def _ignore_files(context: Path, dockerfile: Path) -> tuple[Path, Path]:
    """The Dockerfile's own, which wins, and the context's."""
    return dockerfile.with_name(f"{dockerfile.name}{IGNORE}"), context / IGNORE


def _names(result: Path) -> frozenset[str]:
    with tarfile.open(result) as archive:
        return frozenset(os.path.normpath(member.name) for member in archive if not member.isdir())
