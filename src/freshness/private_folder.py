"""Folders of our own, where nobody else can put another in their place."""

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def make_private_folder(env: Mapping[str, str]) -> Path:
    """A new folder (0700) under RUNNER_TEMP, else the system's. Raises OSError, also where others could replace it."""
    system = Path(tempfile.gettempdir())
    for place in (Path(env.get("RUNNER_TEMP", "")), system):
        if place.is_absolute() and os.access(place, os.W_OK) and _is_safe(place.resolve()):
            return Path(tempfile.mkdtemp(prefix="freshness-", dir=place.resolve()))
    reason = "neither in RUNNER_TEMP nor here can we write what others cannot replace (mode 0700 would do)"
    raise PermissionError(errno.EACCES, reason, str(system))


def _is_safe(place: Path) -> bool:
    """Whether nobody but us and root can rename what we make there: the rule of install.sh, from the root down."""
    return all(_keeps_names(folder.stat()) for folder in (place, *place.parents))


def _keeps_names(folder: os.stat_result) -> bool:
    if folder.st_uid not in {0, os.geteuid()}:
        return False
    if folder.st_mode & stat.S_ISVTX or not folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return True
    return not folder.st_mode & stat.S_IWOTH and folder.st_gid in {0, os.getegid()}


@contextmanager
def private_folder(env: Mapping[str, str]) -> Iterator[Path]:
    """`make_private_folder`, taken away afterwards."""
    folder = make_private_folder(env)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
