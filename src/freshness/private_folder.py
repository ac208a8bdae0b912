"""A folder of our own for the length of a run."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def private_folder(env: Mapping[str, str]) -> Iterator[Path]:
    """A new folder (0700) under RUNNER_TEMP, else the system's; taken away afterwards."""
    given = env.get("RUNNER_TEMP", "")
    folder = Path(tempfile.mkdtemp(prefix="freshness-", dir=given if Path(given).is_dir() and given else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
