"""Begins: until a command takes signals itself, an interrupt ends the process as it ends any other."""

import gc
import signal

OBJECTS = 500_000
"""More than all imports make, so that the collector does not look through the same modules again and again."""


def main() -> None:
    """Runs the command line. Python's own handler would print a traceback out of the middle of an import."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.set_threshold(OBJECTS)
    from freshness.cli.main import main as run

    try:
        run()
    finally:
        gc.freeze()  # as it ends, Python would look through all that is left once more
