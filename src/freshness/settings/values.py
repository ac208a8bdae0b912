"""Reads one setting's text into one value, or says what was expected and what to do. Touches nothing."""

import json
import re
import shlex
from collections.abc import Callable
from enum import StrEnum
from pathlib import PurePosixPath
from typing import TypeVar

from freshness.core.hexid import is_full_id
from freshness.core.image import is_image_name, names_image
from freshness.core.mounts import normal
from freshness.core.scope import parse_patterns
from freshness.core.secret import Secret

_T = TypeVar("_T")
_E = TypeVar("_E", bound=StrEnum)

_LONGEST_REASON = 300


class WrongValue(ValueError):
    """A value that was not `expected`; `remedy` is the sentence that says what to do."""

    def __init__(self, expected: str, remedy: str) -> None:
        super().__init__(expected)
        self.expected = expected
        self.remedy = remedy


def optional(read: Callable[[str], _T]) -> Callable[[str], _T | None]:
    """`read`, with None for empty text."""
    return lambda text: read(text) if text else None


def accepting(test: Callable[[str], object], expected: str, remedy: str) -> Callable[[str], str]:
    """A reader of text that passes the test, and stays as it is."""

    def read(text: str) -> str:
        if not test(text):
            raise WrongValue(expected, remedy)
        return text

    return read


def matching(pattern: str, expected: str, remedy: str) -> Callable[[str], str]:
    """A reader of text that matches the whole `pattern`."""
    return accepting(re.compile(pattern).fullmatch, expected, remedy)


def choice(kind: type[_E], remedy: str = "") -> Callable[[str], _E]:
    """A reader of one of the words of `kind`, exactly."""
    words = [each.value for each in kind]
    expected = f"{', '.join(words[:-1])} or {words[-1]}"

    def read(text: str) -> _E:
        if text not in words:
            raise WrongValue(expected, remedy or "Write one of these words.")
        return kind(text)

    return read


def number(low: float, high: float, unit: str) -> Callable[[str], float]:
    """A reader of decimal numbers from `low` to `high`; neither signs nor exponents, so neither NaN nor infinity."""

    def read(text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text) or not low <= float(text) <= high:
            raise WrongValue(f"a number of {unit} from {low:g} to {high:g}", "Give it in digits, such as 6 or 0.5.")
        return float(text)

    return read


def whole_number(low: int, high: int, what: str) -> Callable[[str], int]:
    """A reader of whole numbers from `low` to `high`."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise WrongValue(f"{what} from {low} to {high}", "Give a whole number in digits.")
        return int(text)

    return read


project = matching(
    r"[a-z0-9][a-z0-9_-]*",
    "a Compose project name",
    "Use lower case letters, digits, `-` and `_`, beginning with a letter or digit.",
)
port = whole_number(1, 65535, "a port on the Docker host")
_SERVICE = r"[A-Za-z0-9][A-Za-z0-9._-]*"
service = matching(_SERVICE, "a service's name as in the Compose file", "Use letters, digits, `.`, `-` and `_`.")
container = matching(r"[A-Za-z0-9][A-Za-z0-9_.-]+", "a container's name", "Use letters, digits, `_`, `.` and `-`.")
script_path = matching(r"[^-].*", "a path in the container", "Give the script's path without a leading `-`.")
word = matching(r"\S+", "one word", "Give the mode that the check script knows, such as stub.")
http_path = matching(
    r"/(?!/)[!\"$-~]*",
    "an HTTP path that begins with one `/`, `none` or `running`",
    "Give the path alone, without host and port, such as /health; percent-encode what is not ASCII.",
)
image = accepting(
    is_image_name,
    "an image name such as app or registry.example/app:tag",
    "Give a repository in lower case, with a tag or without.",
)
status_name = matching(r"[\w./ -]{1,100}", "a status's name", "Write a name such as `freshness/gate`.")
source_image = accepting(
    names_image, "an image ID (sha256: and 64 hex digits) or an image name", "Give the output `image-id` of the gate."
)


def source_images(text: str) -> dict[str, str]:
    """A JSON object of Compose services, each with its image; empty for no text."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(image, str) for image in found.values()):
        raise WrongValue("a JSON object with the image ID of each service", "Give the output `images` of the gate.")
    return {service(name): source_image(image) for name, image in found.items()}


