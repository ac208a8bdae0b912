"""What the Engine sends of a command is taken apart however it arrives."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.core.multiplex import Demultiplexer

FRAMES = st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40)), max_size=8)


def as_sent(frames: list[tuple[int, bytes]]) -> bytes:
    return b"".join(struct.pack(">BxxxL", stream, len(data)) + data for stream, data in frames)


def joined(pieces: list[tuple[int, bytes]]) -> dict[int, bytes]:
    return {stream: b"".join(data for number, data in pieces if number == stream) for stream in (1, 2)}


@given(frames=FRAMES, size=st.integers(min_value=1, max_value=50))
def test_the_streams_are_the_same_whatever_the_pieces(frames: list[tuple[int, bytes]], size: int) -> None:
    """Breaks when a head that comes in two pieces is lost, or a frame without content holds up the next."""
    sent, frames_of = as_sent(frames), Demultiplexer()

    got = [piece for at in range(0, len(sent), size) for piece in frames_of.feed(sent[at : at + size])]

    assert joined(got) == joined(frames)


def test_a_long_frame_is_handed_over_as_it_comes() -> None:
    """Breaks when a frame is kept until it is whole: its head may promise 4 GB."""
    got = list(Demultiplexer().feed(struct.pack(">BxxxL", 1, 2**32 - 1) + b"begin"))

    assert got == [(1, b"begin")]


@pytest.mark.parametrize("head", [b"HTTP/1.1", b"\3\0\0\0\0\0\0\1", b"\1\0\0\1\0\0\0\1"])
def test_what_is_no_frame_is_refused(head: bytes) -> None:
    with pytest.raises(ValueError, match="no frame begins with"):
        list(Demultiplexer().feed(head))
