"""Images as the Swarm's nodes will pull them: proven by what their registry holds, or by the only node's Engine."""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from freshness.core.image import Image
from freshness.core.manifest import Platform
from freshness.core.swarm import Service, find_reference, identity, is_tag
from freshness.core.swarm_record import revision_of
from freshness.engine.client import Engine
from freshness.engine.images import find_image
from freshness.engine.volumes import image_process
from freshness.errors import Refused, RegistryError
from freshness.registry.client import Registry
from freshness.registry.credentials import find_credentials
from freshness.registry.held import read_all_held


class Images(Struct, frozen=True, kw_only=True):
    """Asks for images with Docker's credentials in `env`; `known` are those that were asked for."""

    engine: Engine
    env: Mapping[str, str]
    known: dict[str, tuple[Image, ...]] = field(default_factory=dict)

    def describe(self, image: str) -> tuple[Image, ...]:
        """What the nodes would run: one, or all of an index. Raises Refused, RegistryError."""
        if image not in self.known:
            self.known[image] = tuple(self._describe(image))
        return self.known[image]

    def platforms(self, image: str) -> tuple[Platform, ...]:
        """Those that it was built for; empty where that is not known."""
        return tuple(one.platform for one in self.describe(image) if one.platform)

    def _describe(self, image: str) -> Iterable[Image]:
        reference = find_reference(image)
        if reference is None:
            found = find_image(self.engine, image)
            if found is None:
                raise Refused(
                    f"the Engine {self.engine.id} at {self.engine.endpoint} has no image {image}.",
                    "Gate it on this host, or promote HOST/NAME@sha256:… from a registry.",
                )
            process, _ = image_process(self.engine, found.id)
            return [replace(found, process=process)]
        repository = reference.repository
        registry = Registry(repository, find_credentials(repository.host, self.env))
        held = read_all_held(registry, registry.require_manifest(reference.digest))
        return [
            Image(
                id=reference.digest,
                labels=one.labels,
                healthcheck=one.healthcheck,
                process=one.process,
                platform=one.platform,
            )
            for one in held
        ]

    def find_running(self, service: Service, label: str, *, may_be_unknown: bool) -> Image:
        """What the service runs, with the commit that it was proven to be of: by its labels, else by the registry.

        Where neither knows the image any more, it claims no commit. Raises RegistryError where the registry does not
        tell, unless that `may_be_unknown`.
        """
        if revision := revision_of(service.labels, service.image):
            return Image(id=identity(service.image), labels={label: revision})
        unknown = Image(id=identity(service.image))
        if is_tag(service.image):
            return unknown
        try:
            return self.describe(service.image)[0]
        except Refused:
            return unknown
        except RegistryError as error:
            if may_be_unknown:
                return unknown
            raise RegistryError(
                f"nobody tells which commit {service.name} runs now: {error.args[0]}",
                f"{error.remedy} Where it is gone for good, say so in `allow-rollback`.",
            ) from error

    def credentials(self, image: str) -> Mapping[str, str]:
        """What the nodes need to pull it; empty where Docker has none."""
        reference = find_reference(image)
        found = find_credentials(reference.repository.host, self.env) if reference else None
        return found.for_engine(reference.repository.host) if found and reference else {}
