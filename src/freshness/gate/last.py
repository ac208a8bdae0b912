"""What is asked last: whether the commit is still the head; then what was proven goes to the registry."""

from freshness.core.check import CheckName, CheckResult
from freshness.core.image import same_tag
from freshness.core.registry_name import Repository
from freshness.core.run import Run
from freshness.gate.work import Work
from freshness.git.resolve_commit import NOT_ASKED, confirm_still_head
from freshness.report.steps import Found
from freshness.target.publish import Way


def confirm_head(work: Work) -> Found[None]:
    """The last check: forges rerun old events, and a head moves while staging is checked."""
    if work.request.settings.head.recheck:
        return Found(value=None, got=confirm_still_head(work.seen.commit.origin, work.seen.commit.candidate))
    if Run.of(work.request.run_env).has_forge:
        work.run.warn("recheck-head", NOT_ASKED)
    else:
        work.run.note(NOT_ASKED)
    return Found(value=None, got="not asked")


def publish(work: Work) -> None:
    """What was proven goes to the registry, each build to its own repository; what was not, goes nowhere."""
    digests: dict[str, str] = {}
    if not all(check.result is CheckResult.PASSED for check in work.run.checks):
        return
    for shared, repository in zip(work.seen.application.builds.shared, work.plan.repositories, strict=False):
        image_id = work.images[shared.services[0]].image.id
        expected = f"{repository} holding {image_id}"
        name = work.run.check(CheckName.REGISTRY, expected, push, work, image_id, repository)
        digests |= dict.fromkeys(shared.services, name)
    work.run.found["digests"] = digests


def push(work: Work, image_id: str, repository: Repository) -> Found[str]:
    settings, commit, lease = work.request.settings, work.plan.commit, next(iter(work.leases.values()))
    seconds, say = settings.registry.timeout, work.run.log.untrusted
    way = Way.to(repository, seconds=seconds, env=work.request.env, say=say)
    is_builds = any(same_tag(tag, f"{repository}:{commit}") for _, tag in work.plan.builds)
    with work.run.log.group(f"Push to {repository}"):
        held = way.publish(lease, image_id, commit=commit, label=settings.source.label, keep_tag=is_builds)
    name = f"{repository}@{held.digest}"
    return Found(value=name, got=name)
