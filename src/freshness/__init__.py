"""freshness-action: the image that becomes production is provably built from the validated commit."""

__version__ = "1.0.0"
