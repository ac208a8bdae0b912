"""What a Swarm service's labels say of its deployments: who made the last one, and what can be gone back to."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from freshness.core.hexid import is_full_id
from freshness.core.swarm import identity

_PREVIOUS = "freshness.previous"


class Ran(Struct, frozen=True, kw_only=True):
    """An image as the spec spelt it, and the commit that it was proven to be of; empty where none was."""

    image: str = ""
    revision: str = ""

    @classmethod
    def read(cls, text: str) -> "Ran":
        """From a label; all is empty where that is."""
        image, _, revision = text.partition(" ")
        return cls(image=image, revision=_commit(revision))

    def __str__(self) -> str:
        return f"{self.image} {self.revision}".strip()


class Deployed(Struct, frozen=True, kw_only=True):
    """A deployment. `run` is the token of the run that made it, `together` all services that it changed.

    `now` is what it wrote in place of `before`; a later write by hand makes the service differ from it. `previous` is
    what can be gone back to, the newest first: a rollback leaves what it went back from.
    """

    run: str
    by: str
    url: str
    now: Ran
    before: Ran
    together: tuple[str, ...]
    previous: tuple[Ran, ...]

    @property
    def labels(self) -> dict[str, str]:
        """As `read_deployed` reads them; what is empty has none."""
        own = {
            "run": self.run, "by": self.by, "url": self.url, "image": self.now.image, "revision": self.now.revision,
            "from": str(self.before), "together": " ".join(self.together),
        }  # fmt: skip
        kept = {_previous_label(number): str(one) for number, one in enumerate(self.previous, start=1)}
        return {f"freshness.{key}": value for key, value in own.items() if value} | kept


def read_deployed(labels: Mapping[str, str]) -> Deployed:
    """What the labels say; all is empty where this tool never wrote any."""
    return Deployed(
        run=labels.get("freshness.run", ""),
        by=labels.get("freshness.by", ""),
        url=labels.get("freshness.url", ""),
        now=Ran(image=labels.get("freshness.image", ""), revision=_commit(labels.get("freshness.revision", ""))),
        before=Ran.read(labels.get("freshness.from", "")),
        together=tuple(labels.get("freshness.together", "").split()),
        previous=tuple(_previous(labels)),
    )


def revision_of(labels: Mapping[str, str], image: str) -> str:
    """The commit that was proven of this image when it was deployed; empty where nobody knows."""
    last = read_deployed(labels)
    known = (one for one in (last.now, *last.previous) if identity(one.image) == identity(image))
    return next((one.revision for one in known if one.revision), "")


def previous_after(before: Ran, previous: Sequence[Ran], candidate: str, keep: int) -> tuple[Ran, ...]:
    """What can be gone back to, once the candidate runs.

    Where it is one of the `previous`, what is newer is left: a second way back never leads forward.
    """
    identities = [identity(one.image) for one in previous]
    if identity(candidate) in identities:
        return tuple(previous[identities.index(identity(candidate)) + 1 :])
    others = [one for one in previous if identity(one.image) != identity(before.image)]
    return (before, *others)[:keep]


def _previous(labels: Mapping[str, str]) -> Iterator[Ran]:
    number = 1
    while text := labels.get(_previous_label(number)):
        yield Ran.read(text)
        number += 1


def _previous_label(number: int) -> str:
    return _PREVIOUS if number == 1 else f"{_PREVIOUS}.{number}"


def _commit(text: str) -> str:
    return text if is_full_id(text) else ""
