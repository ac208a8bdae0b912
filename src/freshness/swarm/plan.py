"""What a promotion of Swarm services would do: decided before the first write, and told as it is done."""

from collections.abc import Iterator

from msgspec import Struct

from freshness.core.image import Image
from freshness.core.promotion import name_revision
from freshness.core.swarm import Service, identity
from freshness.core.swarm_record import Deployed, Ran, previous_after, read_deployed


class Change(Struct, frozen=True, kw_only=True):
    """A service as it was found, and what it gets: `image` as it will be spelt, and the `candidate` that this is.

    `running` is the image that it was found with. `keep` is how many previous images its labels name, and `run` the
    token of the run that writes it.
    """

    service: Service
    image: str
    candidate: Image
    running: Image
    label: str
    keep: int
    run: str

    @property
    def is_same(self) -> bool:
        """Whether it has this very image, however that is spelt: then nothing is written."""
        return identity(self.service.image) == identity(self.image)

    def deployed(self, by: str, url: str, together: tuple[str, ...]) -> Deployed:
        """What its labels will say."""
        before = Ran(image=self.service.image, revision=self.running.revision(self.label) or "")
        return Deployed(
            run=self.run,
            by=by,
            url=url,
            now=Ran(image=self.image, revision=self.candidate.revision(self.label) or ""),
            before=before,
            together=together,
            previous=previous_after(before, read_deployed(self.service.labels).previous, self.image, self.keep),
        )

    def __str__(self) -> str:
        name, now = self.service.name, name_revision(self.running, self.label)
        if self.is_same:
            return f"leave {name} as it is: its image is {self.image} already"
        tasks = f"{self.service.replicas} task{'s' if self.service.replicas > 1 else ''}"
        return f"update {name} from {now} to {self.image}, and see {tasks} run it; undo: back to {self.service.image}"


class RunJob(Struct, frozen=True, kw_only=True):
    """A one-shot service made of what `template` has, with this image, for `timeout` seconds.

    `decides`: nothing is updated unless it ends well.
    """

    template: Service
    image: str
    timeout: float
    decides: bool

    def __str__(self) -> str:
        then = "nothing is updated unless it ends well" if self.decides else "how it ends takes nothing back"
        return f"run the job {self.template.name} from {self.image}; {then}"


class Plan(Struct, frozen=True, kw_only=True):
    """The jobs, then each change in its order; where one fails, all are taken back. `ancestry` is said of the first.

    `later_jobs` run once all is proven, and take nothing back.
    """

    jobs: tuple[RunJob, ...]
    changes: tuple[Change, ...]
    later_jobs: tuple[RunJob, ...]
    ancestry: str

    @property
    def together(self) -> tuple[str, ...]:
        """The services that are written."""
        return tuple(one.service.name for one in self.changes if not one.is_same)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        if self.ancestry:
            yield f"since: {self.ancestry}"
        yield from map(str, self.jobs)
        yield from map(str, self.changes)
        yield from map(str, self.later_jobs)
