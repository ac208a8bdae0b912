"""The private folder that an export is written into, and the folders in it."""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from freshness.errors import RepositoryError, SettingsError

OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FOLDER_MODE = 0o755


@contextmanager
def open_private(folder: Path) -> Iterator[int]:
    """Opens `folder`, made with mode 0700 or found empty and ours; never through a symbolic link at its end."""
    with suppress(FileExistsError):
        folder.mkdir(stat.S_IRWXU)
    root = os.open(folder, OPEN_FOLDER)
    try:
        if os.fstat(root).st_uid != os.geteuid() or os.listdir(root):  # noqa: PTH208 (a path may be another folder by now)
            raise SettingsError(
                (f"{folder} is not an empty folder of this user."), "Name a folder that does not exist yet."
            )
        os.fchmod(root, stat.S_IRWXU)
        yield root
    finally:
        os.close(root)


@contextmanager
def explain_disk(folder: Path) -> Iterator[None]:
    """Turns what the file system refuses into one sentence."""
    try:
        yield
    except OSError as error:
        raise RepositoryError(
            f"the commit could not be written to {folder}: {error.strerror}.",
            "Free some space there and let this user write to it, or set TMPDIR to another folder.",
        ) from error


def make_folder(parent: int, path: bytes) -> None:
    """Makes the folder below the open folder `parent`."""
    os.mkdir(path, stat.S_IRWXU, dir_fd=parent)
    os.chmod(path, FOLDER_MODE, dir_fd=parent)  # the umask has no say


def set_times(root: int, paths: Iterable[bytes], times: tuple[int, int]) -> None:
    """Access and change time of folders, in nanoseconds. Comes last of all: writing into a folder changes its time."""
    for path in paths:
        os.utime(path, ns=times, dir_fd=root, follow_symlinks=False)
