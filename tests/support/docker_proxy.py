"""A proxy between a run and its Docker Engine: it sees every call, and a test can break things at any one of them."""

import contextlib
import io
import re
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

_VERSION = re.compile(r"^/v[0-9.]+(?=/)")
_LENGTH = re.compile(rb"^content-length:\s*(\d+)", re.IGNORECASE | re.MULTILINE)
_CHUNKED = re.compile(rb"^transfer-encoding:.*chunked", re.IGNORECASE | re.MULTILINE)
_UPGRADE = re.compile(rb"^upgrade:", re.IGNORECASE | re.MULTILINE)


@dataclass(slots=True, kw_only=True)
class Call:
    """One call to the Engine: its `number` from 1, its `path` without the API's version and the query.

    `sent` are the bytes of its body.
    """

    number: int
    method: str
    path: str
    query: str
    sent: int = 0
    is_answered: bool = False
    is_dropped: bool = False
    caller: socket.socket | None = None
    is_kept_up: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def drop(self) -> None:
        """Ends the call's connection without handing on the call, or its answer."""
        self.is_dropped = True

    def hang_up(self, *, keep_up: bool = False) -> None:
        """Ends the call's connection cleanly, as for being idle; with `keep_up` the Engine does not see that."""
        self.is_kept_up = keep_up
        assert self.caller is not None, "the call was never seen"
        _shut(self.caller)


Deed = Callable[[Call], object]


@dataclass(slots=True, kw_only=True)
class _Order:
    """What a test wants done, once: at the call `what` by its number, or at the `nth` that matches it as a pattern."""

    when: str
    what: str | int
    nth: int
    deed: Deed

    def is_due(self, call: Call) -> bool:
        if isinstance(self.what, int):
            return call.number == self.what
        is_match = fnmatchcase(str(call), self.what)
        self.nth -= is_match
        return is_match and self.nth == 0


