"""What a container last said, shown where its run ended badly."""

from freshness.engine.client import Engine
from freshness.engine.containers import Container, tail
from freshness.errors import EngineError
from freshness.forge.log import Log


def show_last_words(log: Log, engine: Engine, container: Container) -> None:
    """The end of the container's log, in a fold, as foreign text. Not every container has one that can be read."""
    with log.group(f"The end of the log of {container.name}"):
        try:
            for line in tail(engine, container):
                log.foreign(line)
        except EngineError as error:  # the driver `none`, or the container is gone: no reason to judge otherwise
            log.foreign(f"It cannot be read: {error}")
