"""What a container last said, shown where its run ended badly."""

from contextlib import suppress

from freshness.ci.log import Log
from freshness.core.alike import squeezed
from freshness.engine.client import Engine
from freshness.engine.containers import Container, find_container, tail
from freshness.errors import EngineError

_READ, _SHOWN = 500, 30  # lines


def show_container_log(log: Log, engine: Engine, container: Container) -> None:
    """The end of the container's log, and what its HEALTHCHECK last said, in folds, as untrusted text.

    Not every container has a log that can be read.
    """
    with log.group(f"The end of the log of {container.name}"):
        try:
            for line in list(squeezed(tail(engine, container, lines=_READ)))[-_SHOWN:]:
                log.untrusted(line)
        except EngineError as error:  # the driver `none`, or the container is gone: no reason to judge otherwise
            log.untrusted(f"It cannot be read: {error}")
    with suppress(EngineError):
        now = find_container(engine, container.id)
        if now and now.healthcheck:
            with log.group(f"The last run of the HEALTHCHECK of {container.name}"):
                for line in now.healthcheck.output.splitlines():
                    log.untrusted(line)
                log.untrusted(f"exit status {now.healthcheck.exit_code}")
