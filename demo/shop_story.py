"""Step 6, an application: three services and a migration of one image, gated, promoted and taken back together."""

import json
import shutil
from collections.abc import Iterator, Mapping

from demo.act import ActRun, run_workflow
from demo.claim import Claim
from demo.engine import ask, containers, revision_of
from demo.places import ROOT, SHOP, SHOP_PORT, SHOP_PROJECT
from demo.repository import Repository
from demo.shown import Shown, failed, shown

CHECKOUT = Repository(folder=SHOP, name="org/shop")
WORKFLOW = ROOT / "demo/shop.yml"
SERVICES = ("web", "worker", "scheduler")
_PROGRAM = SHOP / "shop.py"
WORKER_FAILS = """\
import os
import sys

if sys.argv[1] == "worker" and os.environ["TARGET"] == "production":
    sys.exit("This commit is broken: the worker ends as it starts on production.")
"""


def create() -> None:
    """The shop's repository, of the files in `demo/shop`."""
    shutil.copytree(ROOT / "demo/shop", SHOP, ignore=shutil.ignore_patterns("__pycache__"))
    CHECKOUT.create()


def show() -> Iterator[Shown]:
    """Both rows of the step."""
    yield _application()
    yield _one_service_fails()


def _application() -> Shown:
    """The services run the images that the gate proved, and started when the migration had run."""
    commit = CHECKOUT.head()
    run = run_workflow("6-application", "workflow_dispatch", workflow=WORKFLOW, checkout=SHOP)
    images = _images(run)
    claims = (
        *_gated(run, commit),
        Claim(about="outcome", got=run.output("promote", "outcome"), expected="promoted"),
        Claim(about="the jobs that ran", got=run.results, expected={"gate": "success", "promote": "success"}),
        Claim(about="what runs", got=_runs(), expected={name: images.get(name) for name in SERVICES}),
        Claim(about="port 8510", got=ask(SHOP_PORT, "/"), expected=_answer(commit, migrated=commit)),
    )
    seen = f"all three run {commit[:7]}, by the gate's image IDs, and started after the migration of {commit[:7]}"
    return shown(run, "6 an application", "three services run one commit, after its migration", seen, claims)


def _one_service_fails() -> Shown:
    """A commit whose worker ends on production alone: no service stays on it. What its migration did stays."""
    good, before = CHECKOUT.head(), _runs()
    CHECKOUT.start_branch("worker-fails", "main")
    _PROGRAM.write_text(WORKER_FAILS + _PROGRAM.read_text(encoding="utf-8"), encoding="utf-8")
    broken = CHECKOUT.commit("Break the worker")
    run = run_workflow("6-one-service-fails", "workflow_dispatch", workflow=WORKFLOW, checkout=SHOP)
    claims = (
        Claim(about="services before", got=tuple(before), expected=SERVICES),
        *_gated(run, broken),
        Claim(about="outcome", got=run.output("promote", "outcome"), expected="rolled-back"),
        *failed(run, "promote", 4),
        Claim(about="what runs", got=_runs(), expected=before),
        Claim(about="port 8510", got=ask(SHOP_PORT, "/"), expected=_answer(good, migrated=broken)),
    )
    seen = f"exit 4, rolled back: all three run {good[:7]} again; the migration of {broken[:7]} stays"
    return shown(run, "6 one service fails", "exit 4: all three are taken back", seen, claims)


def _gated(run: ActRun, commit: str) -> tuple[Claim, ...]:
    """The gate is open for an image of this commit, and nothing is left of the project in which that was proven."""
    images = _images(run)
    return (
        Claim(about="gate", got=run.output("gate", "gate"), expected="open"),
        Claim(about="verdict", got=run.output("gate", "verdict"), expected="fresh"),
        Claim(about="revision", got=run.output("gate", "revision"), expected=commit),
        Claim(about="what was gated", got=set(images), expected={*SERVICES, "migrate"}),
        Claim(about="the images' commits", got={revision_of(image) for image in images.values()}, expected={commit}),
        Claim(about="thrown away", got=_throwaway(), expected=[]),
    )


def _images(run: ActRun) -> dict[str, str]:
    """Each service's image ID, as the gate's output has it."""
    found: dict[str, str] = json.loads(run.output("gate", "images") or "{}")
    return found


def _throwaway() -> list[str]:
    return [found.name for found in containers() if found.project.startswith(f"{SHOP_PROJECT}-gate-")]


def _runs() -> dict[str, str]:
    """The image ID of each service of production that runs."""
    ours = {found.service: found for found in containers() if found.project == SHOP_PROJECT and found.is_running}
    return {name: ours[name].image_id for name in SERVICES if name in ours}


def _answer(commit: str, *, migrated: str) -> Mapping[str, object]:
    """What the web server says where all of them are of one commit, and found this migration as they started."""
    return {name: {"revision": commit, "migrated": migrated} for name in SERVICES}
