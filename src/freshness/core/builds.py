"""Which of the gate's builds are removed: each gate leaves a tag that names its commit, and nothing else removes it."""

from collections.abc import Collection, Iterable

from msgspec import Struct

from freshness.core.image import Image, repository_of, same_tag, version_of


class ListedImage(Struct, frozen=True, kw_only=True):
    """An image with all its tags, and when it was made: seconds, as the Engine lists it."""

    image: Image
    created: int


def surplus_builds(
    listed: Iterable[ListedImage],
    repository: str,
    *,
    names: Collection[str],
    label: str,
    used: Collection[str],
    current: Collection[str],
    keep: int,
) -> tuple[ListedImage, ...]:
    """The builds of this repository beyond the newest `keep` commits, the oldest first; `current` (IDs) are the newest.

    A build has one name, the commit that its label says, behind which one of the `names` of services and jobs may
    stand. What has another name too (staging's, production's, a kept tag, a person's) or is `used` by a container
    (image IDs) stays, and so does what somebody else tagged.
    """
    found = [one for one in listed if _is_build(one.image, repository, names, label)]
    # The tag decides between builds of one second; one that was all cached has the time of the older one.
    found.sort(key=lambda one: (one.image.id in current, one.created, one.image.tags), reverse=True)
    kept = list(dict.fromkeys(one.image.revision(label) for one in found))[:keep]
    free = (one for one in found if one.image.revision(label) not in kept)
    free = (one for one in free if one.image.id not in used and one.image.id not in current)
    return tuple(one for one in free if len(one.image.tags) == 1)[::-1]


def _is_build(image: Image, repository: str, names: Collection[str], label: str) -> bool:
    commit = image.revision(label)
    ours = {commit, *(f"{commit}-{name}" for name in names)} if commit else set()
    return any(version_of(tag) in ours for tag in image.tags if same_tag(repository_of(tag), repository))
