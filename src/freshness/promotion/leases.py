"""The leases of one run on one host: of each service and job of the application, or of a tag that is moved alone."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from freshness.core.lock import service_lock
from freshness.engine.lock import Lease


class Leases(Struct, frozen=True, kw_only=True):
    """By the names of their locks, in the order in which all runs take them."""

    by_lock: Mapping[str, Lease]

    def __iter__(self) -> Iterator[Lease]:
        return iter(self.by_lock.values())

    @property
    def any(self) -> Lease:
        """One that stands for all, where a write belongs to no single service."""
        return next(iter(self))

    def of(self, project: str, service: str) -> Lease:
        """The lease of this service or job."""
        return self.by_lock[service_lock(project, service)]

    def require(self) -> None:
        """Raises LockLost where one of them is not ours any more: then all the rest is left to whoever took it."""
        for lease in self:
            lease.require()

    def among(self, locks: Iterable[str]) -> "Leases":
        """Those of these locks."""
        wanted = set(locks)
        return Leases(by_lock={name: lease for name, lease in self.by_lock.items() if name in wanted})
