"""Where standing build contexts are: in the user's cache folder, one place a repository, bounded in number and size."""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from freshness.git.standing_state import recorded_size
from freshness.process.private_folder import make_kept_folder

MOST = 16
"""Repositories of one user."""
ROOM = 8 * 2**30
"""Bytes of all contexts together; what was used longest ago goes first."""


class Place(Struct, frozen=True, kw_only=True):
    """One repository's folder, ours alone for as long as the descriptor `lock` is open here or in a child."""

    folder: Path
    lock: int

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def clear(self) -> None:
        """Removes all but the lock, the state first. Raises OSError."""
        self.state.unlink(missing_ok=True)
        for one in self.folder.iterdir():
            if one.is_dir() and not one.is_symlink():
                shutil.rmtree(one)
            elif one.name != "lock":
                one.unlink()


@contextmanager
def open_place(env: Mapping[str, str], key: str) -> Iterator[Place | None]:
    """The place of `key`, locked; None where another run has it, or there is no folder that is safe."""
    place = take(env, key)
    try:
        yield place
    finally:
        if place is not None:
            with suppress(OSError):
                evict(place)
            os.close(place.lock)


def take(env: Mapping[str, str], key: str) -> Place | None:
    cache = Path(env.get("XDG_CACHE_HOME") or Path(env.get("HOME", ""), ".cache"))
    if not cache.is_absolute():
        return None
    try:
        return lock_place(make_kept_folder(cache / "freshness" / "contexts" / sha256(key.encode()).hexdigest()[:32]))
    except OSError:
        return None


def lock_place(folder: Path) -> Place:
    """Raises OSError where another has it, also a child of a run that was killed."""
    file = folder / "lock"
    lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(lock).st_ino != file.stat().st_ino:
            raise FileNotFoundError(file)  # removed in between, by another run's `evict`
        os.utime(lock)
    except OSError:
        os.close(lock)
        raise
    return Place(folder=folder, lock=lock)


def evict(place: Place) -> None:
    """Removes the contexts that are beyond `MOST` or `ROOM`, and what cut runs left; `place` is the newest."""
    total = 0
    folders = [place.folder, *(one for one in by_use(place.folder.parent) if one != place.folder)]
    for number, folder in enumerate(folders):
        size = recorded_size(folder / "state")
        total += size or 0
        if number < MOST and total <= ROOM and size is not None:
            continue
        if folder == place.folder:
            place.clear()
        else:
            remove(folder)


def by_use(contexts: Path) -> list[Path]:
    used = {}
    for folder in contexts.iterdir():
        with suppress(OSError):
            used[folder] = (folder / "lock").stat().st_mtime_ns
    return sorted(used, key=lambda folder: used[folder], reverse=True)


def remove(folder: Path) -> None:
    """Unless another run has it."""
    with suppress(OSError):
        other = lock_place(folder)
        try:
            other.clear()
            shutil.rmtree(folder)
        finally:
            os.close(other.lock)
