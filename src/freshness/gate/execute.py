"""Executes a gate's plan: builds, then staging is this run's alone until it was recreated, proven, and seen to last."""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache

from freshness.core.check import CheckName, CheckResult
from freshness.core.compose import Target, publishers_of
from freshness.core.image import Image
from freshness.core.promotion import not_compared
from freshness.core.secret import Secret
from freshness.core.verdict import Verdict
from freshness.engine.base import build_base
from freshness.engine.build import Build, build_image, locate
from freshness.engine.builds import prune_builds
from freshness.engine.compose import missing_dependencies, recreate
from freshness.engine.containers import Container, find_container, how_it_changed, service_containers
from freshness.engine.health import HealthResult, require_health_source, wait_until_healthy
from freshness.engine.hold_time import wait_hold_time
from freshness.engine.images import tag_image
from freshness.engine.leftovers import keep_one_container
from freshness.engine.lock import Lease
from freshness.engine.staging_check import run_staging_check
from freshness.errors import EngineError, LockLost, Stale
from freshness.gate.observe import Observed, lock_of, ownership_of, refuse_moved_files
from freshness.gate.plan import Plan
from freshness.gate.request import Request
from freshness.git.resolve_commit import NOT_ASKED, confirm_still_head
from freshness.report.container_log import show_container_log
from freshness.report.run_log import RunLog
from freshness.report.steps import Found
from freshness.settings.model import ScriptCheck
from freshness.target.mounts import MountCheck, Overlay
from freshness.target.ownership import refuse_borrowed_labels


