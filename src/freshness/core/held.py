"""Is what a registry holds the image that an Engine has? An image ID means something within one Engine alone."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from freshness.core.manifest import Platform
from freshness.core.mounts import Process


class LocalImage(Struct, frozen=True, kw_only=True):
    """An image as its Engine has it: its ID there, and the digests of its layers, unpacked, from the base up."""

    id: str
    layers: tuple[str, ...]
    platform: Platform


class HeldImage(Struct, frozen=True, kw_only=True):
    """An image as a registry holds it; every digest is that of bytes which were read.

    `digest` is the manifest's or the index's, `manifest` that of the platform's own, `config` the configuration's.
    `process` is what it starts, `platform` what it says that it was built for.
    """

    digest: str
    manifest: str
    config: str
    layers: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    healthcheck: Mapping[str, Any] | None = None
    process: Process | None = None
    platform: Platform | None = None

    @property
    def ids(self) -> frozenset[str]:
        """What an Engine may call this image: it depends on its image store."""
        return frozenset({self.digest, self.manifest, self.config})


def why_another(held: HeldImage, local: LocalImage) -> str | None:
    """Why the two are not one image, or None where they are."""
    if local.id not in held.ids:
        return f"it holds {', '.join(sorted(held.ids))}, and none of these is the Engine's {local.id}"
    if not held.layers or held.layers != local.layers:
        return f"its layers are not those of the Engine's {local.id}"
    return None
