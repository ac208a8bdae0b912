"""The gate, from top to bottom: is the image on staging provably built from the validated commit?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from freshness.ci.log import Log
from freshness.core.check import CheckResult
from freshness.core.compose import Target, Wanted, publishers_of
from freshness.core.deployment import Role
from freshness.core.fork import refuse_fork
from freshness.core.image import Image
from freshness.core.lock import service_lock
from freshness.core.moved import find_moved
from freshness.core.promotion import not_compared
from freshness.core.revision import Candidate, Revision
from freshness.core.runner import has_forge
from freshness.core.secret import Secret
from freshness.core.variables import explain_emptied, find_emptied
from freshness.core.verdict import Verdict
from freshness.engine.base import build_base
from freshness.engine.build import Build, build_image, locate
from freshness.engine.builds import prune_builds
from freshness.engine.client import Engine, connect
from freshness.engine.compose import (
    RECREATE_SECONDS,
    ComposeFile,
    missing_dependencies,
    read_service,
    recreate,
)
from freshness.engine.conflicts import refuse_conflicts
from freshness.engine.containers import Container, find_container, how_it_changed, service_containers
from freshness.engine.health import require_health_source, require_probeable, settle_health, wait_until_healthy
from freshness.engine.hold_time import wait_hold_time
from freshness.engine.images import find_image, tag_image
from freshness.engine.leftovers import keep_one_container
from freshness.engine.lock import Lease, Lock
from freshness.engine.lock_owner import new_lock
from freshness.engine.probe_address import find_prober
from freshness.engine.staging_check import run_staging_check
from freshness.errors import EngineError, LockLost, SettingsError, Stale
from freshness.gate.incomplete import IncompletePaths, find_incomplete
from freshness.git.export import export_tree, refuse_incomplete
from freshness.git.resolve_commit import (
    NOT_ASKED,
    GitSource,
    confirm_still_head,
    find_checkout,
    forge_address,
    permitted_revision,
    resolve_candidate,
)
from freshness.git.uncommitted import in_words, uncommitted_paths
from freshness.process.private_folder import private_folder
from freshness.report.container_log import show_container_log
from freshness.report.dry_run import gate_ahead
from freshness.report.steps import Steps
from freshness.settings.model import GateSettings, Incomplete, ScriptCheck
from freshness.target.mounts import MountCheck, Overlay, find_tracked
from freshness.target.moved import refuse_moved
from freshness.target.ownership import Ownership, refuse_borrowed_labels

LOOK_AT_STAGING = "Look at the log above and at the staging container, which stays for that; then push a correction."


@dataclass(slots=True, kw_only=True)
class Gate:
    """One run of the gate. What is not yet known is None; `staging` says in words what state staging is in.

    `moved` are staging's containers with a bind mount that would have another source.

    `run_env` is the run's own environment, `env` what our children inherit of it.
    """

    settings: GateSettings
    run_env: Mapping[str, str]
    env: Mapping[str, str]
    log: Log
    steps: Steps = field(default_factory=Steps)
    candidate: Candidate | None = None
    revision: Revision | None = None
    compose_file: ComposeFile | None = None
    target: Target | None = None
    config: dict[str, Any] = field(default_factory=dict)
    overlay: Overlay = field(default_factory=Overlay)
    engine: Engine | None = None
    image: Image | None = None
    container: Container | None = None
    moved: list[Container] = field(default_factory=list)
    staging: str = "Staging was not touched: it runs what it ran before."
    notes: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Runs the checks in order; `steps` holds how each ended. Raises the FreshnessError that ended the run."""
        with private_folder(self.env) as folder:
            origin, candidate, revision = self._validate_commit(folder)
            target = self._read_service()
            incomplete = self._export(origin, revision, folder / "context")
            engine = self._look_for_owners(target)
            self._look_at_ignored(engine, incomplete)
            build, image = self._build(engine, target, revision, folder / "context")
            self._look_at_mounts(engine, build, image)
            with self._take_staging(engine, target, revision) as lease:
                container = self._recreate(lease, target, image)
                if self._is_healthy(engine, target, container):
                    self._check_staging(engine, target, container, revision)
                self._is_same_container(engine, container)
                self._lasts(engine, target, container)
                self._is_still_head(origin, candidate)

    def look_ahead(self) -> Iterator[str]:
        """All refusals that come before the build, and then what `run` would do. Raises FreshnessError."""
        with private_folder(self.env) as folder:
            origin, _candidate, revision = self._validate_commit(folder)
            target = self._read_service()
            incomplete = self._export(origin, revision, folder / "context")
            locate(folder / "context", self.settings.context, self.settings.file)
            engine = self._look_for_owners(target, wait=False)
            self._look_at_ignored(engine, incomplete)
            yield from gate_ahead(target, revision, self.settings, self._lock(engine, target, revision).look())

    def _validate_commit(self, folder: Path) -> tuple[GitSource, Candidate, Revision]:
        settings = self.settings
        with self.steps.step("commit", "a commit of this repository") as step:
            self.candidate, references = resolve_candidate(
                self.run_env,
                revision=settings.revision,
                pr=settings.pr,
                recheck_head=settings.recheck_head,
                address=forge_address(settings, self.run_env),
                checkout=find_checkout(settings),
            )
            self.log.say(self.candidate.note)
            refuse_fork(
                self.candidate, allowed=settings.allow_forks, allowed_with_secrets=settings.allow_forks_with_secrets
            )
            origin = GitSource.find(settings, self.run_env, folder)
            self.revision = permitted_revision(origin, settings, self.candidate, references, self.run_env)
            step.got = f"{self.revision.commit} (tree {self.revision.tree}), from {self.revision.source}"
        self._note_uncommitted(origin)
        return origin, self.candidate, self.revision

    def _note_uncommitted(self, origin: GitSource) -> None:
        """For a person at a work tree; a job's holds what its earlier steps made."""
        if has_forge(self.run_env) or self.run_env.get("GITHUB_ACTIONS"):
            return
        paths = uncommitted_paths(origin.repository)
        if paths is None:
            self.log.say("Whether the work tree has uncommitted changes could not be told in time.")
        elif paths:
            self.notes.append(in_words(paths))
            self.log.warning("Uncommitted changes", self.notes[-1])

    def _is_still_head(self, origin: GitSource, candidate: Candidate) -> None:
        """The last check: forges rerun old events, and a head moves while staging is checked."""
        with self.steps.step("head", "this commit as the pull request's head, still") as step:
            if self.settings.recheck_head:
                step.got = confirm_still_head(origin, candidate)
                return
            step.got = "not asked"
            self.notes.append(NOT_ASKED)
            self.log.warning("recheck-head", NOT_ASKED)

    def _read_service(self) -> Target:
        wanted = Wanted(
            service=self.settings.service,
            port=self.settings.port,
            is_port_given=self.settings.given_port is not None,
            asks_path=self.settings.health.asked.startswith("/"),
            image=self.settings.image,
            container=self.settings.container,
            prod_port=self.settings.prod_port,
            accepted=self.settings.accept_dependencies,
        )
        with self.steps.step("service", "a service that shares nothing with another") as step:
            file = self._find_compose_file()
            self.config, self.target = read_service(file, self.env, wanted, self.settings.allow_empty, self._overlay)
            health = settle_health(
                self.settings.health, self.target, is_port_given=self.settings.given_port is not None
            )
            self.settings = replace(self.settings, health=health)
            self.notes += [health.note] if health.note else []
            step.got = f"{self.target.service} of the project {self.target.project}, {self.target.place}"
        return self.target

    def _overlay(self, config: Mapping[str, Any]) -> tuple[str, ...]:
        """Takes down what lies over the image, and returns why that may not be, as far as no Engine is needed."""
        self.overlay = Overlay.of(config, self.settings.service, self.settings.allow_mounts)
        problems, notes = find_tracked(self.overlay, self.settings.workspace)
        self.notes += notes
        return problems

    def _find_compose_file(self) -> ComposeFile:
        """The same files in the whole run, as they were found first."""
        self.compose_file = self.compose_file or ComposeFile.of(self.settings, self.env)
        return self.compose_file

    def _export(self, origin: GitSource, revision: Revision, folder: Path) -> IncompletePaths:
        settings = self.settings
        with self.steps.step("build context", "the commit's tree, every object verified") as step:
            exported = export_tree(origin.repository, revision, folder, allow_incomplete=True)
            incomplete = find_incomplete(exported, folder, settings.context, settings.file)
            if not incomplete.names:
                self._refuse_incomplete(incomplete.printable)
            step.got = f"{exported.files} files, {exported.size} bytes"
        return incomplete

    def _look_at_ignored(self, engine: Engine, incomplete: IncompletePaths) -> None:
        """What `.dockerignore` leaves out need not be complete."""
        if not incomplete.names:
            return
        with self.steps.step("ignored files", "no submodule and no Git LFS pointer that reaches the build") as step:
            reaching = incomplete.reaching(engine)
            self._refuse_incomplete(reaching)
            step.got = f"{len(incomplete.names) - len(reaching)} left out by .dockerignore"

    def _refuse_incomplete(self, paths: list[str]) -> None:
        if paths and self.settings.incomplete is Incomplete.REFUSE:
            raise refuse_incomplete(paths)
        self.notes += [f"Incomplete in the build context, as `incomplete: allow` permits: {path}" for path in paths]

    def _look_for_owners(self, target: Target, *, wait: bool = True) -> Engine:
        with self.steps.step("owner", "a name and a port that are free or staging's own") as step:
            self.engine = connect(self.env, self.settings.engine_timeout)
            lock = self._lock(self.engine, target, None)
            try:
                note = self._refuse_foreign(self.engine, target)
            except Stale:
                # What is in the way may be another gate at work.
                if not wait or not lock.look():
                    raise
                lock.take(self.settings.lock_timeout).release()
                note = self._refuse_foreign(self.engine, target)
            self._note("adopt", note)
            self._refuse_loss(self.engine, target)
            step.got = f"the Engine {self.engine.id} has nothing in the way"
        return self.engine

    def _refuse_loss(self, engine: Engine, target: Target) -> None:
        """Raises where staging would go on without values or files that it has; a look at files needs an image."""
        for container in service_containers(engine, target.project, target.service):
            emptied = find_emptied(target.environment, container.environment, self.settings.allow_empty)
            if emptied:
                raise SettingsError(*explain_emptied(f"The container {container.name}", emptied))
            if find_moved(self.overlay.mounts, container.binds):
                self.moved.append(container)
                image = find_image(engine, container.image_id)
                if image:
                    self._refuse_moved(engine, image)

    def _refuse_moved(self, engine: Engine, image: Image) -> None:
        for container in self.moved:
            refuse_moved(
                engine,
                image.id,
                self.overlay.mounts,
                what=f"staging's container {container.name}",
                before=container.binds,
                file=self._find_compose_file(),
            )

    def _refuse_foreign(self, engine: Engine, target: Target) -> str:
        """What is to be noted. Raises Stale where something stands at the target that is not staging's."""
        prober = find_prober(engine, self.env)
        require_probeable(engine, self.settings.health, target, prober)
        note = self._ownership(target).require(engine)
        refuse_conflicts(engine, target, prober)
        return note

    def _note(self, title: str, note: str) -> None:
        if note:
            self.notes.append(note)
            self.log.warning(title, note)

    def _ownership(self, target: Target) -> Ownership:
        return Ownership.of(self.settings, self.run_env, target, self._find_compose_file(), Role.STAGING)

    def _lock(self, engine: Engine, target: Target, revision: Revision | None) -> Lock:
        settings = self.settings
        return new_lock(
            engine,
            service_lock(target.project, target.service),
            command="freshness gate",
            revision=revision.commit if revision else None,
            seconds=RECREATE_SECONDS + settings.health.deadline + settings.check_timeout + settings.health.hold + 60,
            env=self.run_env,
            say=self.log.say,
        )

    def _take_staging(self, engine: Engine, target: Target, revision: Revision) -> Lease:
        """One gate at a time: from the recreation to the last look staging is this run's alone."""
        with self.steps.step("lock", "staging for this run alone") as step:
            lease = self._lock(engine, target, revision).take(self.settings.lock_timeout)
            step.got = f"{lease.name} is ours"
        return lease

    def _build(self, engine: Engine, target: Target, revision: Revision, folder: Path) -> tuple[Build, Image]:
        settings = self.settings
        with self.steps.step("build", f"an image labelled {revision.commit}") as step, self.log.group("Build"):
            context, dockerfile = locate(folder, settings.context, settings.file)
            build = Build(
                context=context,
                subfolder=settings.context,
                dockerfile=dockerfile,
                commit=revision.commit,
                label=settings.revision_label,
                tag=f"{target.repository}:{revision.commit}",
                arguments=settings.build_args,
                secrets=tuple(secret.argument for secret in settings.secrets),
                variables={
                    secret.carrier: Secret(self.run_env[secret.env]) for secret in settings.secrets if secret.env
                },
                stage=settings.target,
                timeout=settings.build_timeout,
            )
            self.image = build_image(engine, build, self.log.untrusted)
            self._note("Labels of Compose", refuse_borrowed_labels(self.image))
            step.got = f"{self.image.id}, labelled {revision.commit}"
        return build, self.image

    def _look_at_mounts(self, engine: Engine, build: Build, image: Image) -> None:
        """What Compose lays over the image, and what production would: of that the promotion decides."""
        config, allowed = self.config, self.settings.allow_mounts
        base = lru_cache(maxsize=1)(lambda: build_base(engine, build, image.id))
        with self.steps.step("mounts", "no mount that hides what was built") as step:
            elsewhere = not engine.is_local or find_prober(engine, self.env).job is not None
            cover = MountCheck(
                engine=engine, image_id=image.id, overlay=self.overlay, find_base=base, is_elsewhere=elsewhere
            )
            cover.require_uncovered()
            self._refuse_moved(engine, image)
            step.got = cover.summary
        self.notes += cover.notes
        production = publishers_of(config, self.settings.prod_port)
        for name in production or (self.settings.service,):
            other = MountCheck(
                engine=engine, image_id=image.id, overlay=Overlay.of(config, name, allowed), find_base=base
            )
            warnings = [*other.unmounted_volumes(), *(other.problems() if name in production else ())]
            for warning in warnings:
                self.notes.append(f"Before production runs this image: {warning}")
                self.log.warning("Production's mounts", self.notes[-1])

    def _recreate(self, lease: Lease, target: Target, image: Image) -> Container:
        with self.steps.step("recreation", f"a container that runs {image.id}") as step:
            require_health_source(self.settings.health, target, image)
            self._ownership(target).require(lease.engine)  # again: nobody but us may change it from here on
            self._ownership(target).record(lease)
            tag_image(lease, image.id, target.image)
            keep_one_container(lease, target, image.id)
            self.staging = (
                "Compose was recreating staging, and comes to its end by itself; look with `freshness status`."
            )
            before = {one.id for one in service_containers(lease.engine, target.project, target.service)}
            force = self.settings.force_recreate
            self.container = recreate(lease, self._find_compose_file(), target, force=force, keeping=image.id)
            self.staging = (
                f"Staging runs {self.container.image_id} in the container {self.container.name}; it was not proven."
            )
            if self.container.image_id != image.id:
                raise Stale(
                    f"the container {self.container.name} runs {self.container.image_id}.",
                    "Something else moved staging's tag or recreated it: find it, then run again.",
                )
            step.got = f"the container {self.container.name} ({self.container.short_id}) runs it"
            left = not_compared(target.contents) if self.container.id in before else ""
            self.notes += [f"Staging was not recreated.{left}"] if left else []
        for name in missing_dependencies(lease.engine, target):
            self.notes.append(f"{target.service} depends on {name}, which does not run; it is never started here.")
            self.log.warning("Dependency not running", self.notes[-1])
        self._let_builds_go(lease, target, image)
        return self.container

    def _let_builds_go(self, lease: Lease, target: Target, image: Image) -> None:
        """Housekeeping: what fails here says nothing about staging, but for a lock that is lost."""
        label, keep = self.settings.revision_label, self.settings.keep_builds
        try:
            for note in prune_builds(lease, target.repository, label=label, current=image.id, keep=keep):
                self.notes.append(note)
        except LockLost:
            raise
        except EngineError as error:
            self.notes.append(f"Older builds were not let go. {error}")

    def _is_healthy(self, engine: Engine, target: Target, container: Container) -> bool:
        health = self.settings.health
        asked = health.wanted
        with self.steps.step("health", f"{asked} within {health.deadline:g} s") as step:
            self.log.say(f"Waiting for {asked} from {target.service}, up to {health.deadline:g} s.")
            prober = find_prober(engine, self.env)
            result = wait_until_healthy(engine, target, container, health, prober)
            step.got = result.got
            if not result.ok:
                show_container_log(self.log, engine, container)
                step.fail(Verdict.UNHEALTHY, result.got, LOOK_AT_STAGING)
        return result.ok

    def _check_staging(self, engine: Engine, target: Target, container: Container, revision: Revision) -> None:
        base_url = f"http://localhost:{target.container_port}" if target.container_port else ""
        command = self._check_command(base_url)
        timeout = self.settings.check_timeout
        with (
            self.steps.step("staging check", f"exit status 0 within {timeout:g} s") as step,
            self.log.group("Staging check"),
        ):
            variables = {"BASE_URL": base_url, "GIT_SHA": revision.commit, "PYTHONUNBUFFERED": "1"}
            ran = run_staging_check(engine, container, command, variables, timeout, self.log.untrusted)
            step.got = ran.got
            if ran.status != 0:
                step.fail(Verdict.CHECK_FAILED, ran.got, f"{ran.remedy} {LOOK_AT_STAGING}".strip())

    def _check_command(self, base_url: str) -> tuple[str, ...]:
        check = self.settings.check
        if isinstance(check, ScriptCheck):
            return ("python3", check.path, "--mode", check.mode, "--base-url", base_url)
        return check.argv

    def _is_same_container(self, engine: Engine, before: Container) -> None:
        with self.steps.step("same container", f"{before.short_id}, still running {before.image_id}") as step:
            changed = how_it_changed(before, find_container(engine, before.id))
            step.got = f"{before.short_id}, running since {before.started_at}"
            if changed:
                step.fail(Verdict.STALE, changed.got, changed.remedy)

    def _lasts(self, engine: Engine, target: Target, container: Container) -> None:
        """The last look at staging: the check has taken its time, and most of the hold time with it."""
        if any(check.result is not CheckResult.PASSED for check in self.steps.checks):
            return
        health = self.settings.health
        with self.steps.step("hold", f"{container.short_id} healthy still, having run for {health.hold:g} s") as step:
            result = wait_hold_time(engine, target, container, health, find_prober(engine, self.env))
            step.got = result.got
            if not result.ok:
                show_container_log(self.log, engine, container)
                step.fail(Verdict.UNHEALTHY, result.got, LOOK_AT_STAGING)