class DockerProxy:
    """Serves at `host` what the Engine serves. Bytes pass as they are; only the requests' first lines are read.

    A deed runs in the connection's own thread: its call, or the answer, waits for it, all other connections go on.
    `each` is done before every call.
    """

    def __init__(self, engine: str, folder: Path) -> None:
        self.host = f"unix://{folder / 'docker.sock'}"
        self.calls: list[Call] = []
        self.each: Deed = lambda _call: None
        self._engine = engine.removeprefix("unix://")
        self._orders: list[_Order] = []
        self._failures: list[BaseException] = []
        self._lock = threading.Lock()
        self._flows = threading.Event()
        self._flows.set()
        self._is_cut = False
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(folder / "docker.sock"))
        self._server.listen(128)
        self._begin(self._accept)

    def before(self, what: str | int, deed: Deed, *, nth: int = 1) -> None:
        """Does the deed once, before a call is handed on: the one with that number, or the nth that `what` matches.

        `what` is a pattern of `METHOD /path`, such as `POST /containers/*/stop`.
        """
        self._orders.append(_Order(when="before", what=what, nth=nth, deed=deed))

    def after(self, what: str | int, deed: Deed, *, nth: int = 1) -> None:
        """As `before`, when the Engine has answered the call, and its caller does not know yet."""
        self._orders.append(_Order(when="after", what=what, nth=nth, deed=deed))

    def hang(self, _call: object = None) -> None:
        """From now on nothing passes, in either direction: callers find an Engine that takes calls and says nothing."""
        self._flows.clear()

    def cut(self, _call: object = None) -> None:
        """Ends all connections; new ones end at once, until `mend`."""
        self._is_cut = True
        with self._lock:
            for each in self._sockets:
                _shut(each)

    def mend(self, _call: object = None) -> None:
        """All is well again: what hung goes on, new connections are served."""
        self._is_cut = False
        self._flows.set()

    def close(self) -> None:
        """Ends the proxy with its threads. Raises what a deed raised."""
        self.cut()
        self._flows.set()
        _shut(self._server)
        for thread in self._threads:  # the accepting one is the first, and starts none when it has ended
            thread.join()
        self._server.close()
        for failure in self._failures:
            raise failure

    def _begin(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, name="docker proxy")
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self._begin(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        """One connection, to its end."""
        engine, calls = socket.socket(socket.AF_UNIX), list[Call]()
        with client, engine, self._known(client, engine), contextlib.suppress(OSError):
            engine.connect(self._engine)
            answering = threading.Thread(target=self._answer, args=(engine, client, calls), name="docker proxy answers")
            answering.start()
            try:
                self._ask(client, engine, calls)
            finally:
                if not any(call.is_kept_up for call in calls):
                    _shut(engine, socket.SHUT_WR)
                answering.join()

    @contextlib.contextmanager
    def _known(self, *sockets: socket.socket) -> Iterator[None]:
        with self._lock:
            self._sockets.update(sockets)
            if self._is_cut:
                _shut(sockets[0])
        try:
            yield
        finally:
            with self._lock:
                self._sockets.difference_update(sockets)

    def _ask(self, client: socket.socket, engine: socket.socket, calls: list[Call]) -> None:
        reader = client.makefile("rb")
        while head := _read_head(reader):
            call = self._see(head)
            call.caller = client
            calls.append(call)
            self.each(call)
            self._do("before", call)
            if call.is_dropped:
                return
            self._pass(engine, head)
            for part in _body(reader, head):
                call.sent += len(part)
                self._pass(engine, part)

    def _answer(self, engine: socket.socket, client: socket.socket, calls: list[Call]) -> None:
        """Hands on what the Engine says. Nobody asks again before the last answer is there: what comes first is it."""
        with contextlib.suppress(OSError):
            while data := engine.recv(65536):
                if calls and not calls[-1].is_answered:
                    calls[-1].is_answered = True
                    self._do("after", calls[-1])
                if calls and calls[-1].is_dropped:
                    break
                self._pass(client, data)
        _shut(client)

    def _pass(self, receiver: socket.socket, data: bytes) -> None:
        self._flows.wait()
        receiver.sendall(data)

    def _see(self, head: bytes) -> Call:
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        path, _, query = _VERSION.sub("", target).partition("?")
        with self._lock:
            call = Call(number=len(self.calls) + 1, method=method, path=path, query=query)
            self.calls.append(call)
        return call

    def _do(self, when: str, call: Call) -> None:
        with self._lock:
            due = [order for order in self._orders if order.when == when and order.is_due(call)]
        for order in due:
            try:
                order.deed(call)
            except BaseException as error:  # noqa: BLE001 -- `close` raises it where the test sees it
                self._failures.append(error)


def _read_head(reader: io.BufferedReader) -> bytes:
    """A request up to its empty line; empty at the end of the connection."""
    head = bytearray()
    while line := reader.readline():
        head += line
        if line == b"\r\n":
            return bytes(head)
    return b""


def _body(reader: io.BufferedReader, head: bytes) -> Iterator[bytes]:
    """What belongs to the request, as it comes. After an upgrade that is all the rest of the connection."""
    if _UPGRADE.search(head):
        yield from iter(lambda: reader.read1(65536), b"")
    elif _CHUNKED.search(head):
        yield from _chunks(reader)
    elif length := _LENGTH.search(head):
        yield from _exactly(reader, int(length[1]))


def _chunks(reader: io.BufferedReader) -> Iterator[bytes]:
    while size := reader.readline():
        yield size
        length = int(size.split(b";")[0], 16)
        if length == 0:
            yield _read_head(reader)  # its trailers, which end like a head
            return
        yield from _exactly(reader, length + len(b"\r\n"))


def _exactly(reader: io.BufferedReader, length: int) -> Iterator[bytes]:
    while length > 0 and (part := reader.read1(min(length, 65536))):
        length -= len(part)
        yield part


def _shut(end: socket.socket, how: int = socket.SHUT_RDWR) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(how)


@contextlib.contextmanager
def docker_proxy(engine: str) -> Iterator[DockerProxy]:
    """A proxy for as long as the block lasts; `engine` is the Engine's own `unix://` address.

    In a folder of its own with a short path: a socket's path has 107 bytes, and pytest's folders use most of them.
    """
    folder = Path(tempfile.mkdtemp(prefix="docker-proxy-"))
    proxy = DockerProxy(engine, folder)
    try:
        yield proxy
    finally:
        try:
            proxy.close()
        finally:
            shutil.rmtree(folder)
