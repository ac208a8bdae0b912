"""The order in which an application's services are recreated: what another one depends on comes first."""

from collections.abc import Mapping, Sequence
from typing import Any


def order_by_need(config: Mapping[str, Any], services: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Levels of services: each needs only what stands in a level before its own, also by way of services between.

    `config` is what Compose prints, which has no circles. Within a level they stand as they were named.
    """
    known: dict[str, int] = {}
    depths = {name: _depth(config, name, frozenset(services), known) for name in services}
    return tuple(tuple(name for name in services if depths[name] == depth) for depth in sorted(set(depths.values())))


def _depth(config: Mapping[str, Any], name: str, ours: frozenset[str], known: dict[str, int]) -> int:
    """How many of ours come one after the other before it."""
    if name not in known:
        needs = config["services"].get(name, {}).get("depends_on") or {}
        known[name] = max((_depth(config, need, ours, known) + (need in ours) for need in needs), default=0)
    return known[name]
