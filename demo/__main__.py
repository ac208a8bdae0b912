"""`python -m demo`: this repository, gated and promoted by itself through act, in five steps and a table."""

import sys
import time
from collections.abc import Callable

from demo import scratch, story
from demo.claim import Row, table
from demo.command import DemoError
from demo.ground import insist_on_room, take_down
from demo.places import FOLDER, PORTS, PRODUCTION, STAGING, shown

_STEPS: tuple[tuple[str, Callable[[], tuple[story.Shown, ...]]], ...] = (
    (
        "A pull request is gated. Its checkout is as on GitHub: HEAD is a merge commit, the work tree is not clean.",
        story.pull_request_gated,
    ),
    ("A person dispatches the same commit: it is gated again and promoted.", story.dispatch_promotes),
    ("Between gate and promotion another build takes staging's tag.", story.moved_tag),
    ("A commit whose service never gets healthy is dispatched.", story.never_healthy),
    ("A commit that is fine on staging and fails on production is dispatched.", story.fails_on_production),
)
_TAIL = 25  # lines


def main() -> int:
    """0 where every row is as expected, 1 where one is not or the demo could not go on, 130 where it was interrupted."""
    started = time.monotonic()
    try:
        _prepare()
        rows = _tell()
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted. What is there already goes with `make demo-down`.", file=sys.stderr)
        return 130
    print(f"\n{table(rows)}\n")
    print(f"{time.monotonic() - started:.0f} s. The board: http://127.0.0.1:{PORTS[PRODUCTION]}/ is production,")
    print(f"http://127.0.0.1:{PORTS[STAGING]}/ is staging. Take it down: make demo-down")
    return 0 if len(rows) > len(_STEPS) and all(row.ok for row in rows) else 1


def _prepare() -> None:
    print(
        "This repository, gated and promoted by itself: act runs .gitea/workflows/deploy.yml, offline, on this machine's"
    )
    print(f"Docker Engine. All of it happens in {shown(FOLDER)}; your checkout is not touched.")
    if take_down(keep_installed=True):
        print("The demo that ran before was taken down.")
    insist_on_room()
    scratch.create()


def _tell() -> list[Row]:
    """Each step's rows, up to the first that is not as expected: the next steps build on it."""
    rows: list[Row] = []
    for number, (title, show) in enumerate(_STEPS, start=1):
        print(f"\n{number}/{len(_STEPS)} {title}", flush=True)
        started = time.monotonic()
        for found in show():
            rows.append(found.row)
            print(f"    {'ok' if found.row.ok else 'NOT AS EXPECTED'}: {found.row.seen}")
            print(f"    {shown(found.log)}, {time.monotonic() - started:.1f} s", flush=True)
            if not found.row.ok:
                _show_tail(found)
                return rows
    return rows


def _show_tail(found: story.Shown) -> None:
    print(f"    The end of {shown(found.log)}:")
    for line in found.log.read_text(encoding="utf-8").splitlines()[-_TAIL:]:
        print(f"    | {line}")


if __name__ == "__main__":
    sys.exit(main())
