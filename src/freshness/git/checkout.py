"""Opens the Git repository of a checkout, whoever owns it, or says why libgit2 cannot; makes one where none is."""

from pathlib import Path

import pygit2
from pygit2.enums import RepositoryOpenFlag

from freshness.errors import RepositoryError
from freshness.git.address import ForgeAddress
from freshness.git.loose import find_common

Repository = pygit2.Repository
"""For those who only pass it on: no other room imports pygit2."""

CONNECT_TIMEOUT = 15_000
"""Milliseconds until a server that accepts no connection is given up."""
ANSWER_TIMEOUT = 120_000
"""Milliseconds that a server may stay silent, packing included."""
MAPPED = 32 << 20
"""Bytes of packs that are mapped at once: libgit2 would map all of them, and a large repository fill the memory."""

_NOT_FOUND = "repository not found"
CANNOT_OPEN = {
    _NOT_FOUND: (
        "is not a Git repository.",
        "Check out the repository before this step, or set `path` to its folder.",
    ),
    "unknown object format 'sha256'": (
        "is a SHA-256 repository, which libgit2 cannot read; a SHA-1 repository was expected.",
        "Use a repository whose object format is sha1.",
    ),
    "extensions.refstorage": (
        "keeps its references as reftable, which libgit2 cannot read; the files format was expected.",
        "Run `git refs migrate --ref-format=files` in it, or clone it with `--ref-format=files`.",
    ),
    "extensions.partialclone": (
        "is a partial clone, which libgit2 cannot read; a clone with all objects of its commits was expected.",
        "Check out without `filter` and `sparse-checkout`.",
    ),
}
"""What libgit2's message contains → what the folder is, and the remedy."""


def open_repository(folder: Path) -> pygit2.Repository:
    """The repository whose work tree, linked work tree, submodule folder or bare folder is exactly `folder`.

    Parent folders are not searched: what lies around a workspace is not what was validated. A linked work tree is
    opened as the repository that it is linked to: libgit2 looks for `shallow` in the work tree's own part alone, and
    could not fetch. Raises `RepositoryError`.
    """
    configure_libgit2()
    try:
        repository = pygit2.Repository(str(folder), RepositoryOpenFlag.NO_SEARCH)
        common = find_common(Path(repository.path))
        return repository if common is None else pygit2.Repository(str(common), RepositoryOpenFlag.NO_SEARCH)
    except (pygit2.GitError, OSError) as error:
        raise explain(folder, str(error)) from error


def open_or_make(folder: Path, address: ForgeAddress | None, private_folder: Path) -> pygit2.Repository:
    """The checkout in `folder`; where there is none, a bare repository of our own to fetch the one commit into.

    `private_folder` is ours alone, and an own repository that is there already is used again. Raises `RepositoryError`
    where there is neither a checkout nor a server, and for a checkout that is there and cannot be opened.
    """
    if address is None or is_there(folder):
        return open_repository(folder)
    return make_bare(private_folder / "repository.git")


def is_there(folder: Path) -> bool:
    """Whether something in `folder` means to be a repository, readable or not: it is never passed over."""
    return (folder / ".git").exists() or (folder / ".git").is_symlink() or (folder / "HEAD").is_file()


def make_bare(folder: Path) -> pygit2.Repository:
    """An empty bare repository of our own (mode 0700), or the one that is there. Raises `RepositoryError`."""
    configure_libgit2()
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        return pygit2.init_repository(str(folder), bare=True)
    except (pygit2.GitError, OSError) as error:
        raise RepositoryError(
            f"cannot create a repository in {folder}: {error}.",
            "Free some space there and let this user write to it, or check out the repository before this step.",
        ) from error


def configure_libgit2() -> None:
    """Sets what libgit2 holds for the whole process."""
    settings = pygit2.settings
    # A job in a container works on a checkout of another uid. Nothing of the repository's configuration is run by us.
    settings.owner_validation = False
    # `ObjectStore` verifies every hash itself, with OpenSSL, in a quarter of the time.
    settings.enable_strict_hash_verification(value=False)
    settings.server_connect_timeout = CONNECT_TIMEOUT
    settings.server_timeout = ANSWER_TIMEOUT
    settings.mwindow_size = settings.mwindow_mapped_limit = MAPPED


def explain(folder: Path, message: str) -> RepositoryError:
    for sign, (what, remedy) in CANNOT_OPEN.items():
        if sign in message.lower():
            return RepositoryError(f"{folder} {what}", f"{remedy}{_way_up(folder) if sign == _NOT_FOUND else ''}")
    return RepositoryError(
        f"{folder} cannot be opened as a Git repository: {message}.",
        "Check that Git itself can read it: `git -C FOLDER status`.",
    )


def _way_up(folder: Path) -> str:
    """For a person in a subfolder: `path` leads from the workspace downwards alone."""
    around = next((parent for parent in folder.parents if is_there(parent)), None)
    return f" In a shell: `cd {around}`, the top of the repository around it." if around else ""
