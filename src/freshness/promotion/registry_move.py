"""A tag of a registry's repository that is to name an image: what it names now, and what is kept of that."""

from msgspec import Struct
from msgspec.structs import replace

from freshness.core.image import Image
from freshness.core.manifest import Manifest
from freshness.core.registry_name import MovingTag, Reference, Repository
from freshness.errors import Gone, SettingsError
from freshness.process.deadline import both
from freshness.promotion.request import Request
from freshness.registry.client import Registry
from freshness.registry.credentials import find_credentials
from freshness.registry.held import read_all_held
from freshness.registry.move import bring, move_tag


class Move(Struct, frozen=True, kw_only=True):
    """The `tag` in the repository `there`, and what it is to name, which lies in that of `source`.

    It names `before`, None where that is nothing; `previous` is what the tag beside it is to name, None where it stays.
    """

    source: Registry
    there: Registry
    tag: MovingTag
    wanted: Manifest
    before: Manifest | None
    previous: Manifest | None

    @classmethod
    def find(cls, reference: Reference, tag: MovingTag, request: Request) -> "Move":
        """What the tag names is kept. Raises Refused where nothing is under the digest, RegistryError."""
        source = _registry(reference.repository, request)
        is_elsewhere = tag.repository and tag.repository != source.repository
        there = _registry(tag.repository, request) if tag.repository and is_elsewhere else source
        wanted, before = both(
            lambda: source.require_manifest(reference.digest), lambda: there.find_manifest(tag.version)
        )
        return cls(source=source, there=there, tag=tag, wanted=wanted, before=before, previous=before)

    def keeping(self, digest: str, otherwise: Manifest | None) -> "Move":
        """The same, where the tag beside it is to name this digest, else `otherwise`: it is empty, or lost there."""
        if self.is_done or not digest:
            return replace(self, previous=otherwise)
        kept = self.before if self.before_digest == digest else self.there.find_manifest(digest)
        return replace(self, previous=kept or otherwise)

    @property
    def name(self) -> str:
        return name_of(self.tag, self.source.repository)

    @property
    def before_digest(self) -> str:
        """Empty where it names nothing."""
        return self.before.digest if self.before else ""

    @property
    def is_done(self) -> bool:
        return self.before_digest == self.wanted.digest

    def images(self) -> tuple[Image, ...]:
        """What is wanted, for each platform, which the guard and the direction are asked about. Raises Refused."""
        return _images(self.source, self.wanted)

    def all_images(self) -> tuple[tuple[Image, ...], tuple[Image, ...]]:
        """As `images`, and those that the tag names: where the registry has lost a part of them, of no commit."""
        return both(self.images, lambda: self._images_of(self.before) if self.before else ())

    def _images_of(self, before: Manifest) -> tuple[Image, ...]:
        try:
            return _images(self.there, before)
        except Gone:
            return (Image(id=before.digest),)

    def make(self) -> None:
        """Raises Refused where the image cannot be had in the other repository, RegistryError."""
        if not self.is_done:
            bring(self.wanted, self.source, self.there)
            move_tag(self.there, self.tag, self.wanted, self.previous)

    @property
    def got(self) -> str:
        """What it names afterwards, in words."""
        digest = self.wanted.digest
        return f"{digest} already" if self.is_done else f"{digest}, in place of {self.before_digest or 'nothing'}"

    def __str__(self) -> str:
        if self.is_done:
            return f"nothing: {self.name} names {self.wanted.digest} already"
        kept = f", and {self.previous.digest} as {self.tag.previous}" if self.previous else ""
        return f"tag {self.wanted.digest} as {self.name}, in place of {self.before_digest or 'nothing'}{kept}"


def name_of(tag: MovingTag, repository: Repository) -> str:
    """The tag in full, of an image in this repository."""
    return f"{tag.repository or repository}:{tag.version}"


def find_tag_alone(request: Request) -> MovingTag | None:
    """The tag in the registry, where it is all that moves.

    Raises SettingsError where one is to be moved, and it is not told to which digest it may be.
    """
    _require_references(request)
    settings = request.settings
    return None if settings.recreate or settings.image else settings.registry.tag


def _require_references(request: Request) -> None:
    settings, tag = request.settings, request.settings.registry.tag
    if tag is None or (request.is_rollback and (settings.recreate or settings.image)):
        return
    if request.is_rollback:
        raise SettingsError(
            "`recreate` (RECREATE) is false, so that no image on this Engine is known to go back to.",
            f"Promote the digest that {tag.previous} names in the registry, with a reason in `allow-rollback`.",
        )
    told = [*settings.source_images.values()] or [settings.source_image or ""]
    if not all(map(Reference.parse, told)):
        raise SettingsError(
            f"`registry-tag` (REGISTRY_TAG) is '{tag}', and no image is named by its digest in a registry.",
            "Give the gate's output `digests` in `source-images`, or HOST/NAME@sha256:… in `source-image`.",
        )
    other = tag.repository
    if other and (len(settings.references) > 1 or other.host != settings.references[0].repository.host):
        raise SettingsError(
            f"`registry-tag` (REGISTRY_TAG) is '{tag}', another repository than that of"
            f" {' and '.join(str(one.repository) for one in settings.references)}.",
            "Name the tag alone; another repository can be that of one image, and on the same registry.",
        )


def _registry(repository: Repository, request: Request) -> Registry:
    return Registry(repository, find_credentials(repository.host, request.env))


def _images(registry: Registry, top: Manifest) -> tuple[Image, ...]:
    return tuple(Image(id=one.digest, labels=one.labels) for one in read_all_held(registry, top))