def execute(plan: Plan, request: Request, seen: Observed, until_built: ExitStack, run: RunLog) -> None:
    """Closes `until_built` once nothing more is read of the build context.

    Raises the FreshnessError that ended the run; the run's checks say how each operation ended.
    """
    work = _Work(plan=plan, request=request, seen=seen, run=run)
    for note in request.forge.tell_beginning(seen.commit.candidate):
        run.warn("The forge was not told", note)
    build, image = run.check(CheckName.BUILD, f"an image labelled {plan.commit}", work.build)
    run.check(CheckName.MOUNTS, "no mount that hides what was built", work.look_at_mounts, build, image)
    until_built.close()
    with ExitStack() as stack:
        leases = [
            run.check(CheckName.LOCK, "staging for this run alone", work.take, one, stack) for one in plan.services
        ]
        expected = f"a container that runs {image.id}"
        containers = [
            run.check(CheckName.RECREATION, expected, work.recreate, lease, target, image)
            for lease, target in zip(leases, plan.services, strict=True)
        ]
        for target, container in zip(plan.services, containers, strict=True):
            work.prove(target, container)
        run.check(CheckName.HEAD, "this commit as the pull request's head, still", work.confirm_head)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What every operation of one gate works with."""

    plan: Plan
    request: Request
    seen: Observed
    run: RunLog

    def build(self) -> Found[tuple[Build, Image]]:
        asked, (target, *_) = self.request.settings.build, self.plan.services
        context, dockerfile = locate(self.seen.context.folder, asked.context, asked.file)
        build = Build(
            name=self.seen.context.name,
            keepalive_fds=self.seen.context.keepalive_fds,
            context=context,
            subfolder=asked.context,
            dockerfile=dockerfile,
            commit=self.plan.commit,
            label=self.request.settings.revision_label,
            tag=f"{target.repository}:{self.plan.commit}",
            arguments=asked.arguments,
            secrets=tuple(secret.argument for secret in asked.secrets),
            variables={
                secret.carrier: Secret(self.request.run_env[secret.env]) for secret in asked.secrets if secret.env
            },
            stage=asked.target,
            timeout=asked.timeout,
        )
        with self.run.log.group("Build"):
            image = build_image(self.seen.host.engine, build, self.run.log.untrusted)
        self.run.found["image_id"] = image.id
        self.run.warn("Labels of Compose", refuse_borrowed_labels(image))
        return Found(value=(build, image), got=f"{image.id}, labelled {self.plan.commit}")

    def look_at_mounts(self, build: Build, image: Image) -> Found[None]:
        """What Compose lays over the image, and what production would: of that the promotion decides."""
        host, application = self.seen.host, self.seen.application
        base = lru_cache(maxsize=1)(lambda: build_base(host.engine, build, image.id))
        is_elsewhere = not host.engine.is_local or host.prober.job is not None
        cover = MountCheck(
            engine=host.engine,
            image_id=image.id,
            overlay=application.overlay,
            find_base=base,
            is_elsewhere=is_elsewhere,
        )
        cover.require_uncovered()
        for container in host.moved:
            refuse_moved_files(host.engine, image.id, application, container)
        self.run.note(*cover.notes)
        self._warn_of_production(replace(cover, notes=[]))
        return Found(value=None, got=cover.summary)

    def _warn_of_production(self, staging: MountCheck) -> None:
        settings, config = self.request.settings, self.seen.application.config
        production = publishers_of(config, settings.prod_port)
        for name in production or (settings.service,):
            cover = replace(staging, overlay=Overlay.of(config, name, settings.allow_mounts))
            for warning in [*cover.unmounted_volumes(), *(cover.problems() if name in production else ())]:
                self.run.warn("Production's mounts", f"Before production runs this image: {warning}")

    def take(self, target: Target, until: ExitStack) -> Found[Lease]:
        """One gate at a time: from the recreation to the last look staging is this run's alone."""
        lock = lock_of(self.request, self.seen.host.engine, target, self.seen.commit.revision, self.run)
        lease = until.enter_context(lock.take(self.request.settings.lock_timeout))
        return Found(value=lease, got=f"{lease.name} is ours")

    def recreate(self, lease: Lease, target: Target, image: Image) -> Found[Container]:
        require_health_source(self.plan.health, target, image)
        ownership = ownership_of(self.request, self.seen.application, target)
        ownership.require(lease.engine)  # again: nobody but us may change it from here on
        ownership.record(lease)
        tag_image(lease, image.id, target.image)
        keep_one_container(lease, target, image.id)
        before = {one.id for one in service_containers(lease.engine, target.project, target.service)}
        container = recreate(lease, self.seen.application.file, target, force=self.plan.force, keeping=image.id)
        self.run.found["container"] = {"name": container.name, "id": container.id, "image_id": container.image_id}
        if container.image_id != image.id:
            raise Stale(
                f"the container {container.name} runs {container.image_id}.",
                "Something else moved staging's tag or recreated it: find it, then run again.",
            )
        left = not_compared(target.contents) if container.id in before else ""
        self.run.note(*([f"Staging was not recreated.{left}"] if left else ()))
        for name in missing_dependencies(lease.engine, target):
            text = f"{target.service} depends on {name}, which does not run; it is never started here."
            self.run.warn("Dependency not running", text)
        self._prune_builds(lease, target, image)
        return Found(value=container, got=f"the container {container.name} ({container.short_id}) runs it")

    def _prune_builds(self, lease: Lease, target: Target, image: Image) -> None:
        """Housekeeping: what fails here says nothing about staging, but for a lock that is lost."""
        label, keep = self.request.settings.revision_label, self.request.settings.build.keep
        try:
            self.run.note(*prune_builds(lease, target.repository, label=label, current=image.id, keep=keep))
        except LockLost:
            raise
        except EngineError as error:
            self.run.note(f"Older builds were not let go. {error}")

    def prove(self, target: Target, container: Container) -> None:
        """Health, the staging check, and that the container is the same and lasts; these may fail as values."""
        run, plan, id_ = self.run, self.plan, container.short_id
        expected = f"{plan.health.wanted} within {plan.health.deadline:g} s"
        if run.check(CheckName.HEALTH, expected, self.wait_for_health, target, container):
            expected = f"exit status 0 within {plan.check_timeout:g} s"
            run.check(CheckName.STAGING_CHECK, expected, self.check_staging, target, container)
        expected = f"{id_}, still running {container.image_id}"
        run.check(CheckName.SAME_CONTAINER, expected, self.find_changes, container)
        if all(check.result is CheckResult.PASSED for check in run.checks):  # the check has taken most of the hold time
            expected = f"{id_} healthy still, having run for {plan.health.hold:g} s"
            run.check(CheckName.HOLD, expected, self.hold_out, target, container)

    def wait_for_health(self, target: Target, container: Container) -> Found[bool]:
        health, host = self.plan.health, self.seen.host
        self.run.log.say(f"Waiting for {self.plan.health.wanted} from {target.service}, up to {health.deadline:g} s.")
        seen = self.run.log.seen
        return self._healthy(container, wait_until_healthy(host.engine, target, container, health, host.prober, seen))

    def hold_out(self, target: Target, container: Container) -> Found[bool]:
        health, host = self.plan.health, self.seen.host
        return self._healthy(container, wait_hold_time(host.engine, target, container, health, host.prober))

    def _healthy(self, container: Container, result: HealthResult) -> Found[bool]:
        if result.ok:
            return Found(value=True, got=result.got)
        show_container_log(self.run.log, self.seen.host.engine, container)
        return Found(value=False, got=result.got, verdict=Verdict.UNHEALTHY, remedy=_where_to_look(container))

    def check_staging(self, target: Target, container: Container) -> Found[None]:
        base_url = f"http://localhost:{target.container_port}" if target.container_port else ""
        variables = {"BASE_URL": base_url, "GIT_SHA": self.plan.commit, "PYTHONUNBUFFERED": "1"}
        command, timeout = self._check_command(base_url), self.plan.check_timeout
        with self.run.log.group("Staging check"):
            engine, line = self.seen.host.engine, self.run.log.untrusted
            ran = run_staging_check(engine, container, command, variables, timeout, line)
        if ran.status == 0:
            return Found(value=None, got=ran.got)
        remedy = f"{ran.remedy} {_where_to_look(container)}".strip()
        return Found(value=None, got=ran.got, verdict=Verdict.CHECK_FAILED, remedy=remedy)

    def _check_command(self, base_url: str) -> tuple[str, ...]:
        check = self.request.settings.check
        if isinstance(check, ScriptCheck):
            return ("python3", check.path, "--mode", check.mode, "--base-url", base_url)
        return check.argv

    def find_changes(self, before: Container) -> Found[None]:
        changed = how_it_changed(before, find_container(self.seen.host.engine, before.id))
        if changed:
            return Found(value=None, got=changed.got, verdict=Verdict.STALE, remedy=changed.remedy)
        return Found(value=None, got=f"{before.short_id}, running since {before.started_at}")

    def confirm_head(self) -> Found[None]:
        """The last check: forges rerun old events, and a head moves while staging is checked."""
        if self.request.settings.recheck_head:
            return Found(value=None, got=confirm_still_head(self.seen.commit.origin, self.seen.commit.candidate))
        self.run.warn("recheck-head", NOT_ASKED)
        return Found(value=None, got="not asked")


def _where_to_look(container: Container) -> str:
    return (
        "Look at the log above and at the container, which stays for that, then push a correction:"
        f" `docker logs {container.name}`."
    )
