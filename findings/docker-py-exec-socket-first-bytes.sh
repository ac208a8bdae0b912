#!/usr/bin/env bash
# Software:    docker 7.2.0 (docker-py) from PyPI, with Python's own http.client below it.
# Expectation: `exec_start(socket=True)` hands over the whole stream of the command, from its first byte.
# Behaviour:   what arrives together with the head of the Engine's answer stays in the buffer of the HTTP response, and the
#              returned socket begins behind it. Of a command that prints at once and goes on, the first frame is lost, without
#              an error; with a pause between head and frame nothing is lost, so it looks like chance.
# Output seen: head and frame together: b'second' · head first, frame later: b'firstsecond'
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install docker==7.2.0

cat >look.py <<'PY'
"""A server of the Engine API's documented answers to an exec, once with and once without a pause behind the head."""
import json, socket, struct, threading, time

import docker

CREATED = json.dumps({"Id": "e1"}).encode()
HEAD = b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


def frame(text):
    return struct.pack(">BxxxL", 1, len(text)) + text


def read_request(connection):
    text = b""
    while b"\r\n\r\n" not in text:
        text += connection.recv(65536)
    head, _, body = text.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head.split(b" ")[1].decode()


def answer(connection, pause):
    with connection:
        while True:
            path = read_request(connection)
            if not path.endswith("/start"):
                connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(CREATED) + CREATED)
                continue
            if pause:
                connection.sendall(HEAD)
                time.sleep(0.5)
                connection.sendall(frame(b"first"))
            else:
                connection.sendall(HEAD + frame(b"first"))
            time.sleep(0.5)
            connection.sendall(frame(b"second"))
            return


def seen(pause):
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            while True:
                connection, _ = server.accept()
                threading.Thread(target=answer, args=(connection, pause), daemon=True).start()
        threading.Thread(target=serve, daemon=True).start()
        api = docker.APIClient(base_url=f"tcp://127.0.0.1:{server.getsockname()[1]}", version="1.41")
        stream = api.exec_start(api.exec_create("c1", ["true"])["Id"], socket=True)
        text = b""
        while part := stream.read(65536):
            text += part
        return text.replace(frame(b"")[:4], b"").translate(None, bytes(range(9)))


together, apart = seen(pause=False), seen(pause=True)
print(f"docker {docker.__version__}: head and frame together: {together!r} · head first, frame later: {apart!r}")
assert apart == b"firstsecond", "another stream altogether"
assert together == b"second", "the first frame is no longer lost"
PY
venv/bin/python -W ignore look.py
