"""What an Engine says of itself, for people: version, storage, its folder and its clock."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from freshness.engine.client import Engine, engine_call
from freshness.errors import EngineError


class Facts(Struct, frozen=True, kw_only=True):
    """`root` is where it keeps its data, on its own machine; its clock is `skew` seconds ahead of ours."""

    version: str
    storage: str
    root: str
    skew: float


def has_classic_store(engine: Engine) -> bool:
    """Whether it keeps images by their layers, and not in containerd. Raises EngineError."""
    with engine_call("asking the Engine about itself"):
        return not _is_containerd(engine.client.info())


def _is_containerd(info: Mapping[str, Any]) -> bool:
    driver = dict(entry for entry in info.get("DriverStatus") or () if len(entry) == 2)  # noqa: PLR2004 -- a pair
    return str(driver.get("driver-type", "")).startswith("io.containerd.snapshotter")


def read_facts(engine: Engine) -> Facts:
    """Raises EngineError."""
    before = time.time()
    with engine_call("asking the Engine about itself"):
        info = engine.client.info()
    ours = (before + time.time()) / 2
    try:
        skew = datetime.fromisoformat(info["SystemTime"]).timestamp() - ours
    except (KeyError, TypeError, ValueError) as error:
        raise EngineError("The Engine does not say what time it is.", "Check the Docker daemon's clock.") from error
    return Facts(
        version=str(info.get("ServerVersion", "")),
        storage=f"{info.get('Driver', 'unknown')}, {'containerd' if _is_containerd(info) else 'classic'} image store",
        root=str(info.get("DockerRootDir", "")),
        skew=skew,
    )
