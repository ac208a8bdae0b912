"""Measures every speed target in one run, against what a user would do instead where there is such a thing.

With `--short` each is measured once on little: that proves that it can be, and judges no speed.
"""

import os
import sys
from collections.abc import Iterator

from benchmarks import change, deploys, downtime, export, start
from benchmarks.table import Row, render

HOST = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")


def main() -> int:
    short = sys.argv[1:] == ["--short"]
    rows = []
    for row in measure(short=short):
        rows.append(row)
        print(f"measured: {row.what}", file=sys.stderr)
    print(render(rows))
    return 0 if short or all(row.is_met for row in rows) else 1


def measure(*, short: bool) -> Iterator[Row]:
    files = export.FILES // 100 if short else export.FILES
    (_, ours), (peer, peers) = export.measure(files)
    what = f"export of {files:,} files, every hash verified"
    yield Row(what=what, seconds=ours, target=1, peer=peer, peer_seconds=peers)
    yield from change.measure(HOST, files, 1 if short else change.ROUNDS)
    yield from change.measure_history(change.COMMITS // 100 if short else change.COMMITS)
    yield from start.measure(1 if short else start.ROUNDS)
    yield from deploys.measure(HOST, 1 if short else deploys.ROUNDS)
    yield from downtime.measure(HOST, 1 if short else downtime.ROUNDS)


if __name__ == "__main__":
    sys.exit(main())
