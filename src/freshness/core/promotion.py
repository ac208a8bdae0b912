"""The outcome of a promotion, and the commands for a person who has to go on."""

import shlex
from collections.abc import Sequence
from enum import StrEnum

from freshness.core.compose import Target
from freshness.core.image import Image
from freshness.core.lock import FORMER_LABEL

TAKEN_OVER = "What was begun is finished or undone by the run that took over; this one may write nothing any more."
NOT_SWITCHED = "No service was switched: production runs what it ran. What the job did is not taken back."


class PromotionOutcome(StrEnum):
    """How a promotion ended, as written to the output `outcome`."""

    PROMOTED = "promoted"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    ROLLED_BACK = "rolled-back"
    STRANDED = "stranded"
    ERROR = "error"

    @property
    def exit_status(self) -> int:
        """The command's exit status; a settings error overrides `error` with 2."""
        return {"promoted": 0, "unchanged": 0, "refused": 1, "error": 3, "rolled-back": 4, "stranded": 5}[self.value]


def manual_commands(
    target: Target, compose_files: Sequence[str], previous: Image | None, tagged: Image | None, *, record: str = ""
) -> tuple[str, ...]:
    """What a person types to bring the previous image back, by the Compose files or by what the lock `record` holds.

    `compose_files` are Compose's words for what it reads.

    The record is the name of a volume, whose label has the configuration that the previous image ran with.
    Where nothing served before: to take the failed container away, and to let the tag name `tagged` again, or nothing.
    """
    # With all profiles, since Compose refuses a service that depends on one whose profile is off.
    words = ("docker", "compose", "-p", target.project, *(("-f", "-") if record else compose_files), "--profile", "*")
    label = f'{{{{index .Labels "{FORMER_LABEL}"}}}}'
    read = f"{shlex.join(('docker', 'volume', 'inspect', '--format', label, record))} | " if record else ""
    compose = read + shlex.join(words)
    service = shlex.quote(target.service)
    if previous is None:
        tag = ("docker", "tag", tagged.id, target.image) if tagged else ("docker", "rmi", target.image)
        return f"{compose} rm --stop --force {service}", shlex.join(tag)
    return (
        shlex.join(("docker", "tag", previous.id, target.image)),
        # Forced, since what runs may be the right image in a state that only a new container repairs.
        f"{compose} up -d --no-deps --no-build --pull never --force-recreate {service}",
    )


def not_compared(contents: Sequence[str]) -> str:
    """What may have changed although Compose saw no difference, as one more sentence; empty where nothing may."""
    if not contents:
        return ""
    return f" Not compared: the content of {' and '.join(contents)}; `force-recreate: true` applies a change."


def name_revision(image: Image, label: str) -> str:
    """The image with the commit that its label claims, or the word for an image that claims none."""
    revision = image.revision(label)
    return f"{image.id} (commit {revision})" if revision else f"{image.id} (unproven: it has no commit label)"
