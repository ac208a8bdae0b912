"""A staging check to start from: a script where the image has Python and the checkout, else a command of the image."""

import posixpath
import re

from msgspec import Struct

SCRIPT_PATH = "scripts/staging_check.py"
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE | re.MULTILINE)
_COPY_ALL = re.compile(r"^\s*(?:COPY|ADD)\s+(?:--(?!from)\S+\s+)*\./?\s+(\S+)\s*$", re.IGNORECASE | re.MULTILINE)
SCRIPT = '''\
"""The staging check, inside the fresh container: exit status 0 passes, everything else closes the gate.

Written by `freshness init` to start from: ask here what your users need. GIT_SHA is the commit that was built; an
application that can say which commit it serves is best compared with that.
"""

import sys
import urllib.request

base_url = sys.argv[sys.argv.index("--base-url") + 1]
with urllib.request.urlopen(f"{base_url}@PATH@", timeout=5) as answer:
    print("@PATH@ answers", answer.status)
'''


class Source(Struct, frozen=True, kw_only=True):
    """Of what a service is built: the text of its Dockerfile, empty where there is none, and its build context."""

    dockerfile: str = ""
    context: str = "."


class Check(Struct, frozen=True, kw_only=True):
    """Either a `command` in the container, or a script at `path` in it, which lies at `file` in the checkout.

    `note` says what to look at.
    """

    command: str = ""
    path: str = ""
    file: str = ""
    note: str = ""


def choose_check(source: Source, health: str) -> Check:
    """By the image that the last stage begins from. `health` as in `Member`."""
    base, path = base_of(source.dockerfile), health if health.startswith("/") else "/"
    if health == "running":
        note = "It only sees that a command can run in the container: replace it with a test of what the service does."
        return Check(command="""sh -c 'test -n "$GIT_SHA"'""", note=note)
    if "python" in base or "pypy" in base:
        return _of_python(source, path)
    if re.search(r"(^|/)(node|bun|denoland)", base):
        return Check(
            command=f'''node -e "fetch(process.env.BASE_URL + '{path}').then(a => process.exit(a.ok ? 0 : 1))"'''
        )
    note = ""
    if base == "scratch" or "distroless" in base:
        note = f"The image is made from {base} and has no shell: name a program of it in `check-command`."
    asks = f'''wget -q -T 5 -O /dev/null "$BASE_URL{path}" || curl -fsS -m 5 -o /dev/null "$BASE_URL{path}"'''
    return Check(command=f"sh -c '{asks}'", note=note)


def script_text(health: str) -> str:
    """The script for `check-path`."""
    return SCRIPT.replace("@PATH@", health if health.startswith("/") else "/")


def base_of(dockerfile: str) -> str:
    """The image that the last stage begins from, through the names of earlier stages; empty where nothing is said."""
    stages = _FROM.findall(dockerfile)
    named = {name.lower(): image for image, name in stages if name}
    found = stages[-1][0] if stages else ""
    for _ in stages:
        found = named.get(found.lower(), found)
    return found.lower()


def _of_python(source: Source, path: str) -> Check:
    copied = _COPY_ALL.findall(source.dockerfile[_last_stage(source.dockerfile) :])
    if not copied:
        asks = f"import os, urllib.request as r; r.urlopen(os.environ['BASE_URL'] + '{path}', timeout=5)"
        return Check(command=f'python3 -c "{asks}"')
    place = copied[-1].rstrip("/")
    file = posixpath.normpath(posixpath.join(source.context, SCRIPT_PATH))
    return Check(path=SCRIPT_PATH if not place.startswith("/") else f"{place}/{SCRIPT_PATH}", file=file)


def _last_stage(dockerfile: str) -> int:
    return max((found.start() for found in _FROM.finditer(dockerfile)), default=0)
