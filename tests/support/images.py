"""Images that no gate built: what they have in common is built once on each Engine, and each adds what is its own."""

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from docker.utils import parse_repository_tag

from tests.support.engines import Sandbox

OWN = "freshness.test"
"""The label by which a sandbox finds its images."""


def make_image(
    sandbox: Sandbox,
    folder: Path,
    tag: str,
    *,
    files: Mapping[str, str],
    labels: Mapping[str, str],
    environment: Mapping[str, str],
) -> str:
    """The ID of a new image: the folder's Dockerfile built, with these files in its working directory on top.

    The folder is built once on each Engine as long as its content is the same but for `files`, its `compose.yaml`, and
    the sandbox's name.
    """
    base = _base(sandbox, folder, {*files, "compose.yaml"})
    api, labels = sandbox.docker.api, {OWN: sandbox.name, **labels}
    inside = sandbox.docker.images.get(base).attrs["Config"]["WorkingDir"]
    container = api.create_container(base, environment=dict(environment), labels=labels)["Id"]
    try:
        api.put_archive(container, inside, _archive(files))
        name, version = parse_repository_tag(tag)
        api.commit(container, repository=name, tag=version or "latest")
    finally:
        api.remove_container(container, force=True, v=True)
    image = sandbox.image_id(tag)
    assert image is not None, f"{tag} was not made"
    return image


def _base(sandbox: Sandbox, folder: Path, without: set[str]) -> str:
    content = hashlib.sha256()
    for name, data in _content(folder, without):
        content.update(f"{name}\0{len(data)}\0".encode() + data.replace(sandbox.name.encode(), b"@PROJECT@"))
    tag = f"freshness-tests:{content.hexdigest()[:20]}"
    if sandbox.image_id(tag) is None:
        told = ("--quiet", "--provenance=false", "--label", f"{OWN}=", "--tag", tag)
        sandbox.cli("buildx", "build", *told, str(folder))
    return tag


def _content(folder: Path, without: set[str]) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name in without or name.startswith(".git/") or not (path.is_file() or path.is_symlink()):
            continue
        data = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        yield f"{name} {path.lstat().st_mode}", data


def _archive(files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()
