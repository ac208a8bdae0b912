"""Reads the image that a registry holds under a digest, every byte of it that says which image it is."""

from typing import Any

from freshness.core.held import HeldImage
from freshness.core.manifest import Manifest, NotAManifest, Platform, json_object
from freshness.core.mounts import process_in
from freshness.errors import Refused
from freshness.registry.client import Registry


def read_held(registry: Registry, digest: str, platform: Platform) -> HeldImage:
    """The image under the digest. Raises Refused where there is none for the platform."""
    return describe_held(registry, registry.require_manifest(digest), platform)


def describe_held(registry: Registry, top: Manifest, platform: Platform) -> HeldImage:
    """As `read_held`, of what was read already: the index's image for the platform, or the only one."""
    try:
        return _describe(registry, top, top.child(platform) if top.is_index else "")
    except NotAManifest as error:
        raise _refuse(registry, top, error, f"one image for {platform}") from error


def read_all_held(registry: Registry, top: Manifest) -> tuple[HeldImage, ...]:
    """The image, or each one of an index: there is one at least. Raises Refused."""
    try:
        return tuple(_describe(registry, top, digest) for digest in (top.images if top.is_index else ("",)))
    except NotAManifest as error:
        raise _refuse(registry, top, error, "an image, or an index of images") from error


def _refuse(registry: Registry, top: Manifest, error: NotAManifest, expected: str) -> Refused:
    return Refused(
        f"{registry.repository}@{top.digest} is {error}; expected {expected}.",
        "Push the image that the gate proved, as Docker pushes it.",
    )


def _describe(registry: Registry, top: Manifest, child: str) -> HeldImage:
    """The index's `child`, or what is no index itself."""
    own = registry.require_manifest(child) if child else top
    if own.is_index:
        raise NotAManifest("an index within an index")
    config = json_object(registry.read_blob(own.config))
    rootfs: Any = config.get("rootfs")
    layers = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    settings: Any = config.get("config") or {}
    labels = settings.get("Labels") if isinstance(settings, dict) else None
    healthcheck = settings.get("Healthcheck") if isinstance(settings, dict) else None
    return HeldImage(
        digest=top.digest,
        manifest=own.digest,
        config=own.config,
        layers=tuple(layers) if isinstance(layers, list) else (),
        labels={name: text for name, text in labels.items() if isinstance(text, str)}
        if isinstance(labels, dict)
        else {},
        healthcheck=healthcheck if isinstance(healthcheck, dict) else None,
        process=process_in(settings if isinstance(settings, dict) else {}),
        platform=Platform(os=str(config.get("os") or ""), architecture=str(config.get("architecture") or "")),
    )
