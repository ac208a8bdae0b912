"""A repository of a registry: its host, its path there, and how both are named to Docker and to the registry."""

import re
from ipaddress import ip_address

from msgspec import Struct
from msgspec.structs import replace

from freshness.core.hexid import is_image_id
from freshness.core.image import is_image_name, repository_of

_HUB, _HUB_API = "docker.io", "registry-1.docker.io"
_PREVIOUS = "-previous"
_VERSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,118}")
_SHORT_PATH = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")


class Repository(Struct, frozen=True, kw_only=True):
    """`host` has the port, where one is given; `path` is what stands behind it. As text it is HOST/NAME."""

    host: str
    path: str

    @classmethod
    def parse(cls, text: str) -> "Repository | None":
        """None for what names no host, or has a tag or a digest."""
        host, slash, path = text.partition("/")
        names_host = "." in host or ":" in host or host == "localhost"
        if not slash or not names_host or not is_image_name(text) or repository_of(text) != text:
            return None
        return cls(host=host, path=path)

    def __str__(self) -> str:
        return f"{self.host}/{self.path}"

    def below(self, name: str) -> "Repository":
        """The repository of this name under this one. Raises ValueError where no registry takes the name."""
        if not _SHORT_PATH.fullmatch(name):
            raise ValueError(name)
        return replace(self, path=f"{self.path}/{name}")

    @property
    def is_local(self) -> bool:
        """Whether the host is this machine's loopback, the only one that Docker asks without TLS by itself."""
        return is_loopback(re.sub(r":\d+$", "", self.host))

    @property
    def api_host(self) -> str:
        """Where the registry's API answers."""
        return _HUB_API if self.host == _HUB else self.host

    @property
    def api_path(self) -> str:
        """The path as the API has it."""
        return f"library/{self.path}" if self.host == _HUB and "/" not in self.path else self.path


class Reference(Struct, frozen=True, kw_only=True):
    """An image in a registry by its digest: HOST/NAME@sha256:…."""

    repository: Repository
    digest: str

    @classmethod
    def parse(cls, text: str) -> "Reference | None":
        """None for every other name of an image: one without a host, or by a tag alone."""
        name, _, digest = text.partition("@")
        repository = Repository.parse(name)
        return cls(repository=repository, digest=digest) if repository and is_image_id(digest) else None

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}"


class MovingTag(Struct, frozen=True, kw_only=True):
    """A tag that is moved from image to image: in the image's own repository, or in the `repository` that is named."""

    version: str
    repository: Repository | None = None

    @classmethod
    def parse(cls, text: str) -> "MovingTag | None":
        """TAG, or HOST/NAME:TAG. None for what is neither, or leaves no room for `previous`."""
        name, colon, version = text.rpartition(":")
        repository = Repository.parse(name)
        if not _VERSION.fullmatch(version) or (colon and repository is None):
            return None
        return cls(version=version, repository=repository)

    @property
    def previous(self) -> str:
        """The tag beside it that keeps what it named before."""
        return f"{self.version}{_PREVIOUS}"

    def __str__(self) -> str:
        return f"{self.repository}:{self.version}" if self.repository else self.version


def is_loopback(host: str) -> bool:
    """Whether a host without its port is this very machine; of all names that is `localhost` alone."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
