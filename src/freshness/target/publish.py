"""Images between an Engine and a registry, with the proof that both have the same one."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from freshness.core.held import HeldImage, LocalImage, why_another
from freshness.core.image import Image, guard
from freshness.core.registry_name import Repository
from freshness.engine.lock import Lease
from freshness.engine.pull import pull_image
from freshness.engine.push import push_image
from freshness.engine.transfer import Transfer, describe_image
from freshness.errors import Refused
from freshness.registry.client import Registry
from freshness.registry.credentials import find_credentials
from freshness.registry.held import read_held
from freshness.registry.refusals import log_in

_FIND_IT = "Something else pushes to this repository, or changes what is pushed: find it, then run again."


class Way(Struct, frozen=True, kw_only=True):
    """Between an Engine and a `registry`, by `transfer`."""

    registry: Registry
    transfer: Transfer

    @classmethod
    def to(cls, repository: Repository, *, seconds: float, env: Mapping[str, str], say: Callable[[str], None]) -> "Way":
        """With Docker's own credentials. `seconds` are for a push or a pull, `say` gets the Engine's lines."""
        found = find_credentials(repository.host, env)
        transfer = Transfer(
            repository=str(repository),
            credentials=found.for_engine(repository.host) if found else {},
            remedy=log_in(repository),
            seconds=seconds,
            say=say,
        )
        return cls(registry=Registry(repository, found), transfer=transfer)

    def publish(self, lease: Lease, image_id: str, *, commit: str, label: str, keep_tag: bool) -> HeldImage:
        """The image as the registry holds it under its digest, after a push as `repository:commit`.

        Raises Refused where the registry holds another one, RegistryError and EngineError where that cannot be told.
        """
        digest = push_image(lease, image_id, self.transfer, commit, keep_tag=keep_tag)
        held = self._require_same(describe_image(lease.engine, image_id), digest)
        if why := guard(Image(id=digest, labels=held.labels), label, commit):
            raise Refused(f"{self.transfer.repository}@{digest} does not prove the commit: {why}.", _FIND_IT)
        return held

    def fetch(self, lease: Lease, digest: str) -> str:
        """The ID of the image on this Engine, after a pull by digest. Raises as `publish`."""
        local = pull_image(lease, self.transfer, digest)
        self._require_same(local, digest)
        return local.id

    def _require_same(self, local: LocalImage, digest: str) -> HeldImage:
        held = read_held(self.registry, digest, local.platform)
        if why := why_another(held, local):
            name = f"{self.transfer.repository}@{digest}"
            raise Refused(f"{name} is not the image {local.id} of this Engine: {why}.", _FIND_IT)
        return held
