"""An image as the Engine describes it, its names, and the guard: does it prove the expected commit?"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from freshness.core.hexid import IMAGE, SHA256, is_full_id, is_image_id
from freshness.core.manifest import Platform
from freshness.core.mounts import Process

# https://github.com/distribution/reference/blob/v0.6.0/regexp.go: domain, path, tag.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"(?:{_DOMAIN}/)?(?P<path>{_PART}(?:/{_PART})*)(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?")
_LONGEST_PATH = 255
REVISION_LABEL = "org.opencontainers.image.revision"


class Image(Struct, frozen=True, kw_only=True):
    """An image named by its ID (`sha256:…`, as its own Engine names it). It may have no `tags` and no `labels`.

    What it starts, and for which platform it was built, is None where nobody asked.
    """

    id: str
    tags: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    healthcheck: Mapping[str, Any] | None = None
    process: Process | None = None
    platform: Platform | None = None

    def revision(self, label: str) -> str | None:
        """The commit that the label claims, or None where it does not hold a full commit id."""
        value = self.labels.get(label)
        return value if value is not None and is_full_id(value) else None


def guard(image: Image, label: str, expected: str) -> str | None:
    """Why the image does not prove `expected` (a full commit id), or None where its label says exactly that.

    Missing, empty, `<no value>` (what `docker inspect` templates print) and any other value are refused alike.
    """
    value = image.labels.get(label)
    if value is None:
        return f"the label {label} is missing"
    if not value.strip():
        return f"the label {label} is empty"
    if value != expected:
        return f"the label {label} says {value!r}"
    return None


def is_image_name(text: str) -> bool:
    """Whether Docker takes it for a name with or without a tag; 64 hex digits alone are an id to it."""
    found = _NAME.fullmatch(text)
    return found is not None and len(found["path"]) <= _LONGEST_PATH and not (is_full_id(text) and len(text) == SHA256)


def names_image(text: str) -> bool:
    """Whether it finds one image: its id, or a name with or without tag and digest."""
    name, at, digest = text.partition("@")
    if is_image_id(text):
        return True
    return is_image_name(name) and not name.startswith(IMAGE) and (not at or is_image_id(digest))


def repository_of(tag: str) -> str:
    """An image name without its tag: `host:5000/team/app:v1` becomes `host:5000/team/app`."""
    head, colon, tail = tag.rpartition(":")
    return head if colon and "/" not in tail else tag


def version_of(tag: str) -> str:
    """What stands behind the repository of an image name; Docker's `latest` where nothing does."""
    return tag[len(repository_of(tag)) + 1 :] or "latest"


def same_tag(one: str, other: str) -> bool:
    """Whether two names find the same image, with Docker's defaults (`docker.io/library/` and `:latest`) filled in.

    What is a domain: https://github.com/distribution/reference/blob/v0.6.0/normalize.go.
    """
    return _full_name(one) == _full_name(other)


def familiar_name(repository: str) -> str:
    """The repository without Docker's defaults: the only form that the Engine's lists show and find it by."""
    path = _full_repository(repository).removeprefix("docker.io/")
    short = path.removeprefix("library/")
    return path if "/" in short else short


def _full_name(tag: str) -> str:
    return f"{_full_repository(repository_of(tag))}:{version_of(tag)}"


def _full_repository(repository: str) -> str:
    host, slash, path = repository.partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost" or host != host.lower()):
        host, path = "docker.io", repository
    if host in {"docker.io", "index.docker.io"}:
        host, path = "docker.io", path if "/" in path else f"library/{path}"
    return f"{host}/{path}"
