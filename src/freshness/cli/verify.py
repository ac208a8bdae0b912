"""The command `verify`: the guard alone."""

from collections.abc import Mapping
from typing import Any

from freshness.settings.read import read_promote, read_revision

Texts = Mapping[str, str]


def verify_image(
    name: str, revision: str, given: Mapping[str, str | None], env: Texts, env_file: Texts
) -> dict[str, Any]:
    """Whether the image's label says exactly this commit (`proven`), and one line that says so (`reason`).

    Raises SettingsError for an abbreviated id, EngineError where the Engine cannot be asked.
    """
    from freshness.core.image import guard
    from freshness.engine.client import connect
    from freshness.engine.images import find_image

    expected = read_revision("--revision", revision)
    settings = read_promote(given, env, env_file, revision_required=False)
    engine = connect(env, settings.engine.timeout)
    image = find_image(engine, name)
    found = {"image": name, "image_id": image.id if image else None, "revision": expected}
    if image is None:
        reason = f"refused: the Engine {engine.id} at {engine.endpoint} has no image {name}."
        return found | {"proven": False, "reason": reason}
    problem = guard(image, settings.source.label, expected)
    if problem:
        reason = f"refused: {name} ({image.id}) does not prove {expected}: {problem}."
        return found | {"proven": False, "reason": reason}
    reason = f"label only: {name} ({image.id}) says {expected}. A label is a claim; the gate's image ID is the proof."
    return found | {"proven": True, "reason": reason}
