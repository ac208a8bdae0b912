"""freshness-action: the image that becomes production is provably built from the validated commit."""

import time

__version__ = "1.0.0"
BEGUN = time.monotonic()
"""When a command began: nothing else is imported before, and what imports take belongs to the run."""
