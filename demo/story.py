"""The five things that the demo shows, each judged by containers, image IDs and answers, not by what was printed."""

import json
from collections.abc import Iterator

from demo import scratch
from demo.act import run_workflow
from demo.claim import Claim
from demo.command import text
from demo.engine import Serving, files_in, image_id, revision_of, serving
from demo.places import FOLDER, IMAGES, PRODUCTION, ROOT, STAGING
from demo.shown import Shown, failed, gated, promoted, shown
from demo.watch import Watch

BY_TAG = ROOT / "demo/promote_by_tag.yml"


def pull_request_gated() -> Iterator[Shown]:
    """The image holds the head's bytes, although HEAD, GITHUB_SHA and the work tree say something else."""
    head = scratch.check_out_pull_request()
    event = FOLDER / "pull-request.json"
    event.write_text(json.dumps(scratch.pull_request_event(head)), encoding="utf-8")
    run = run_workflow("1-pull-request", "pull_request", "--eventpath", str(event))
    staging = serving(STAGING)
    expected = scratch.files_at(head, "src", "scripts/staging_check.py")
    held = files_in(staging.container, "/app") if staging.container else {}
    claims = (
        Claim(about="parents of HEAD", got=len(scratch.parents("HEAD")), expected=2),
        Claim(about="HEAD is the head", got=scratch.commit_of("HEAD") == head, expected=False),
        Claim(about="the work tree has", got=scratch.work_tree_marks(), expected={"M", "??"}),
        *gated(run, head, staging),
        Claim(about="files that differ", got=_differences(held, expected), expected=set()),
        Claim(about="the jobs that ran", got=run.results, expected={"gate": "success"}),
        Claim(about="production", got=serving(PRODUCTION), expected=Serving()),
    )
    yield shown(
        run,
        "1 pull request gated",
        "gate open; the image holds the head, not the merge commit or the work tree",
        f"gate open; all {len(held)} files in the container are those of the head {head[:7]}",
        claims,
    )


def dispatch_promotes() -> Iterator[Shown]:
    """The image that production runs is, by its ID, the one that the gate proved."""
    head = scratch.commit_of("pull-request")
    scratch.check_out_main()
    run = run_workflow("2-dispatch", "workflow_dispatch", "--input", f"revision={head}")
    production = serving(PRODUCTION)
    claims = (*gated(run, head, serving(STAGING)), *promoted(run, head, production))
    yield shown(
        run,
        "2 dispatch promotes it",
        "production runs the image that staging proved",
        f"both run image {_short(production.image_id)}; 8500 answers {head[:7]}",
        claims,
    )


def moved_tag() -> Iterator[Shown]:
    """Another build takes staging's tag after the gate: the ID still ships what was proven, the tag is refused."""
    change, rival = scratch.check_out_change(), scratch.commit_rival()
    before = serving(PRODUCTION)
    meanwhile: list[Serving] = []

    def build_rival() -> None:
        _build(rival, IMAGES[STAGING])
        meanwhile.append(serving(PRODUCTION))

    run = run_workflow("3-moved-tag", "workflow_dispatch", once_gated=build_rival)
    tag, production = image_id(IMAGES[STAGING]), serving(PRODUCTION)
    claims = (
        Claim(about="gate", got=run.output("gate", "gate"), expected="open"),
        Claim(about="production while the tag moved", got=meanwhile, expected=[before]),
        Claim(about="the tag's commit", got=revision_of(tag), expected=rival),
        Claim(about="the tag is the gated image", got=tag == run.output("gate", "image-id"), expected=False),
        *promoted(run, change, production),
    )
    yield shown(
        run,
        "3 staging's tag moved, by ID",
        "promoting the gate's image ID ships the proven image",
        f"the tag says {rival[:7]}, production runs the proven {change[:7]}",
        claims,
    )
    yield from _by_tag(change, rival)


def _by_tag(change: str, rival: str) -> Iterator[Shown]:
    before = serving(PRODUCTION)
    run = run_workflow("3-by-tag", "workflow_dispatch", "--input", f"expected-revision={change}", workflow=BY_TAG)
    claims = (
        Claim(about="the tag's commit", got=revision_of(IMAGES[STAGING]), expected=rival),
        Claim(about="outcome", got=run.output("promote", "outcome"), expected="refused"),
        *failed(run, "promote", 1),
        Claim(about="production", got=serving(PRODUCTION), expected=before),
    )
    yield shown(
        run,
        "3 staging's tag moved, by tag",
        "promoting the tag is refused",
        f"refused; production still runs {change[:7]}",
        claims,
    )


def never_healthy() -> Iterator[Shown]:
    """A commit whose board never answers closes the gate, and production does not notice."""
    before = serving(PRODUCTION)
    broken = scratch.check_out_never_starting()
    run = run_workflow("4-never-healthy", "workflow_dispatch")
    claims = (
        Claim(about="gate", got=run.output("gate", "gate"), expected="closed"),
        Claim(about="verdict", got=run.output("gate", "verdict"), expected="unhealthy"),
        Claim(about="revision", got=run.output("gate", "revision"), expected=broken),
        *failed(run, "gate", 1),
        Claim(about="production", got=serving(PRODUCTION), expected=before),
    )
    yield shown(
        run,
        "4 never gets healthy",
        "gate closed, production untouched",
        f"gate closed (unhealthy); same container on 8500, it answers {before.revision[:7]}",
        claims,
    )


def fails_on_production() -> Iterator[Shown]:
    """A commit that is fine on staging and fails on production: the previous revision answers again."""
    before = serving(PRODUCTION)
    broken = scratch.check_out_failing_on_production()
    with Watch() as watch:
        run = run_workflow("5-fails-on-production", "workflow_dispatch")
    after = serving(PRODUCTION)
    claims = (
        *gated(run, broken, serving(STAGING)),
        Claim(about="outcome", got=run.output("promote", "outcome"), expected="rolled-back"),
        *failed(run, "promote", 4),
        Claim(about="production's image", got=after.image_id, expected=before.image_id),
        Claim(about="production's answer", got=after.revision, expected=before.revision),
        Claim(about="all answers meanwhile", got=watch.answers, expected={before.revision}),
    )
    yield shown(
        run,
        "5 fails on production only",
        "exit 4: rolled back, the previous revision answers again",
        f"exit 4, rolled back; {after.revision[:7]} answers again, after {watch.gap:.1f} s without an answer",
        claims,
    )


def _build(commit: str, tag: str) -> None:
    """A build as anybody may start one, by hand or by another job, labelled with its own commit as it should be."""
    folder = FOLDER / "rival"
    scratch.write_files(commit, folder)
    text("docker", "buildx", "build", "--load", "--tag", tag, "--build-arg", f"GIT_SHA={commit}", str(folder))


def _differences(held: dict[str, bytes], expected: dict[str, bytes]) -> set[str]:
    return {name for name in held.keys() | expected.keys() if held.get(name) != expected.get(name)}


def _short(image: str) -> str:
    return image.removeprefix("sha256:")[:12]
