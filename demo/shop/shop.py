"""A shop that sells nothing: `shop.py web`, `worker`, `scheduler` or `migrate`.

Each service writes down as it starts of which commit it is, and of which one the migration was that it found. The web
server answers with all of it, as `{"worker": {"revision": …, "migrated": …}, …}`.
"""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DATA = Path("/data")
MIGRATED = DATA / "migrated"


class Answer(BaseHTTPRequestHandler):
    """What all services wrote down, at every address."""

    def do_GET(self) -> None:
        notes = {note.stem: json.loads(note.read_text()) for note in DATA.glob("*.json")}
        body = json.dumps(notes).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(role: str) -> None:
    revision = os.environ["REVISION"]
    if role == "migrate":
        MIGRATED.write_text(revision)
        return
    note = DATA / f"{role}.new"
    note.write_text(json.dumps({"revision": revision, "migrated": MIGRATED.read_text()}))
    note.rename(DATA / f"{role}.json")
    if role == "web":
        ThreadingHTTPServer(("", 8000), Answer).serve_forever()
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main(sys.argv[1])
