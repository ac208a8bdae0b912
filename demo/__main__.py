"""`python -m demo`: this repository, gated and promoted by itself through act, in six steps and a table."""

import os
import sys
import time
from collections.abc import Callable, Iterator

from demo import scratch, shop_story, story
from demo.claim import Row, table
from demo.command import DemoError
from demo.ground import insist_on_room, insist_on_this_machine, take_down
from demo.places import FOLDER, PORTS, PRODUCTION, SHOP_PORT, STAGING, TOOL_CACHE, shown
from demo.screen import screen
from demo.shown import Shown

_STEPS: tuple[tuple[str, Callable[[], Iterator[Shown]]], ...] = (
    (
        "A pull request is gated. Its checkout is as on GitHub: HEAD is a merge commit, the work tree is not clean.",
        story.pull_request_gated,
    ),
    ("A person dispatches the same commit: it is gated again and promoted.", story.dispatch_promotes),
    ("Between gate and promotion another build takes staging's tag.", story.moved_tag),
    ("A commit whose service never gets healthy is dispatched.", story.never_healthy),
    ("A commit that is fine on staging and fails on production is dispatched.", story.fails_on_production),
    (
        "An application without a staging: three services and a migration of one image; then a commit with a fault.",
        shop_story.show,
    ),
)
_TAIL = 25  # lines


def main() -> int:
    """0 where every row is as expected, 1 where one is not or the demo cannot go on, 130 where it was interrupted."""
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
    say = screen().say
    say(f"\n{table(rows)}\n")
    say(f"{time.monotonic() - started:.0f} s. The board: http://127.0.0.1:{PORTS[PRODUCTION]}/ is production,")
    say(f"http://127.0.0.1:{PORTS[STAGING]}/ is staging, http://127.0.0.1:{SHOP_PORT}/ is the shop.")
    say("Take it down: make demo-down")
    return 0 if all(row.ok for row in rows) else 1


def _prepare() -> None:
    print("This repository, gated and promoted by itself: act runs .gitea/workflows/deploy.yml")
    print(f"on this machine's Docker Engine. Your checkout is not touched, all is in {shown(FOLDER)}.")
    insist_on_this_machine(os.environ)
    if take_down(keep_installed=True):
        print("The demo that ran before was taken down.")
    insist_on_room()
    if not TOOL_CACHE.is_dir():
        print("The first run installs packages, for the actions and for the image: up to a minute more.")
    scratch.create()
    shop_story.create()


def _tell() -> list[Row]:
    """Each step's rows, up to the first that is not as expected: the next steps build on it."""
    rows: list[Row] = []
    say = screen().say
    for number, (title, show) in enumerate(_STEPS, start=1):
        say()
        say(f"{number}/{len(_STEPS)} {title}", "bold")
        for found in show():
            rows.append(found.row)
            mark, style = ("✓", "green") if found.row.ok else ("✗ NOT AS EXPECTED:", "bold red")
            say(f"  {mark} {found.row.seen}", style)
            say(f"    {found.seconds:.1f} s, all of it in {shown(found.log)}", "dim")
            if not found.row.ok:
                _show_tail(found)
                return rows
    return rows


def _show_tail(found: Shown) -> None:
    print(f"    The end of {shown(found.log)}:")
    for line in found.log.read_text(encoding="utf-8").splitlines()[-_TAIL:]:
        print(f"    | {line}")


if __name__ == "__main__":
    sys.exit(main())
