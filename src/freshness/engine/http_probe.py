"""One GET of the health path, read by a strict parser up to one deadline: what was cut short is no answer."""

import socket
import ssl
import time
from contextlib import closing

import h11
from msgspec import Struct, field

from freshness.core.answer import Answer, AnswerKind, first_line, printable
from freshness.core.question import PLAIN, Question, host_alone
from freshness.engine.address import Address

LONGEST_HEAD = 64 * 1024  # bytes, of all headers together and of interim answers before them
LONGEST_BODY = 10 * 1024  # bytes: more of it is not read
REDIRECT = range(300, 400)
LONGEST_WAIT_DIGITS = 5
HTTP = b"HTTP/"  # how every answer begins
TLS_ALERT = b"\x15\x03"  # how a server of HTTPS complains about plain text


def ask(address: Address, path: str, seconds: float, question: Question = PLAIN) -> Answer:
    """What answers GET `path` within `seconds`, from the connection to the end of the body.

    No name is resolved, no proxy asked, no redirect followed.
    """
    where = f"{'https://' if question.https else ''}{address}{path}"
    exchange = _Exchange(where=where, until=time.monotonic() + seconds, question=question)
    try:
        with closing(address.connect(seconds)) as plain, closing(exchange.secured(plain, address)) as connection:
            return exchange.answered(exchange.go(connection, address, path))
    except TimeoutError:
        return exchange.out_of_time(seconds)
    except ssl.SSLError as error:
        return exchange.insecure(error)
    except OSError as error:
        return exchange.broken_off(error.strerror or type(error).__name__)
    except h11.RemoteProtocolError:
        return exchange.broken_off("it closed the connection") if exchange.is_closed else exchange.malformed()


class _Exchange(Struct, kw_only=True):
    """One question under way, and as much of its answer as has come."""

    where: str
    until: float
    question: Question = PLAIN
    head: h11.Response | None = None
    body: bytes = b""
    begin: bytes = b""
    received: int = 0
    is_closed: bool = False
    http: h11.Connection = field(
        default_factory=lambda: h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
    )

    def secured(self, connection: socket.socket, address: Address) -> socket.socket:
        """The connection, with TLS where that is asked for. The name to be certified is that of the `Host` header."""
        if not self.question.https:
            return connection
        context = ssl.create_default_context()
        if not self.question.verifies:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection.settimeout(self._left())
        return context.wrap_socket(connection, server_hostname=host_alone(self.question.host(address.host)))

    def go(self, connection: socket.socket, address: Address, path: str) -> h11.Response:
        """Asks, and reads to the end of the answer, or as much as anybody reads.

        Raises OSError and TimeoutError, RemoteProtocolError.
        """
        question = h11.Request(method="GET", target=path, headers=self.question.sent(str(address)))
        connection.settimeout(self._left())
        connection.sendall((self.http.send(question) or b"") + (self.http.send(h11.EndOfMessage()) or b""))
        while True:
            event = self.http.next_event()
            if self.head and (isinstance(event, h11.EndOfMessage) or len(self.body) >= LONGEST_BODY):
                return self.head
            if isinstance(event, h11.Response):
                self.head = event
            elif isinstance(event, h11.Data):
                self.body += event.data
            elif event is h11.NEED_DATA:
                self._receive(connection)

    def _receive(self, connection: socket.socket) -> None:
        """Some more bytes. An end in the middle is for the parser to find."""
        if self.head is None and self.received > LONGEST_HEAD:
            raise h11.RemoteProtocolError("interim answers without end")
        connection.settimeout(self._left())
        data = connection.recv(LONGEST_BODY)
        self.is_closed = not data
        self.received += len(data)
        self.begin = self.begin or data
        self.http.receive_data(data)

    def _left(self) -> float:
        """A socket's own timeout would begin anew with every byte that drips in."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def answered(self, head: h11.Response, flaw: str = "") -> Answer:
        """What its headers say; `flaw` is what is wrong with the rest."""
        wanted = self.question.statuses
        is_good = head.status_code in wanted and not flaw
        said = "" if is_good else first_line(self.body)
        return Answer(
            kind=AnswerKind.STATUS,
            got=f"HTTP {head.status_code} from {self.where}{self._redirect()}{flaw}"
            f"{f', which says: {said}' if said else ''}",
            status=head.status_code,
            is_whole=not flaw,
            retry_after=self._retry_after(),
            wanted=wanted,
        )

    def out_of_time(self, seconds: float) -> Answer:
        """Where the time was over before the answer."""
        if self.head is not None:
            return self.answered(self.head, f", whose body had not ended after {round(seconds, 2):g} s")
        if not self.is_http:
            return self.malformed()
        if self.received:
            got = f"no whole answer from {self.where}: its headers had not ended after {round(seconds, 2):g} s"
            return Answer(kind=AnswerKind.NOT_HTTP, got=got)
        return Answer(kind=AnswerKind.NO_ANSWER, got=f"no answer from {self.where} within {round(seconds, 2):g} s")

    def broken_off(self, why: str) -> Answer:
        """Where the connection was over before the answer."""
        if self.head is not None:
            return self.answered(self.head, f", whose body broke off: {why}")
        if not self.is_http:
            return self.malformed()
        if self.received:
            got = f"no whole answer from {self.where}: {why} before its headers ended"
            return Answer(kind=AnswerKind.NOT_HTTP, got=got)
        return Answer(kind=AnswerKind.NO_CONNECTION, got=f"no answer from {self.where}: {why}")

    def insecure(self, error: ssl.SSLError) -> Answer:
        """Where TLS came to no end: a certificate that is not valid, or no TLS at all."""
        if self.head is not None:
            return self.broken_off(error.reason or "TLS")
        if isinstance(error, ssl.SSLCertVerificationError):
            why = f"its certificate is not valid: {error.verify_message} (`verify-certificate: false` takes any)"
            return Answer(kind=AnswerKind.NOT_HTTP, got=f"no HTTPS from {self.where}: {why}")
        return Answer(kind=AnswerKind.NOT_HTTP, got=f"no HTTPS from {self.where}: {error.reason or 'no TLS'}")

    def malformed(self) -> Answer:
        """Where what came is not HTTP, or more than anybody reads."""
        if self.head is not None:
            return self.answered(self.head, ", whose body is not HTTP")
        if self.begin.startswith(TLS_ALERT):
            return Answer(
                kind=AnswerKind.NOT_HTTP, got=(f"TLS from {self.where}: it speaks HTTPS, but the probe uses HTTP")
            )
        if self.received > LONGEST_HEAD:
            return Answer(kind=AnswerKind.NOT_HTTP, got=f"headers without end from {self.where}")
        begins = printable(self.begin[:200].decode(errors="replace"))
        what = "broken HTTP" if self.is_http else "no HTTP"
        return Answer(kind=AnswerKind.NOT_HTTP, got=f"{what} from {self.where}: its answer begins {begins!r}")

    @property
    def is_http(self) -> bool:
        """Whether what came so far may be HTTP, or nothing came."""
        return HTTP.startswith(self.begin[: len(HTTP)])

    def _redirect(self) -> str:
        to = self._header(b"location")
        return f", a redirect to {printable(to)}" if self.head and self.head.status_code in REDIRECT and to else ""

    def _retry_after(self) -> float | None:
        said = self._header(b"retry-after")
        return float(said) if said.isascii() and said.isdigit() and len(said) <= LONGEST_WAIT_DIGITS else None

    def _header(self, name: bytes) -> str:
        headers = self.head.headers if self.head else ()
        return next((value.decode("latin-1") for key, value in headers if key == name), "")
