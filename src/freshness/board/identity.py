"""Reads what the board may say of itself: the commit that its image was built from, its target, since when it runs."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from freshness.core.hexid import is_full_id


class Identity(Struct, frozen=True, kw_only=True):
    """What one running board is.

    `revision` is a full lowercase hex id, or None: a board that does not know its commit claims none. `target` is a
    word such as `staging`, or None. `started` is in UTC.
    """

    revision: str | None
    target: str | None
    started: datetime


def read_identity(env: Mapping[str, str], started: datetime) -> Identity:
    """From `BOARD_REVISION`, which the Dockerfile bakes in, and `BOARD_TARGET`, which the Compose file sets.

    The revision does not travel as `GIT_SHA`: that tells the tool in the same image what to gate, and its staging check
    what to expect.
    """
    revision = env.get("BOARD_REVISION", "")
    return Identity(
        revision=revision if is_full_id(revision) else None,
        target=env.get("BOARD_TARGET") or None,
        started=started,
    )
