"""A loose object is inflated once, to what its header promises, and nothing else is taken for one."""

import os
import tracemalloc
import zlib
from io import BytesIO

import pytest
from pygit2.enums import ObjectType

from freshness.git.loose import PIECE, Damaged, inflate

SIZES = (0, 1, 20, 21, 22, 100, PIECE, PIECE + 5, 3 * PIECE + 1)


def deflate(data: bytes, size: int | None = None) -> bytes:
    return zlib.compress(b"blob %d\0" % (len(data) if size is None else size) + data)


@pytest.mark.parametrize("size", SIZES)
def test_what_git_wrote_is_read_whole(size: int) -> None:
    data = os.urandom(size)

    assert inflate(BytesIO(deflate(data))) == (ObjectType.BLOB, data)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_cut_or_says_another_size_is_damaged(size: int) -> None:
    """Breaks when `inflate` does not read on to the stream's checksum, or believes the header."""
    data = os.urandom(size)
    whole = deflate(data)

    for raw in (whole[:-1], whole[:-5], deflate(data, size + 1), deflate(data + b"x", size)):
        with pytest.raises(Damaged):
            inflate(BytesIO(raw))


def test_a_large_file_is_in_memory_once() -> None:
    """Breaks when the whole file is read first, or its pieces are put together at the end."""
    raw = BytesIO(deflate(os.urandom(32 * PIECE)))
    tracemalloc.start()
    try:
        _, data = inflate(raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 1.5 * len(data)
