"""Moves a tag in the registry to a digest: the manifest is put again byte for byte, and no layer moves."""

from contextlib import suppress

from freshness.core.manifest import Manifest, NotAManifest
from freshness.core.registry_name import MovingTag
from freshness.errors import Gone, Refused, RegistryError
from freshness.registry.client import Registry


def move_tag(registry: Registry, tag: MovingTag, wanted: Manifest, previous: Manifest | None) -> None:
    """To what is wanted, once its `previous` names what it is to name: nothing else of it where that is None.

    No registry compares before it sets: whoever moves a tag holds a lock. Raises RegistryError where either does not
    name it afterwards; the tag itself stays where that is the one beside it, which leads back.
    """
    if previous:
        with suppress(Gone):  # what nobody can pull any more is no way back
            _set(registry, previous, tag.previous)
    _set(registry, wanted, tag.version)


def _set(registry: Registry, wanted: Manifest, tag: str) -> None:
    """Read back, which costs one small answer: a registry may say `201 Created` and name something else."""
    registry.put_manifest(wanted, tag)
    now = registry.find_manifest(tag)
    if now is None or now.digest != wanted.digest:
        got = now.digest if now else "nothing"
        raise RegistryError(
            f"{registry.repository}:{tag} was set to {wanted.digest}, but names {got}.",
            "Something else moves this tag: find it, then run again.",
        )


def bring(wanted: Manifest, source: Registry, target: Registry) -> None:
    """All that it names is in the other repository afterwards, an index whole; of layers no byte moves.

    Raises Refused where the registry does not share them between the two, RegistryError.
    """
    if source.repository == target.repository or target.find_manifest(wanted.digest):
        return
    children, blobs = _parts(wanted, source)
    for digest in children:
        child = source.require_manifest(digest)
        bring(child, source, target)
        target.put_manifest(child, digest)
    for digest in blobs:
        if not target.mount_blob(digest, source.repository):
            raise Refused(
                f"the registry does not share {digest} of {source.repository} with {target.repository}.",
                "Let this user read the one and push to the other, or keep both tags in one repository: name the tag"
                " alone in `registry-tag`.",
            )


def _parts(manifest: Manifest, source: Registry) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The manifests of an index, or the blobs of an image."""
    try:
        return (manifest.children, ()) if manifest.is_index else ((), manifest.blobs)
    except NotAManifest as error:
        raise Refused(
            f"{source.repository}@{manifest.digest} is {error}; expected digests alone.",
            "Push the image that the gate proved, as Docker pushes it.",
        ) from error
