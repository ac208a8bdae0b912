"""Answers /health and /version, as behaviour.json says."""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BEHAVIOUR = json.loads(Path("behaviour.json").read_text())


class Server(ThreadingHTTPServer):
    daemon_threads = False  # what it has begun to answer it answers, before it ends


class Handler(BaseHTTPRequestHandler):
    timeout = 2
    good_answers = int(BEHAVIOUR.get("good_answers", -1))
    wbufsize = -1  # each answer in one piece: whoever asks gets all of it, or nothing

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # whoever asked may be gone
            super().handle()

    def do_GET(self) -> None:
        match self.path:
            case "/health" if Handler.good_answers == 0:
                os._exit(1) if BEHAVIOUR.get("then") == "exit" else self.answer(503, "no more\n")
            case "/health" if BEHAVIOUR.get("health") == "drip":
                self.drip()
            case "/health":
                Handler.good_answers -= 1
                time.sleep(BEHAVIOUR.get("health_seconds", 0))
                self.answer(health(), "health\n")
            case "/version":
                self.answer(200, os.environ["REVISION"])
            case _:
                self.answer(404, "nothing here\n")

    def answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def drip(self) -> None:
        self.connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while True:
            self.connection.sendall(b"x")
            time.sleep(0.05)


def health() -> int:
    if BEHAVIOUR.get("unhealthy_on") == os.environ["TARGET"]:
        return 503
    return int(BEHAVIOUR.get("health", 200))


def main() -> None:
    missing = [name for name in BEHAVIOUR.get("needs", ()) if name not in os.environ]
    if missing:
        sys.exit(f"not set: {missing}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(BEHAVIOUR.get("log", "starting"))
    if "exit_after" in BEHAVIOUR:
        threading.Timer(BEHAVIOUR["exit_after"], os._exit, (1,)).start()
    time.sleep(BEHAVIOUR.get("start_seconds", 0))
    server = Server(tuple(BEHAVIOUR.get("listen", ["", 8000])), Handler)
    stop = BEHAVIOUR.get("stop_seconds", 0), server.shutdown
    signal.signal(signal.SIGTERM, lambda *_: threading.Timer(*stop).start())
    server.serve_forever(poll_interval=0.02)
    server.server_close()


main()