docker_host = matching(
    r"(ssh|tcp|unix)://[^\s,]+|[A-Za-z0-9][A-Za-z0-9_.+-]*",
    "a Docker host",
    "Write ssh://user@host, tcp://host:port with TLS, unix:///path/to/socket, or the name of a Docker context.",
)


def docker_hosts(text: str) -> tuple[str, ...]:
    """Docker hosts in their order, separated by commas or blanks, none twice; there may be none."""
    hosts = tuple(map(docker_host, _words(text)))
    if len(set(hosts)) < len(hosts):
        raise WrongValue("each Docker host once", "Remove the one that is there twice.")
    return hosts


_token = matching(r"[!-~]+", "a token without blanks", "Give the token as the forge shows it.")


def _says_why(text: str) -> bool:
    """A mere yes or no says nothing."""
    is_word = text.strip().lower() in {"true", "false", "yes", "no", "on", "off", "1", "0"}
    return len(text) <= _LONGEST_REASON and re.search(r"\w", text) is not None and not is_word


reason = accepting(
    _says_why, f"a reason in words, up to {_LONGEST_REASON} characters", "Say why in a sentence; it is recorded."
)


def token(text: str) -> Secret:
    """A token for the forge's server."""
    return Secret(_token(text))


def switch(text: str) -> bool:
    """`true` or `false`, in any case; nothing else is guessed."""
    if text.lower() not in {"true", "false"}:
        raise WrongValue("true or false", "Write true or false; 1, yes, on and the like are not accepted.")
    return text.lower() == "true"


def revision(text: str) -> str:
    """A full commit id in lower case: 40 hex digits, or 64 in a SHA-256 repository."""
    if is_full_id(text.lower()):
        return text.lower()
    if re.fullmatch(r"[0-9A-Fa-f]{4,63}", text):
        raise WrongValue(
            "a full commit id of 40 hex digits", f"It is abbreviated: give the output of `git rev-parse {text}`."
        )
    raise WrongValue(
        "a full commit id of 40 hex digits", "A branch or a tag can move: give the output of `git rev-parse` for it."
    )


def _path(expected: str, remedy: str, *, may_be_absolute: bool = False) -> Callable[[str], PurePosixPath]:
    """A reader of a path that leads nowhere up."""

    def read(text: str) -> PurePosixPath:
        path = PurePosixPath(text)
        if ".." in path.parts or (path.is_absolute() and not may_be_absolute):
            raise WrongValue(expected, remedy)
        return path

    return read


_BELOW = "a relative path without `..`"
relative_path = _path(_BELOW, "Give it relative to the root of the repository's checkout.")
checkout_folder = _path(_BELOW, "Give the same `path` as to the checkout step.")
host_path = _path(
    "a path in the workspace, or an absolute one, without `..`", "Write the path without `..`.", may_be_absolute=True
)


def container_paths(text: str) -> tuple[str, ...]:
    """Absolute paths in a container, one a line or with commas between them."""
    paths = tuple(filter(None, map(str.strip, re.split(r"[\n,]", text))))
    if not all(path.startswith("/") and path.isprintable() for path in paths):
        raise WrongValue("absolute paths in the container, one a line", "Write each path as the Compose file does.")
    return tuple(map(normal, paths))


def compose_files(text: str) -> tuple[str, ...]:
    """Absolute paths on the host, or paths in the workspace: one a line, or several with a separator between them."""
    if re.search(r"(?:^|[^.\w])\.\.(?:[^.\w]|$)", text):
        raise WrongValue("paths in the workspace, or absolute ones, without `..`", "Write the paths without `..`.")
    return tuple(line for _, line in numbered(text))


def env_files(text: str) -> tuple[PurePosixPath, ...]:
    """Absolute paths on the host, or paths in the workspace: one a line, or with commas between them."""
    return tuple(host_path(part.strip()) for part in re.split(r"[\n,]", text) if part.strip())


