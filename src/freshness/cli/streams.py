"""Speaks to whoever called the command: the answer on standard output, what went wrong on standard error."""

import io
import os
import sys
from contextlib import suppress

import click

from freshness.ci.sanitizing import own_lines
from freshness.core.secret import redacted
from freshness.errors import OutputError


def answer(text: str) -> None:
    """Prints what a command was asked for. Raises OutputError where it cannot be written, and so nobody got it."""
    if sys.stdout is None:  # as Python leaves it where it was closed before we began
        raise unwritten("it is closed")
    try:
        click.echo(_shown(text))
    except (OSError, ValueError) as error:
        raise unwritten(getattr(error, "strerror", None) or str(error)) from error


def unwritten(why: str) -> OutputError:
    return OutputError(
        f"The answer could not be written to standard output: {why}.",
        "Check where it goes: a file needs space, a pipe a reader.",
    )


def complain(text: str) -> None:
    """Prints what went wrong. Where even that cannot be written, the exit status has to say it."""
    _say(f"freshness: {text}")


def show_usage(error: click.ClickException) -> None:
    """Prints what is wrong with the words of the call, as Click puts it."""
    text = io.StringIO()
    error.show(file=text)
    _say(text.getvalue().removesuffix("\n"))


def _say(text: str) -> None:
    with suppress(OSError, ValueError):
        click.echo(_shown(text), err=True)


def _shown(text: str) -> str:
    """What others wrote stands in our answers, and commands neither terminal nor runner. Nothing is cut."""
    return "\n".join(own_lines(redacted(text), longest=None))


def let_go() -> None:
    """Drops what cannot be written: Python would try once more as it ends, and exit with 120 in place of our status."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
