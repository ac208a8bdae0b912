"""Moves a tag in the registry to a digest: the manifest is put again byte for byte, and no layer moves."""

from freshness.errors import RegistryError
from freshness.registry.client import Registry


def move_tag(registry: Registry, tag: str, digest: str) -> str:
    """The digest that the tag named before; empty where it named none. `TAG-previous` names that then.

    No registry compares before it sets: whoever moves a tag holds a lock. Raises Refused where nothing is under the
    digest, RegistryError where the tag does not name it afterwards.
    """
    wanted, before = registry.require_manifest(digest), registry.find_manifest(tag)
    if before and before.digest == digest:
        return before.digest
    if before:
        registry.put_manifest(before, previous_of(tag))
    registry.put_manifest(wanted, tag)
    now = registry.find_manifest(tag)
    if now is None or now.digest != digest:
        raise RegistryError(
            f"{registry.repository}:{tag} was set to {digest}, but names {now.digest if now else 'nothing'}.",
            "Something else moves this tag: find it, then run again.",
        )
    return before.digest if before else ""


def previous_of(tag: str) -> str:
    """The tag that keeps what a tag named before."""
    return f"{tag}-previous"
