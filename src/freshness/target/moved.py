"""Refuses to lose files where a bind mount has another source, or one that is gone. The Engine looks for them."""

from collections.abc import Iterable, Mapping

from freshness.core.mounts import Mount
from freshness.core.moved import explain_moved, find_moved, find_unmoved
from freshness.engine.client import Engine
from freshness.engine.compose import ComposeFile
from freshness.engine.volumes import exists, has_files
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
    """Raises Refused where a new source has no files and the one that `what` mounts has, or where the same one is gone.

    `before` are the sources until now by their targets, `image_id` any image, for a look. `otherwise` is one more way
    out, as a sentence.
    """
    mounts = tuple(mounts)
    gone = [path for path in find_unmoved(mounts, before) if not exists(engine, image_id, path)]
    if gone:
        raise Refused(
            f"{what} mounts {' and '.join(gone)}, and the Docker host has nothing there any more: a new container would"
            " find an empty folder.",
            "Put it back; or take the mount out of the Compose file; or make the folder, if it is to be empty."
            f"{otherwise}",
        )
    lost = [
        one
        for one in find_moved(mounts, before)
        if not has_files(engine, image_id, one.new) and has_files(engine, image_id, one.old)
    ]
    if lost:
        message, remedy = explain_moved(what, lost, str(file.folder))
        raise Refused(message, f"{remedy}{otherwise}")
