"""Measures every speed target in one run, against what a user would do instead where there is such a thing.

With `--short` each is measured once on little: that proves that it can be, and judges no speed. Names of groups, as
`change`, measure these alone; `--files` says of how many files a change is one (13,000, and ten times as many).
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping

from benchmarks import carry, change, deploys, downtime, export, full_host, registry, services, start, swarm
from benchmarks.table import Row, render

HOST = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--files", type=int)
    parser.add_argument("groups", nargs="*")
    given = parser.parse_args()
    groups = groups_of(short=given.short, files=given.files)
    print(
        f"load of this machine at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", file=sys.stderr
    )
    rows = []
    for name in given.groups or groups:
        for row in groups[name]():
            rows.append(row)
            print(f"measured: {' | '.join(row.cells())}", file=sys.stderr, flush=True)
    print(render(rows))
    return 0 if given.short or all(row.is_met for row in rows) else 1


def groups_of(*, short: bool, files: int | None) -> Mapping[str, Callable[[], Iterator[Row]]]:
    few = files or (export.FILES // 100 if short else export.FILES)
    many = files or (few if short else 10 * few)

    def once(rounds: int) -> int:
        return 1 if short else rounds

    return {
        "export": lambda: export.rows(few),
        "change": lambda: change.measure(HOST, few, once(change.ROUNDS)),
        "large": lambda: change.measure(HOST, many, once(change.ROUNDS)),
        "first": lambda: change.measure_first(HOST, few, once(2)),
        "memory": lambda: change.measure_memory(HOST, many, 1 if short else 100),
        "history": lambda: change.measure_history(change.COMMITS // 100 if short else change.COMMITS),
        "start": lambda: start.measure(once(start.ROUNDS)),
        "host": lambda: full_host.measure(HOST, once(full_host.ROUNDS), short=short),
        "services": lambda: services.measure(HOST, once(services.ROUNDS)),
        "deploys": lambda: deploys.measure(HOST, once(deploys.ROUNDS)),
        "registry": lambda: registry.measure(HOST, 5 if short else registry.MEGABYTES, once(registry.ROUNDS)),
        "swarm": lambda: swarm.measure(once(swarm.ROUNDS)),
        "swarm-growth": lambda: swarm.measure_growth(*((2, 3) if short else (swarm.SERVICES, swarm.PROMOTIONS))),
        "carry": lambda: carry.measure(HOST, 5 if short else carry.MEGABYTES, once(carry.ROUNDS)),
        "downtime": lambda: downtime.measure(HOST, once(downtime.ROUNDS)),
    }


if __name__ == "__main__":
    sys.exit(main())
