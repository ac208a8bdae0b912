"""What every promotion begins with: an image is found and must prove the expected commit, before any write."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from freshness.ci.log import Log
from freshness.core.deployment import Deployment, Recorded, Role
from freshness.core.image import Image, guard
from freshness.core.lock import Record
from freshness.core.promotion import PromotionOutcome, name_revision
from freshness.core.retained import RetainedImage, RetainedTags, choose_retained
from freshness.core.scope import in_scope
from freshness.engine.client import Engine
from freshness.engine.compose import ComposeFile
from freshness.engine.conflicts import services_of
from freshness.engine.containers import service_containers
from freshness.engine.deployments import read_roles
from freshness.engine.images import find_image, find_tagged
from freshness.engine.lock import Lock
from freshness.engine.lock_owner import new_lock
from freshness.errors import Refused
from freshness.git.resolve_commit import NOT_ASKED
from freshness.promotion.ancestry import Advance, advancing
from freshness.promotion.rollback import find_kept
from freshness.report.steps import Steps
from freshness.settings.model import Match, PromoteSettings

NOTHING = "Production runs nothing yet."
_APART = (
    "give each production an image repository of its own (`image:`). Where the other one is staging, gate it once, so"
    " that its record says so, or name it in `staging-project` and `staging-service`."
)


@dataclass(slots=True, kw_only=True)
class Candidacy:
    """The part that a promotion shares with a mere retag; with `is_rollback` a kept image is the source.

    It is the newest that no rollback has left, or the one that `rollback_to` names.

    `unmended` is what a cut run had begun and this one could not undo: it goes on, and can still go back to what last
    served.
    `run_env` is the run's own environment, `env` what our children inherit of it. `outcome`, `reason`, `notes` and
    `engine` are filled in on the way; None: not yet known.
    """

    settings: PromoteSettings
    env: Mapping[str, str]
    run_env: Mapping[str, str]
    log: Log
    is_rollback: bool = False
    rollback_to: str | None = None
    steps: Steps = field(default_factory=Steps)
    outcome: PromotionOutcome = PromotionOutcome.ERROR
    engine: Engine | None = None
    reason: str = ""
    notes: list[str] = field(default_factory=list)
    found_file: ComposeFile | None = None
    unmended: Record | None = None

    @property
    def compose_file(self) -> ComposeFile:
        """What Compose reads, with what names its project: the same in the whole run, as it was found first."""
        self.found_file = self.found_file or ComposeFile.of(self.settings, self.env)
        return self.found_file

    def lock(self, engine: Engine, name: str, seconds: float) -> Lock:
        """The lock called `name`, for this run, which may take `seconds`."""
        return new_lock(
            engine,
            name,
            command="freshness rollback" if self.is_rollback else "freshness promote",
            revision=self.rollback_to if self.is_rollback else self.settings.expected_revision,
            seconds=seconds,
            env=self.run_env,
            say=self.log.say,
        )

    def kept_source(
        self, engine: Engine, tags: RetainedTags, running: str, recorded: Recorded | None, project: str = ""
    ) -> str:
        """What to go back to: a kept tag, or the ID of what is `running`, where `--to` names that.

        Raises Refused where there is none, SettingsError. `project` is production's own; empty where no Compose file
        was read.
        """
        kept = find_kept(engine, tags, recorded, self.settings.revision_label)
        if any(one.image != running for one in kept):
            self._refuse_shared(engine, tags, project)
        image = find_image(engine, running) if running and self.rollback_to else None
        if image:
            revision = image.revision(self.settings.revision_label) or ""
            kept = (*kept, RetainedImage(number=0, image=image.id, revision=revision))
        chosen = choose_retained(kept, running, self.rollback_to, tags.name(1))
        return tags.name(chosen.number) if chosen.number else chosen.image

    def _refuse_shared(self, engine: Engine, tags: RetainedTags, project: str) -> None:
        """Two productions of one repository keep their images under the same tags, where nobody can tell them apart."""
        others = self._other_productions(engine, tags, project)
        if others and (project or len(others) > 1):
            raise Refused(
                f"{tags.name(1)} and its like may be another production's: containers of {tags.repository} on this"
                f" Engine belong to the Compose project {' and to '.join(others)}.",
                f"Promote the wanted image by `--source-image`, and {_APART}",
            )

    def goes_back(self, recorded: Recorded | None, candidate: Image) -> bool:
        """Whether it is a rollback that leaves what it goes past: one to what another has left goes forward again."""
        served = recorded.deployment.served(candidate.id) if recorded else None
        return self.is_rollback and not (served and served.left)

    def warn_of_shared(self, engine: Engine, tags: RetainedTags, project: str) -> None:
        """Says before the incident that `rollback` will be refused."""
        others = self._other_productions(engine, tags, project)
        if others and not self.is_rollback:
            self.notes.append(
                f"`freshness rollback` will be refused: containers of {tags.repository} on this Engine belong to the"
                f" Compose project {' and to '.join(others)} too, and whose the previous images are cannot be told:"
                f" {_APART}"
            )
            self.log.warning("No rollback", self.notes[-1])

    def _other_productions(self, engine: Engine, tags: RetainedTags, project: str) -> list[str]:
        """The other projects with containers of the repository, without what is staging by its record or the settings.

        A staging keeps nothing.
        """
        roles, settings = read_roles(engine), self.settings
        named = (settings.staging_project, settings.staging_service)
        return sorted(
            {
                one
                for one, service in services_of(engine, tags.repository)
                if one != project and roles.get((one, service)) is not Role.STAGING and (one, service) != named
            }
        )

    def find_candidate(self, engine: Engine, source: str) -> Image:
        """The image that the source names. Raises Refused where this Engine has none."""
        may_be_id = self.is_rollback or source == self.settings.source_image  # else only a person may mean an ID
        find = find_image if may_be_id else find_tagged
        image = find(engine, source)
        if image is None:
            raise Refused(
                f"the Engine {engine.id} at {engine.endpoint} has no image {source}.",
                "Did the gate run on another Docker host? Promote where the gate ran, or run the gate here.",
            )
        return image

    @staticmethod
    def in_words(source: str, candidate: Image) -> str:
        """What the source was found to be; in a workflow it is an ID itself."""
        return candidate.id if source == candidate.id else f"{source} is {candidate.id}"

    def prove(self, candidate: Image) -> None:
        """The guard: raises Refused unless the label says the expected commit. Not in force, it says so aloud."""
        label, expected = self.settings.revision_label, self._expected(candidate)
        if expected is None:
            self.notes.append(f"The guard did not look at {candidate.id}: {self._why_unguarded()}.")
            self.log.warning("The guard is off", self.notes[-1])
            return
        with self.steps.step("guard", f"{expected} in the label {label}") as step:
            problem = guard(candidate, label, expected)
            claimed = candidate.revision(label)
            if problem and claimed and self.settings.match is Match.TREE:
                with advancing(self.settings, self.run_env) as advance:
                    step.got = advance.insist_equal_trees(claimed, expected)
                return
            if problem:
                remedy = "Run the gate for that commit and promote the image ID that it gives."
                if self.is_rollback and not claimed:
                    remedy = (
                        "To go back to it all the same, say `freshness rollback --allow-unverified`; or run the gate"
                        " for the commit to go back to, and promote the image ID that it gives with `--allow-rollback`."
                    )
                raise Refused(f"the image {candidate.id} does not prove the commit: {problem}.", remedy)
            step.got = f"it says {expected}"

    def insist_staged(self, engine: Engine, project: str, candidate: Image) -> None:
        """Raises Refused where staging's tag is the source, and names another image than staging's container runs.

        A tag moves, and what is built upon a proven image inherits its label. Where the guard is not in force, or
        staging has no container, the tag alone counts.
        """
        if self.is_rollback or self.settings.source_image or self._expected(candidate) is None:
            return
        with self.steps.step("staging", f"staging on {candidate.id}, as its tag says") as step:
            runs = {one.image_id for one in service_containers(engine, project, self.settings.staging_service)}
            step.got = f"staging runs {', '.join(sorted(runs)) or 'nothing'}"
            if runs and candidate.id not in runs:
                raise Refused(
                    f"{step.got}.", "Its tag was moved since: give the gate's `image-id`, or run the gate again."
                )

    def require_ancestry(self, production: Image | None, candidate: Image, last: Recorded | None) -> None:
        """Never backwards, never sideways: raises Refused for a commit that is no head any more or lacks what runs.

        Where nothing runs, `last` is what was recorded to have run last, None where nothing was.
        Where the guard is not in force nothing is asked, and a rollback is itself the permission to go back.
        """
        expected = self._expected(candidate)
        claimed = candidate.revision(self.settings.revision_label)
        if self.is_rollback or expected is None or claimed is None:
            return
        with advancing(self.settings, self.run_env) as advance:
            with self.steps.step("head", f"{claimed} as the pull request's head, still") as step:
                step.got = advance.confirm_head(claimed)
            if not self.settings.recheck_head:
                self.notes.append(NOT_ASKED)
                self.log.warning("recheck-head", NOT_ASKED)
            with self.steps.step("direction", "a commit that builds on what production runs") as step:
                step.got = self._stand_to(production, claimed, advance, last)
        self.notes.append(f"Before the first write: {step.got}")

    def _stand_to(self, production: Image | None, claimed: str, advance: Advance, last: Recorded | None) -> str:
        if production is None:
            return self._stand_to_last(claimed, advance, last.deployment) if last and last.deployment.image else NOTHING
        runs = production.revision(self.settings.revision_label)
        if runs is not None:
            return advance.require_ancestry(runs, claimed)
        if self.settings.require_known:
            raise Refused(
                f"production runs {production.id}, which names no commit, and `require-known` is true.",
                "Promote once with `require-known: false` to adopt what runs.",
            )
        return f"Production runs {production.id}, which names no commit: it is adopted, and unproven."

    def _stand_to_last(self, claimed: str, advance: Advance, last: Deployment) -> str:
        """By the record: it outlives the container, and a change of the Engine's image store."""
        runs = f"Nothing runs here, and {last.image} was recorded to have run last"
        unknown = not last.revision or advance.is_unknown(last.revision, claimed)
        if not unknown:
            try:
                return f"{runs}. {advance.require_ancestry(last.revision, claimed)}"
            except Refused as error:
                raise Refused(f"{runs}: {error.args[0]}", error.remedy) from error
        why = f"its commit {last.revision} is not in the history" if last.revision else "it names no commit"
        if self.settings.require_known:
            raise Refused(
                f"nothing runs here, {last.image} was recorded to have run last, {why}, and `require-known` is true.",
                "Promote once with `require-known: false` to begin anew.",
            )
        return f"{runs}; {why}, so nobody knows whether this one builds on it."

    def _expected(self, candidate: Image) -> str | None:
        """The commit to prove (words that no label says, where there is none); None where the guard is not in force."""
        settings = self.settings
        if not settings.enabled or not in_scope(settings.repository, settings.repos):
            return None
        claimed = candidate.revision(settings.revision_label) if self.is_rollback else settings.expected_revision
        return claimed or (None if settings.allow_unverified else "a commit id")

    def _why_unguarded(self) -> str:
        if not self.settings.enabled:
            return "ORCH_IMAGE_FRESHNESS_ENABLED is false"
        if not in_scope(self.settings.repository, self.settings.repos):
            return f"{self.settings.repository} is out of the scope of ORCH_IMAGE_FRESHNESS_REPOS"
        return "--allow-unverified was given"

    def name(self, image: Image) -> str:
        """The image in words, with the commit that it claims."""
        return name_revision(image, self.settings.revision_label)
