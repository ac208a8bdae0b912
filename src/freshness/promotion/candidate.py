"""Which image becomes production, and whether it proves the expected commit."""

from msgspec import Struct

from freshness.core.check import CheckName
from freshness.core.deployment import Recorded, Role
from freshness.core.hexid import is_full_id
from freshness.core.image import Image, guard
from freshness.core.retained import RetainedImage, RetainedTags, choose_alike, choose_retained
from freshness.engine.client import Engine
from freshness.engine.conflicts import services_of
from freshness.engine.containers import service_containers
from freshness.engine.deployments import read_roles
from freshness.engine.images import find_image, find_tagged
from freshness.errors import Refused
from freshness.promotion.ancestry import advancing
from freshness.promotion.request import Request
from freshness.promotion.rollback import find_now, find_retained
from freshness.report.run_log import RunLog
from freshness.settings.model import Match

_APART = (
    "give each production an image repository of its own (`image:`). Where the other one is staging, gate it once, so"
    " that its record says so, or name it in `staging-project` and `staging-service`."
)


class Choice(Struct, frozen=True, kw_only=True):
    """The look for the candidate. `tags` keep what `service` ran before; `project` is production's, if it has one.

    `like` is what another service of the application goes back to, or this one on the Docker host `like_at`: it goes
    back together with that.
    """

    engine: Engine
    request: Request
    run: RunLog
    tags: RetainedTags
    service: str
    project: str = ""
    like: RetainedImage | None = None
    like_at: str = ""

    def find(
        self, source: str, runs: str, configuration: str, recorded: Recorded | None
    ) -> tuple[Image, RetainedImage | None]:
        """The image that becomes production, and what a rollback goes back to. Raises Refused where there is none.

        `runs` is the ID of the image that production runs with this `configuration`.
        """
        with self.run.step(CheckName.IMAGE, "an image on this Engine") as step:
            chosen = self._previous(runs, configuration, recorded) if self.request.is_rollback else None
            name = chosen.image if chosen else source
            candidate = self.look_up(name)
            step.got = candidate.id if name == candidate.id else f"{name} is {candidate.id}"
        self.run.found["revision"] = candidate.revision(self.request.settings.source.label) or ""
        return candidate, chosen

    def look_up(self, source: str) -> Image:
        """The image of this name, or of this ID where a person gave it. Raises Refused where the Engine has none."""
        # Only a person may mean an ID.
        settings = self.request.settings
        may_be_id = self.request.is_rollback or source in {settings.source_image, *settings.source_images.values()}
        image = (find_image if may_be_id else find_tagged)(self.engine, source)
        if image is None:
            raise Refused(
                f"the Engine {self.engine.id} at {self.engine.endpoint} has no image {source}.",
                "Did the gate run on another Docker host? Name it in `source-host`, promote there, or gate it here.",
            )
        return image

    def _previous(self, runs: str, configuration: str, recorded: Recorded | None) -> RetainedImage:
        """What to go back to. Raises Refused where there is none, SettingsError."""
        label, to = self.request.settings.source.label, self.request.rollback_to
        now = find_now(self.engine, runs, configuration, recorded, label)
        kept = find_retained(self.engine, self.tags, recorded, label, now)
        if any(one.image != now.image for one in kept):
            self._refuse_shared()
        if self.like:
            return choose_alike(kept, now, self.like, self.service, self.like_at)
        if now.image and (to or not runs):  # what ran last comes first
            kept = (now, *kept)
        return choose_retained(kept, runs, to, self.tags.name(1))

    def _refuse_shared(self) -> None:
        """Two productions of one repository keep their images under the same tags, where nobody can tell them apart."""
        others = self._other_productions()
        if others and (self.project or len(others) > 1):
            raise Refused(
                f"{self.tags.name(1)} and its like may be another production's: containers of {self.tags.repository} on"
                f" this Engine belong to the Compose project {' and to '.join(others)}.",
                f"Promote the wanted image by `--source-image`, and {_APART}",
            )

    def warn_of_shared(self) -> None:
        """Says before the incident that `rollback` will be refused."""
        others = self._other_productions()
        if others and not self.request.is_rollback:
            self.run.warn(
                "No rollback",
                f"`freshness rollback` will be refused: containers of {self.tags.repository} on this Engine belong to"
                f" the Compose project {' and to '.join(others)} too. Nobody can tell whose the previous images are:"
                f" {_APART}",
            )

    def _other_productions(self) -> list[str]:
        """The other projects with containers of the repository, without what is staging by its record or the settings.

        A staging keeps nothing.
        """
        roles, settings = read_roles(self.engine), self.request.settings
        named = [(settings.staging_project, settings.staging_of(service)) for service in settings.services]
        return sorted(
            {
                one
                for one, service in services_of(self.engine, self.tags.repository)
                if one != self.project and roles.get((one, service)) is not Role.STAGING and (one, service) not in named
            }
        )

    def prove(self, candidate: Image) -> None:
        """The guard: raises Refused unless the label says the expected commit. Not in force, it says so."""
        request, settings = self.request, self.request.settings
        label, expected = settings.source.label, request.expected(candidate)
        if expected is None:
            self.run.warn("The guard is off", f"The guard did not look at {candidate.id}: {request.why_unguarded}.")
            return
        with self.run.step(CheckName.GUARD, f"{expected} in the label {label}") as step:
            problem = guard(candidate, label, expected)
            claimed = candidate.revision(label)
            if problem and claimed and settings.ancestry.match is Match.TREE:
                with advancing(settings, request.run_env) as advance:
                    step.got = advance.insist_equal_trees(claimed, expected)
                return
            if problem:
                gate = f" (`freshness gate --revision {expected}`)" if is_full_id(expected) else ""
                remedy = f"Run the gate for that commit{gate} and promote the image ID that it gives."
                if request.is_rollback and not claimed:
                    remedy = (
                        "To go back to it all the same, say `freshness rollback --allow-unverified`. Or run the gate"
                        " for the commit to go back to, and promote the image ID that it gives with `--allow-rollback`."
                    )
                raise Refused(f"the image {candidate.id} does not prove the commit: {problem}.", remedy)
            step.got = f"it says {expected}"

    def require_staged(self, staging_project: str, candidate: Image) -> None:
        """Raises Refused where staging's tag is the source, and names another image than staging's container runs.

        A tag moves, and what is built upon a proven image inherits its label. Where the guard is not in force, or
        staging has no container, the tag alone counts.
        """
        settings = self.request.settings
        is_told = settings.source_image or settings.source_images
        if self.request.is_rollback or is_told or self.request.expected(candidate) is None:
            return
        with self.run.step(CheckName.STAGING, f"staging on {candidate.id}, as its tag says") as step:
            staging = settings.staging_of(self.service)
            runs = {one.image_id for one in service_containers(self.engine, staging_project, staging)}
            step.got = f"staging runs {', '.join(sorted(runs)) or 'nothing'}"
            if runs and candidate.id not in runs:
                raise Refused(
                    f"{step.got}.", "Its tag was moved since: give the gate's `image-id`, or run the gate again."
                )
