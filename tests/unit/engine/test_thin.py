"""What is left out of a saved image: the layers that the other end has, whichever Engine has saved it."""

import io
import tarfile
from hashlib import sha256

import pytest

from freshness.engine.thin import leave_out

BASE, OWN = b"base" * 1000, b"own"
DIGESTS = {content: sha256(content).hexdigest() for content in (BASE, OWN)}
FIRST = sha256(f'{{"created":"1970","layer_id":"sha256:{DIGESTS[BASE]}"}}'.encode()).hexdigest()
TOLD = f'{{"id":"{FIRST}","created":"1970","os":"linux"}}'.encode()
OLD = {f"{FIRST}/json": TOLD, f"{FIRST}/layer.tar": BASE, "2/json": b'{"id":"2"}', "2/layer.tar": OWN,
       "config.json": b"{}", "manifest.json": b"[]"}  # fmt: skip
NEW = {"blobs/sha256/" + DIGESTS[BASE]: BASE, "blobs/sha256/" + DIGESTS[OWN]: OWN, "manifest.json": b"[]"}


def saved(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        folder = tarfile.TarInfo("blobs")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return target.getvalue()


def sent(archive: bytes, *shared: bytes, piece: int = 700) -> dict[str, bytes]:
    pieces = (archive[start : start + piece] for start in range(0, len(archive), piece))
    thin = b"".join(leave_out([f"sha256:{DIGESTS[one]}" for one in shared], pieces))
    with tarfile.open(fileobj=io.BytesIO(thin)) as read:
        files = ((member, read.extractfile(member)) for member in read)
        return {member.name: file.read() for member, file in files if file}


@pytest.mark.parametrize(("files", "left"), [(OLD, f"{FIRST}/layer.tar"), (NEW, "blobs/sha256/" + DIGESTS[BASE])])
def test_a_layer_that_is_there_is_left_out_and_all_else_stays_as_it_is(files: dict[str, bytes], left: str) -> None:
    assert sent(saved(files), BASE) == {name: content for name, content in files.items() if name != left}
    assert sent(saved(files)) == files


def test_an_archive_that_is_cut_is_no_shorter_one() -> None:
    """Fails when what is left of a cut stream ends like a whole one, so that the other end takes it."""
    whole = saved(OLD)
    with pytest.raises(tarfile.ReadError):
        sent(whole[: len(whole) - 20_480 + 300])
    with pytest.raises(tarfile.ReadError):
        sent(whole[:2048], BASE)
