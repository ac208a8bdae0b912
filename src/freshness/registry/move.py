"""Moves a tag in the registry to a digest: the manifest is put again byte for byte, and no layer moves."""

from freshness.core.manifest import Manifest
from freshness.errors import RegistryError
from freshness.registry.client import Registry


def move_tag(registry: Registry, tag: str, wanted: Manifest, before: Manifest | None) -> None:
    """From what the tag names, which `TAG-previous` names then.

    No registry compares before it sets: whoever moves a tag holds a lock. Raises RegistryError where the tag does not
    name it afterwards.
    """
    if before and before.digest == wanted.digest:
        return
    if before:
        registry.put_manifest(before, previous_of(tag))
    registry.put_manifest(wanted, tag)
    now = registry.find_manifest(tag)
    if now is None or now.digest != wanted.digest:
        raise RegistryError(
            f"{registry.repository}:{tag} was set to {wanted.digest}, but names {now.digest if now else 'nothing'}.",
            "Something else moves this tag: find it, then run again.",
        )


def previous_of(tag: str) -> str:
    """The tag that keeps what a tag named before."""
    return f"{tag}-previous"
