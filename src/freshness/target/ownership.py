"""Checks whether a run may replace the containers at its target, and records whose they are."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from freshness.core.compose import Target
from freshness.core.deployment import Recorded, Role
from freshness.core.image import Image
from freshness.core.ownership import (
    Claim,
    ExistingContainer,
    Objection,
    adopts_needlessly,
    appears_from_compose,
    deployment_of,
    differs_in_files,
    labels_of_compose,
    object_to,
    object_to_lost_variables,
)
from freshness.core.repository_name import name_of
from freshness.core.run import Run
from freshness.engine.client import Engine
from freshness.engine.compose import ComposeFile, configuration_of
from freshness.engine.deployments import read_deployment, write_deployment
from freshness.engine.existing import find_existing
from freshness.engine.lock import Lease
from freshness.errors import Refused, Stale
from freshness.git.work_tree import WorkTree, is_same_file
from freshness.settings.model import GateSettings, PromoteSettings


class Ownership(Struct, frozen=True, kw_only=True):
    """What a run takes its target for, which `file` describes."""

    claim: Claim
    target: Target
    file: ComposeFile
    work_tree: WorkTree

    @classmethod
    def of(
        cls,
        settings: GateSettings | PromoteSettings,
        env: Mapping[str, str],
        target: Target,
        file: ComposeFile,
        role: Role,
    ) -> "Ownership":
        """By the settings; `env` is the run's own environment, which says whether a job has a workspace."""
        named = (
            "" if Run.of(env).is_act else name_of(settings.repository or "")
        )  # plain act makes a name up where it has none
        work_tree = WorkTree.around(file.paths[0], settings.workspace if Run.of(env).workspace else None)
        claim = Claim(
            project=target.project,
            service=target.service,
            role=role,
            container=target.container,
            ports=target.ports,
            files=tuple(work_tree.name(str(path)) for path in file.paths),
            env_files=tuple(work_tree.name(str(path)) for path in file.env_files),
            repository=named or work_tree.repository(),
            adopt=settings.exceptions.adopt,
            forbidden=settings.prod_port if isinstance(settings, GateSettings) else None,
            variables=frozenset(target.environment) | frozenset(settings.exceptions.empty),
            missing_env_files=target.missing_env_files,
        )
        return cls(claim=claim, target=target, file=file, work_tree=work_tree)

    def require(self, engine: Engine) -> str:
        """Raises Stale where the target may be somebody else's. A note for people, where `adopt` is not needed."""
        claim, recorded = self.claim, self._read(engine)
        existing = self._find_standing(engine, recorded.deployment.files if recorded else ())
        _refuse(object_to(claim, existing, recorded))
        if not existing:
            _refuse(object_to_lost_variables(claim, recorded))
        if not adopts_needlessly(claim, existing, recorded):
            return ""
        return f"`adopt: {claim.adopt}` is not needed: remove it, because it disables a protection."

    def require_role(self, engine: Engine) -> None:
        """As `require`, by the record alone: after a run that was cut, the containers may be half made."""
        _refuse(object_to(self.claim, (), self._read(engine)))

    def record(
        self, lease: Lease, *, is_as_it_ran: bool = False, image: Image | None = None, revision: str = ""
    ) -> None:
        """Writes down whose the target is, where that is not written yet. Raises LockLost, EngineError.

        `is_as_it_ran`: it is made from the record, and from none of this run's files. `image` is what it gets, of this
        `revision`, where that is known so early: who put it there is written down with it.
        """
        recorded = self._read(lease.engine)
        deployment = deployment_of(self.claim, recorded, is_as_it_ran=is_as_it_ran)
        if image:
            deployment = replace(deployment, image=image.id, revision=revision)
        if recorded is None or recorded.deployment != deployment:
            write_deployment(lease, deployment)

    def _read(self, engine: Engine) -> Recorded | None:
        return read_deployment(engine, self.claim.project, self.claim.service)

    def _find_standing(self, engine: Engine, known: Sequence[str]) -> tuple[ExistingContainer, ...]:
        found = find_existing(
            engine,
            self.target,
            name_files=lambda paths: tuple(self.work_tree.name(path, known) for path in paths),
            is_ours=self._is_ours,
        )
        if not any(differs_in_files(self.claim, one) for one in found):
            return found
        now = configuration_of(self.file, engine.env, self.target)  # which takes Compose 0.1 s
        return tuple(replace(one, is_same_configuration=one.configuration == now != "") for one in found)

    def _is_ours(self, paths: Sequence[str]) -> bool:
        return len(paths) == len(self.file.paths) and all(map(is_same_file, paths, self.file.paths))


def _refuse(objection: Objection | None) -> None:
    if objection:
        raise Stale(objection.message, objection.remedy)


def refuse_borrowed_labels(image: Image) -> str:
    """A note for people on labels of Compose that the image brings; empty where it brings none.

    Raises Refused where Compose would take, and remove, each container that anybody starts from it.
    """
    labels = labels_of_compose(image.labels)
    if appears_from_compose(image.labels):
        raise Refused(
            f"the image {image.id} has labels of Docker Compose ({', '.join(labels)}), as after `docker commit`:"
            " Compose would manage every container of it, and remove it.",
            "Build it on an image that a Dockerfile made, or remove the labels in the Dockerfile: `LABEL"
            ' com.docker.compose.project=""`.',
        )
    if not labels:
        return ""
    return f"The image {image.id} has labels of Docker Compose: {', '.join(labels)}; they count for nothing here."
