"""Refuses to leave files behind where a bind mount would have another source. The Engine looks: its paths count."""

from collections.abc import Iterable, Mapping

from freshness.core.mounts import Mount
from freshness.core.moved import explain_moved, find_moved
from freshness.engine.client import Engine
from freshness.engine.compose import ComposeFile
from freshness.engine.volumes import has_files
from freshness.errors import Refused


def refuse_moved(
    engine: Engine,
    image_id: str,
    mounts: Iterable[Mount],
    *,
    what: str,
    before: Mapping[str, str],
    file: ComposeFile,
    otherwise: str = "",
) -> None:
    """Raises Refused where a new source has no files, and the one that `what` mounts has.

    `before` are the sources until now by their targets, `image_id` any image, for a look. `otherwise` is one more way
    out, as a sentence.
    """
    lost = [
        one
        for one in find_moved(mounts, before)
        if not has_files(engine, image_id, one.new) and has_files(engine, image_id, one.old)
    ]
    if lost:
        message, remedy = explain_moved(what, lost, str(file.folder))
        raise Refused(message, f"{remedy}{otherwise}")
