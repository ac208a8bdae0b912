"""The command `deploy`: the gate of a commit that a person names, and its promotion where the gate opened."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from freshness.ci.outputs import Outputs
from freshness.cli.gate import run_gate
from freshness.cli.opening import Given, open_run, output_file
from freshness.cli.promote import run_promotion
from freshness.core.hexid import is_full_id
from freshness.core.image import repository_of
from freshness.core.promotion import PromotionOutcome
from freshness.core.quoting import quoted
from freshness.core.run import Run
from freshness.core.verdict import Verdict
from freshness.errors import Refused, SettingsError
from freshness.settings.model import PromoteSettings
from freshness.settings.read import read_gate, read_promote

if TYPE_CHECKING:
    from freshness.gate.request import Result

Texts = Mapping[str, str]


def deploy(name: str, given: Given, env: Texts, env_file: Texts, *, dry_run: bool) -> int:
    """Both halves with their own settings; the exit status is that of the half that failed.

    What is wrong with the name, or with the settings of either, is said before staging is touched.
    """
    closed = Outputs(path=output_file(env), decisive="outcome", closed=PromotionOutcome.ERROR.value)
    Outputs(path=output_file(env)).close_gate()
    log = open_run("freshness deploy", env, closed).log
    commit, subject = _find(name, given, env, env_file)
    promoted = {**given, "expected_revision": commit}
    settings = read_promote(promoted, env, env_file)
    if settings.registry.tag and read_gate({**given, "revision": commit}, env, env_file).registry.repository is None:
        raise SettingsError(
            "`registry-tag` (REGISTRY_TAG) is set, and `registry` (REGISTRY) is empty; expected where to publish.",
            "Give both, or take `registry-tag` out.",
        )
    log.say(f"Deploying {name}: {commit} {quoted(subject) if subject else ''}".rstrip(), loud=True, full_ids=True)
    end = run_gate({**given, "revision": commit}, env, env_file, dry_run=dry_run)
    if end.exit_status:
        return end.exit_status
    source = _foreseen(end.result, settings, commit, env) if dry_run and end.result else _proven(end.result, settings)
    if source is None:
        log.say(
            "Production would get that image. What the promotion would do is known once it is built: a gate builds it.",
            loud=True,
        )
        return 0
    return run_promotion({**promoted, **source}, env, env_file, dry_run=dry_run)


def _find(name: str, given: Given, env: Texts, env_file: Texts) -> tuple[str, str]:
    from freshness.git.named import find_named

    if Run.of(env).actions == "true" and not is_full_id(name):
        raise SettingsError(
            f"REV is {quoted(name)}; expected a full commit id, as names move while a workflow runs.",
            "Give the id that the event names.",
        )
    return find_named(read_gate(given, env, env_file).source.folder, name)


def _proven(result: "Result | None", settings: PromoteSettings) -> Given:
    """The images that the gate proved, as settings. Raises Refused where it proved none."""
    if result is None or result.verdict is not Verdict.FRESH:
        raise Refused(
            "Nothing was promoted: the gate is switched off, so no image was proven to be of this commit.",
            "Switch it on, or promote what staging runs with `freshness promote`.",
        )
    in_registry = settings.registry.tag or (settings.swarm.services and result.found.get("digests"))
    images = result.found["digests" if in_registry else "images"]
    if len(images) > 1:
        return {"source_images": json.dumps(images)}
    return {"source_image": next(iter(images.values()))}


def _foreseen(result: "Result", settings: PromoteSettings, commit: str, env: Texts) -> Given | None:
    """The image that an earlier gate built of the commit, if there is one; of several services nobody looks."""
    if len(settings.services) > 1 or settings.registry.tag or settings.swarm.services:
        return None
    from freshness.engine.client import connect
    from freshness.engine.images import find_image
    from freshness.settings.child_environment import child_environment

    engine = connect(child_environment(env, settings.source_host), settings.engine.timeout)
    built = find_image(engine, f"{repository_of(result.found['image'])}:{commit}")
    return {"source_image": built.id} if built else None
