"""Whether a forge made the run."""

from collections.abc import Mapping

from freshness.core.run import Run


def has_forge(env: Mapping[str, str]) -> bool:
    """As `Run.has_forge`."""
    return Run.of(env).has_forge
