"""Measures every speed target in one run, against what a user would do instead where there is such a thing."""

import os
import sys
from collections.abc import Iterator

from benchmarks import deploys, downtime, export, start
from benchmarks.table import Row, render

HOST = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")


def main() -> int:
    rows = []
    for row in measure():
        rows.append(row)
        print(f"measured: {row.what}", file=sys.stderr)
    print(render(rows))
    return 0 if all(row.is_met for row in rows) else 1


def measure() -> Iterator[Row]:
    (_, ours), (peer, peers) = export.measure()
    yield Row(what="export of 13,000 files, every hash verified", seconds=ours, target=1, peer=peer, peer_seconds=peers)
    yield from start.measure()
    yield from deploys.measure(HOST)
    yield from downtime.measure(HOST)


if __name__ == "__main__":
    sys.exit(main())
