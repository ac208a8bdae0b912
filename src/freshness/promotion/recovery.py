"""What a cut promotion left half done is finished or undone, before anything else happens to production."""

from freshness.core.image import Image
from freshness.core.lock import Record
from freshness.core.recovery import Recovery, decide_recovery
from freshness.engine.containers import service_containers
from freshness.engine.images import find_image, find_tagged, restore_tag
from freshness.errors import FreshnessError, LockLost
from freshness.promotion.rollout import Switch


def recover(switch: Switch, record: Record) -> str:
    """Finishes or undoes it, and says which. Raises what kept it from being undone: then a person is needed."""
    target = switch.plan.target
    found = service_containers(switch.lease.engine, target.project, target.service)
    what = decide_recovery(record, {container.image_id for container in found if container.is_up})
    if what is Recovery.LEAVE:
        return "left alone: production runs neither its image nor the one before, so somebody changed it meanwhile"
    if what is Recovery.UNDO and _is_hopeless(switch, record):
        return f"left alone: {record.previous} and {record.candidate} are both gone from this Engine"
    if what is Recovery.UNDO:
        _restore_former_tag(switch, record)
        return _tell(switch.go_back(), record)
    try:
        switch.finish()
    except LockLost:
        raise
    except FreshnessError as error:  # it is not healthy, not what it should be, or it cannot be told
        return f"{_tell(switch.go_back(), record)}, since {record.candidate} failed ({error.args[0]})"
    return _tell(switch.plan.candidate, record)


def _restore_former_tag(switch: Switch, record: Record) -> None:
    """The tag that the record is about, where production's is another by now: nothing else puts it back."""
    if record.tag == switch.plan.target.image:
        return
    named = find_tagged(switch.lease.engine, record.tag)
    if named and named.id == record.candidate:
        restore_tag(switch.lease, record.tag, record.tagged, switch.label)


def _is_hopeless(switch: Switch, record: Record) -> bool:
    """Whether a prune took both images: there is nothing to go back to, and nothing to go on with."""
    images = (record.previous, record.candidate)
    return all(image and find_image(switch.lease.engine, image) is None for image in images)


def _tell(serving: Image | None, record: Record) -> str:
    if serving is None:
        return "undone: nothing is left of it"
    if serving.id == record.candidate:
        return f"finished: production runs {record.candidate}"
    return f"undone: production runs {record.previous} again"
