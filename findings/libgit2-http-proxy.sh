#!/usr/bin/env bash
# Software:    pygit2 1.21.0 with the libgit2 1.9.7 of its wheel; Git itself as the comparison.
# Expectation: with `http_proxy` set, with `http.proxy` in the configuration, or with an explicit proxy, an http:// address is
#              asked through the proxy, as Git does, and as libgit2 itself does for https:// addresses.
# Behaviour:   libgit2 connects to the server itself and never to the proxy, and it then speaks to the server as one speaks
#              to a proxy, with the whole address in the request line. Where only the proxy leads out, all fails with a
#              name that cannot be resolved or a refused connection, and nothing hints at the proxy.
# Output seen: git: proxy 1, server 0 · variable: proxy 0, server GET http://… · http.proxy: the same · explicit: the same ·
#              https, explicit: proxy 1
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder GIT_CONFIG_NOSYSTEM=1
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install pygit2==1.21.0

cat >look.py <<'PY'
import os, socket, subprocess, tempfile, threading

import pygit2

for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]
GONE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def serve():
    """A server that says 404; its address, and the request lines that it gets."""
    lines, server = [], socket.create_server(("127.0.0.1", 0))

    def loop():
        while True:
            connection, _ = server.accept()
            with connection:
                lines.append(connection.recv(65536).split(b"\r\n")[0].decode())
                connection.sendall(GONE)

    threading.Thread(target=loop, daemon=True).start()
    return f"127.0.0.1:{server.getsockname()[1]}", lines


(origin, at_origin), (proxy, at_proxy) = serve(), serve()


def asked(doing):
    at_origin.clear()
    at_proxy.clear()
    doing()
    return len(at_proxy), list(at_origin)


def by_git():
    env = {**os.environ, "http_proxy": f"http://{proxy}"}
    subprocess.run(["git", "ls-remote", f"http://{origin}/shop.git"], env=env, capture_output=True)


def by_libgit2(setting, *, variable=False, config=False, address=f"http://{origin}/shop.git"):
    repository = pygit2.init_repository(tempfile.mkdtemp(dir="."), bare=True)
    if variable:
        os.environ["http_proxy"] = f"http://{proxy}"
    if config:
        repository.config["http.proxy"] = f"http://{proxy}"
    try:
        repository.remotes.create_anonymous(address).list_heads(proxy=setting)
    except (pygit2.GitError, KeyError) as error:
        assert "404" in str(error) or "proxy" in str(error), error
    finally:
        os.environ.pop("http_proxy", None)


ways = {
    "git": by_git,
    "variable": lambda: by_libgit2(True, variable=True),
    "http.proxy": lambda: by_libgit2(True, config=True),
    "explicit": lambda: by_libgit2(f"http://{proxy}"),
    "https, explicit": lambda: by_libgit2(f"http://{proxy}", address="https://127.0.0.1:9/shop.git"),
}
seen = {name: asked(way) for name, way in ways.items()}
print(pygit2.__version__, pygit2.LIBGIT2_VERSION)
for name, (count, lines) in seen.items():
    print(f"{name}: proxy {count}, server {lines}")
assert seen["git"][0] >= 1 and not seen["git"][1], "Git no longer asks the proxy alone"
for name in ("variable", "http.proxy", "explicit"):
    assert seen[name][0] == 0, f"libgit2 asks the proxy now ({name})"
    assert seen[name][1][0].startswith(f"GET http://{origin}/"), f"libgit2 no longer speaks to the server as to a proxy ({name})"
assert seen["https, explicit"][0] >= 1, "libgit2 no longer asks a proxy for https"
PY
venv/bin/python look.py
