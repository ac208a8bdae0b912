"""What a cut promotion left half done is finished or undone, before anything else happens to production."""

from freshness.core.image import Image
from freshness.core.lock import Record
from freshness.core.recovery import Recovery, decide_recovery
from freshness.engine.containers import service_containers
from freshness.engine.images import find_image
from freshness.errors import LockLost, Refused
from freshness.switch import Switch


def recover(switch: Switch, record: Record) -> str:
    """Finishes or undoes it, and says which. Raises what kept it from being undone: then a person is needed."""
    target = switch.plan.target
    if record.tag != target.image:
        return f"left alone: it was about the tag {record.tag!r}, and production's is {target.image} now"
    found = service_containers(switch.hold.engine, target.project, target.service)
    what = decide_recovery(record, {container.image_id for container in found if container.runs})
    if what is Recovery.LEAVE:
        return "left alone: production runs neither its image nor the one before, so somebody changed it meanwhile"
    if what is Recovery.UNDO and _is_hopeless(switch, record):
        return f"left alone: {record.previous} and {record.candidate} are both gone from this Engine"
    if what is Recovery.UNDO:
        return _tell(switch.go_back(), record)
    try:
        switch.finish()
    except LockLost:
        raise
    except Refused as error:  # it is not healthy, or not what it should be
        return f"{_tell(switch.go_back(), record)}, since {record.candidate} failed ({error.args[0]})"
    return _tell(switch.plan.candidate, record)


def _is_hopeless(switch: Switch, record: Record) -> bool:
    """Whether a prune took both images: there is nothing to go back to, and nothing to go on with."""
    images = (record.previous, record.candidate)
    return all(image and find_image(switch.hold.engine, image) is None for image in images)


def _tell(serving: Image | None, record: Record) -> str:
    if serving is None:
        return "undone: nothing is left of it"
    if serving.id == record.candidate:
        return f"finished: production runs {record.candidate}"
    return f"undone: production runs {record.previous} again"