def numbered(text: str) -> list[tuple[int, str]]:
    """The lines that are not blank, numbered from 1. A Windows line end is no part of a value."""
    return [(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def compose_variables(text: str) -> dict[str, str | None]:
    """A name and its value a line; a name alone stands for a variable of the job, as `docker run --env` has it."""
    found: dict[str, str | None] = {}
    for number, line in numbered(text):
        name, is_given, value = line.partition("=")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise WrongValue(f"NAME=VALUE or NAME in line {number}", "Write one variable a line.")
        if name.startswith(("COMPOSE_", "DOCKER_", "FRESHNESS_", "INPUT_")) or name in {"PATH", "HOME"}:
            raise WrongValue(
                f"a variable of the application in line {number}, but {name} would change what Compose reads",
                "Remove it: Compose's own settings have inputs.",
            )
        found[name] = value if is_given else None
    return found


def services(text: str) -> tuple[str, ...]:
    """Names of Compose services in their order, separated by commas or blanks; at least one, and none twice."""
    names = tuple(map(service, _words(text) or [""]))
    if len(set(names)) < len(names):
        raise WrongValue("each service once", "Remove the name that is there twice.")
    return names


def _names(pattern: str, expected: str, remedy: str) -> Callable[[str], frozenset[str]]:
    """A reader of names with commas or blanks between them; there may be none."""

    def read(text: str) -> frozenset[str]:
        names = frozenset(_words(text))
        if not all(re.fullmatch(pattern, name) for name in names):
            raise WrongValue(f"{expected}, separated by commas or blanks", remedy)
        return names

    return read


def _words(text: str) -> tuple[str, ...]:
    return tuple(filter(None, re.split(r"[\s,]+", text)))


service_names = _names(_SERVICE, "names of services", "Write them as in the Compose file.")
variable_names = _names(r"[A-Za-z_][A-Za-z0-9_]*", "names of variables", "Write the names alone, such as A, B.")


def health_path(text: str) -> str:
    """An HTTP path, `none`, `running`, or empty where nothing is given."""
    return text.lower() if text.lower() in {"", "none", "running"} else http_path(text)


def headers(text: str) -> tuple[tuple[str, str], ...]:
    """`Name: value` of each line; names are compared without regard to case."""
    found: dict[str, tuple[str, str]] = {}
    for number, line in numbered(text):
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or not re.fullmatch(r"[ -~]+", value):
            raise WrongValue(f"Name: value in line {number}", "Write one header a line, in ASCII.")
        if name.lower() in {"connection", "content-length", "transfer-encoding"} or name.lower() in found:
            raise WrongValue(f"another header than {name} in line {number}", "Take it out.")
        found[name.lower()] = (name, value)
    return tuple(found.values())


def statuses(text: str) -> frozenset[int]:
    """HTTP statuses: `204`, `200-204` or `2xx`, separated by commas or blanks."""
    found: set[int] = set()
    for part in _words(text):
        low, _, high = re.sub(r"^([2-5])xx$", r"\g<1>00-\g<1>99", part).partition("-")
        if not all(re.fullmatch(r"[2-5][0-9]{2}", end) for end in (low, high or low)) or int(high or low) < int(low):
            raise WrongValue("HTTP statuses from 200 to 599", "Write them as 204, 200-204 or 2xx.")
        found.update(range(int(low), int(high or low) + 1))
    return frozenset(found)


def command(text: str) -> tuple[str, ...]:
    """A command split by POSIX rules; no shell runs it."""
    try:
        argv = tuple(shlex.split(text))
    except ValueError as error:
        raise WrongValue(
            "a command whose quotes are closed", "Close the quote, or put a backslash before it."
        ) from error
    if not argv or not argv[0]:
        raise WrongValue("a command that names a program", "Begin with the program's name.")
    return argv


def repos(text: str) -> tuple[str, ...]:
    """Patterns of `owner/name`."""
    try:
        return parse_patterns(text)
    except ValueError as error:
        raise WrongValue(
            "patterns of the form owner/name, separated by commas or blanks",
            "Write owner/name; `*` and `?` stand for characters within one of the two parts, as in acme/*.",
        ) from error
