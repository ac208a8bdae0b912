"""`python -m demo.down`: takes away what the demo started, and nothing else."""

import os
import sys

from demo.command import DemoError
from demo.ground import insist_on_this_machine, take_down


def main() -> int:
    """0 where nothing of the demo is left, 1 where that could not be done."""
    try:
        insist_on_this_machine(os.environ)
        removed = take_down()
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    print(f"Removed {', '.join(removed)}." if removed else "Nothing of the demo is up.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
