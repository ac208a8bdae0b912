"""The program that runs the staging check inside the container, and what it says of itself."""

from msgspec import Struct, field

from freshness.core.lines import Lines, Show
from freshness.core.multiplex import STANDARD_ERROR

# Docker has no way to end a command that `exec` started, and it outlives its client. It does close the command's
# standard input when the client is gone: this small program waits for that, and takes the check with it. It says that
# it is there on its standard output before anything else, and has its standard error to itself: what comes in is
# answered there, so that no proxy takes the connection for idle, and so is the check's own end.
WRAPPER = r"""
import os, signal, subprocess, sys, threading
os.write(1, b"\0leash %d\n" % os.getpid())
try:
    check = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stderr=1, start_new_session=True)
except OSError as error:
    os.write(2, b"%s: %s\n\4" % (os.fsencode(sys.argv[1]), error.strerror.encode()))
    os._exit(127 if isinstance(error, FileNotFoundError) else 126)
is_cut = False
def cut(*_):
    global is_cut
    is_cut = True
    os.killpg(check.pid, signal.SIGKILL)
def follow():
    try:
        while os.read(0, 4096):
            os.write(2, b"\6")
    finally:
        cut()
signal.signal(signal.SIGTERM, cut)
threading.Thread(target=follow, daemon=True).start()
status = check.wait()
if is_cut:
    os._exit(129)
os.write(2, b"\4")
os._exit(status if status >= 0 else 128 - status)
"""

CUT = 129  # its exit status where it lost us, as of a process whose terminal hung up
_THERE = "\0leash "
_ENDED, _ALIVE = b"\4", b"\6"


def wrap_check(command: tuple[str, ...]) -> list[str]:
    """The command, run by WRAPPER."""
    return ["python3", "-I", "-c", WRAPPER, *command]


class CheckOutput(Struct, kw_only=True):
    """What came over the connection. `show` gets the lines of the check: untrusted text.

    With `is_wrapped` nothing is the check's before WRAPPER said that it is there: what comes instead is the runtime's,
    and only goes to `last_line`. `wrapper_pid` is then WRAPPER's process id in the container, and `has_ended` says that
    the check came to its end by itself.
    """

    show: Show
    is_wrapped: bool
    wrapper_pid: int | None = None
    has_ended: bool = False
    last_line: str = ""
    _lines: dict[int, Lines] = field(default_factory=dict)

    def take(self, stream: int, data: bytes, *, is_last: bool = False) -> None:
        """A piece of one of the two streams."""
        if self.is_wrapped and stream == STANDARD_ERROR:
            self.has_ended = self.has_ended or _ENDED in data
            data = data.translate(None, _ENDED + _ALIVE)
        for line in self._lines.setdefault(stream, Lines()).feed(data, is_last=is_last):
            self._take_line(line)

    def end(self) -> None:
        """Nothing more comes: lines without an end are whole."""
        for stream in tuple(self._lines):
            self.take(stream, b"", is_last=True)

    def _take_line(self, line: str) -> None:
        if self.is_wrapped and self.wrapper_pid is None and line.startswith(_THERE):
            self.wrapper_pid = int(line.removeprefix(_THERE))
            return
        self.last_line = line.strip() or self.last_line
        if self.wrapper_pid is not None or not self.is_wrapped:
            self.show(line)
