"""The command `deploy`: the gate of a commit that a person names, and its promotion where the gate opened."""

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
    log.say(f"Deploying {name}: {commit} {quoted(subject) if subject else ''}".rstrip(), loud=True, full_ids=True)
    end = run_gate({**given, "revision": commit}, env, env_file, dry_run=dry_run)
    if end.exit_status:
        return end.exit_status
    if dry_run and end.result:
        image = _foreseen(end.result, commit, settings.engine_timeout, env)
    else:
        image = _proven(end.result)
    if image is None:
        log.say(
            "Production would get that image. What the promotion would do is known once it is built: a gate builds it.",
            loud=True,
        )
        return 0
    return run_promotion({**promoted, "source_image": image}, env, env_file, dry_run=dry_run)


def _find(name: str, given: Given, env: Texts, env_file: Texts) -> tuple[str, str]:
    from freshness.git.named import find_named

    if Run.of(env).actions == "true" and not is_full_id(name):
        raise SettingsError(
            f"REV is {quoted(name)}; expected a full commit id, as names move while a workflow runs.",
            "Give the id that the event names.",
        )
    return find_named(read_gate(given, env, env_file).repository_folder, name)


def _proven(result: "Result | None") -> str:
    """The ID of the image that the gate proved. Raises Refused where it proved none, or one of several."""
    if result is None or result.verdict is not Verdict.FRESH:
        raise Refused(
            "Nothing was promoted: the gate is switched off, so no image was proven to be of this commit.",
            "Switch it on, or promote what staging runs with `freshness promote`.",
        )
    if len(result.found["images"]) > 1:
        raise Refused(
            f"Nothing was promoted: the gate proved {len(result.found['images'])} services; a promotion takes one.",
            "Promote each service with `freshness promote`.",
        )
    image: str = result.found["image_id"]
    return image


def _foreseen(result: "Result", commit: str, seconds: float, env: Texts) -> str | None:
    """The ID of the image that an earlier gate built of the commit, if there is one."""
    from freshness.engine.client import connect
    from freshness.engine.images import find_image
    from freshness.settings.child_environment import child_environment

    engine = connect(child_environment(env), seconds)
    built = find_image(engine, f"{repository_of(result.found['image'])}:{commit}")
    return built.id if built else None
