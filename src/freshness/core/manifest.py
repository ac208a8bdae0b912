"""Reads what a registry holds: a manifest (one image), or an index of several, by the bytes that its digest is of."""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct

from freshness.core.hexid import is_image_id

_DOCKER, _OCI = "application/vnd.docker.distribution.manifest", "application/vnd.oci.image"
_INDEXES = (f"{_OCI}.index.v1+json", f"{_DOCKER}.list.v2+json")
TYPES = (f"{_OCI}.manifest.v1+json", f"{_DOCKER}.v2+json", *_INDEXES)
"""All are asked for at once: a registry answers another document, or none, where the right one is missing."""
_ATTESTATION = "vnd.docker.reference.type"


class NotAManifest(ValueError):
    """What the registry answered is no manifest or index that we know; in words."""


class Platform(Struct, frozen=True, kw_only=True):
    """For which system an image was built. `variant` is empty where the architecture has none."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))


class Manifest(Struct, frozen=True, kw_only=True, dict=True):
    """The `content` as it came, and its own media type. The digest is that of these bytes, whoever says another."""

    content: bytes
    media_type: str

    @classmethod
    def read(cls, content: bytes, media_type: str) -> "Manifest":
        """Raises NotAManifest: also where the bytes say another type, or could be read as either kind."""
        found = cls(content=content, media_type=media_type.partition(";")[0].strip())
        if found.media_type not in TYPES:
            raise NotAManifest(f"a document of the type {media_type!r}")
        said = found.document.get("mediaType", found.media_type)
        if said != found.media_type:
            raise NotAManifest(f"a document of the type {found.media_type} that says {said!r} of itself")
        other = {"config", "layers"} if found.is_index else {"manifests"}
        if other & found.document.keys():
            raise NotAManifest("a document that is both manifest and index")
        return found

    @cached_property
    def digest(self) -> str:
        return digest_of(self.content)

    @cached_property
    def document(self) -> Mapping[str, Any]:
        return json_object(self.content)

    @property
    def is_index(self) -> bool:
        return self.media_type in _INDEXES

    def _all(self, name: str) -> list[Any]:
        """The entries of a list. Raises NotAManifest."""
        found = self.document.get(name) or []
        if not isinstance(found, list):
            raise NotAManifest(f"a document whose {name} are no list")
        return found

    @property
    def config(self) -> str:
        """The digest of the image's configuration. Raises NotAManifest."""
        return _digest_in(self.document.get("config"))

    @property
    def blobs(self) -> tuple[str, ...]:
        """The digests of all that an image consists of: its configuration, and its layers. Raises NotAManifest."""
        return (self.config, *map(_digest_in, self._all("layers")))

    @property
    def children(self) -> tuple[str, ...]:
        """The digests of all that an index names. Raises NotAManifest."""
        return tuple(map(_digest_in, self._all("manifests")))

    @property
    def images(self) -> tuple[str, ...]:
        """The digests of the index's images, of each platform: one at least. Raises NotAManifest."""
        entries = self._all("manifests")
        found = tuple(_digest_in(entry) for entry in entries if not _is_attestation(entry))
        if not found:
            raise NotAManifest("an index without an image")
        return found

    def child(self, platform: Platform) -> str:
        """The digest of the index's one image for the platform. Raises NotAManifest where it is not exactly one."""
        found = [entry for entry in self._all("manifests") if _is_for(entry, platform)]
        if len(found) > 1:
            found = [entry for entry in found if (entry["platform"].get("variant") or "") == platform.variant]
        if len(found) != 1:
            raise NotAManifest(f"an index with {len(found)} images for {platform}")
        return _digest_in(found[0])


def digest_of(content: bytes) -> str:
    """As registries name content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def json_object(content: bytes) -> Mapping[str, Any]:
    """Raises NotAManifest."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NotAManifest("a document that is no JSON") from error
    if not isinstance(found, dict):
        raise NotAManifest("a document that is no JSON object")
    return found


def _is_attestation(entry: object) -> bool:
    said = entry.get("annotations") if isinstance(entry, dict) else None
    return isinstance(said, dict) and _ATTESTATION in said


def _is_for(entry: object, platform: Platform) -> bool:
    if not isinstance(entry, dict) or _is_attestation(entry):
        return False
    said = entry.get("platform") or {}
    return isinstance(said, dict) and (said.get("os"), said.get("architecture")) == (
        platform.os,
        platform.architecture,
    )


def _digest_in(descriptor: object) -> str:
    digest = descriptor.get("digest") if isinstance(descriptor, dict) else None
    if not isinstance(digest, str) or not is_image_id(digest):
        raise NotAManifest(f"a document that names {digest!r} where a sha256 digest belongs")
    return digest
