"""Takes apart what the Engine sends of a command: its standard output and error share one connection, in frames.

Source: Docker's API, "Attach to a container": 8 bytes (stream, 0, 0, 0, length as big-endian), then that many bytes.
"""

from collections.abc import Iterator

STANDARD_OUTPUT = 1
STANDARD_ERROR = 2
_HEAD = 8


class Demultiplexer:
    """Takes the bytes as they come, and keeps none but a head that is not yet whole. Raises ValueError for others."""

    def __init__(self) -> None:
        self._head = b""
        self._stream = 0
        self._left = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Pieces of the streams, each with its stream's number."""
        while data:
            if self._left == 0:
                data = self._begin(data)
                continue
            piece, data = data[: self._left], data[self._left :]
            self._left -= len(piece)
            yield self._stream, piece

    def _begin(self, data: bytes) -> bytes:
        """Reads a head, as far as it is there, and returns what follows."""
        missing = _HEAD - len(self._head)
        self._head += data[:missing]
        if len(self._head) == _HEAD:
            self._stream, self._left = self._head[0], int.from_bytes(self._head[4:], "big")
            if self._stream not in {STANDARD_OUTPUT, STANDARD_ERROR} or any(self._head[1:4]):
                raise ValueError(f"no frame begins with {self._head!r}")
            self._head = b""
        return data[missing:]
