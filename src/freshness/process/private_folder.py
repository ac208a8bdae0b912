"""Folders of our own, where nobody else can put another in their place."""

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from freshness.core.run import Run

ACCESS_LIST, INHERITED_LIST = "system.posix_acl_access", "system.posix_acl_default"


def make_private_folder(env: Mapping[str, str]) -> Path:
    """A new folder (0700) under RUNNER_TEMP, else the system's. Raises OSError, also where others could replace it."""
    return make_folder_in((Path(Run.of(env).temp), Path(tempfile.gettempdir())))


def make_folder_in(places: Sequence[Path], prefix: str = "freshness-") -> Path:
    """A new folder (0700) in the first of these that is safe. Raises OSError, also where none is."""
    for place in places:
        if place.is_absolute() and os.access(place, os.W_OK) and _is_safe(place.resolve()):
            return _without_lists(Path(tempfile.mkdtemp(prefix=prefix, dir=place.resolve())))
    reason = "neither in RUNNER_TEMP nor here is there a folder that others cannot replace (mode 0700 would do)"
    raise PermissionError(errno.EACCES, reason, str(places[-1]))


def make_kept_folder(folder: Path) -> Path:
    """The folder (0700) that outlives the run, made where it is missing. Raises OSError, also where it is not safe."""
    folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    real = folder.resolve()
    if real.stat().st_uid != os.geteuid() or not _is_safe(real.parent):
        raise PermissionError(errno.EACCES, "others can replace it", str(folder))
    real.chmod(stat.S_IRWXU)
    return _without_lists(real)


def _is_safe(place: Path) -> bool:
    """Whether nobody but us and root can rename what we make there: the rule of install.sh, from the root down."""
    return all(_keeps_names(folder) for folder in (place, *place.parents))


def _keeps_names(folder: Path) -> bool:
    """By owner and mode; where an access list (acl(5)) says more than the mode's group bits, nobody else may write."""
    seen = folder.stat()
    if seen.st_uid not in {0, os.geteuid()}:
        return False
    if seen.st_mode & stat.S_ISVTX or not seen.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return True
    return not seen.st_mode & stat.S_IWOTH and seen.st_gid in {0, os.getegid()} and not _has_list(folder)


def _has_list(folder: Path) -> bool:
    with suppress(OSError):  # a file system without such lists
        return ACCESS_LIST in os.listxattr(folder)
    return False


def _without_lists(folder: Path) -> Path:
    """The folder without what it inherited: whoever is in that list could be let in by a mode that we give later."""
    for name in (ACCESS_LIST, INHERITED_LIST):
        with suppress(OSError):
            os.removexattr(folder, name)
    return folder


@contextmanager
def private_folder(env: Mapping[str, str]) -> Iterator[Path]:
    """`make_private_folder`, removed afterwards."""
    folder = make_private_folder(env)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
