"""What is said of the container that a promotion or the way back has made, or is to make."""

from pathlib import Path

from freshness.core.configuration import bound_paths
from freshness.core.deployment import Recorded
from freshness.engine.compose import ComposeFile
from freshness.engine.containers import Container
from freshness.errors import Refused
from freshness.promotion.plan import Plan


def refuse_missing(configuration: str) -> None:
    """Raises Refused where a path that it mounts is gone from this host: Docker would make an empty folder."""
    missing = [path for path in bound_paths(configuration) if not Path(path).exists()]
    if missing:
        raise Refused(
            f"what ran before mounted {' and '.join(missing)}, and that is gone from this host.",
            "Put it back; or promote that image with today's Compose file: `freshness promote --source-image ID"
            " --expected-revision COMMIT --allow-rollback REASON`.",
        )


def with_what(plan: Plan) -> str:
    """With which configuration what ran before serves again, where that is to be told."""
    if not plan.former.configuration:
        return ", with today's Compose file where it had stopped: what it ran with was not recorded"
    return "" if isinstance(plan.former.source, ComposeFile) else ", with the configuration that it ran with"


def first_deployment(last: Recorded | None) -> str:
    """A first deployment in words: another image store of the Engine shows nothing of what ran before, `last`."""
    if last is None or not last.deployment.image:
        return "it is the first deployment"
    ran = last.deployment.image
    return f"nothing ran here, and {ran} was recorded to have run last: it is the first deployment since then"


def why_anew(before: Container | None, after: Container | None) -> str:
    """Why a container was made anew for the same image."""
    if before is None or after is None or not before.is_up:
        return "it did not run"
    if before.compose_version != after.compose_version:
        made, makes = before.compose_version or "another version", after.compose_version
        return f"Compose {made} made it, and Compose {makes} would make another of the same file"
    return "its configuration has changed"
