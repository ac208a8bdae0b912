"""What a container last said, shown where its run ended badly."""

from freshness.engine.client import Engine
from freshness.engine.containers import Container, tail
from freshness.forge.log import Log


def show_last_words(log: Log, engine: Engine, container: Container) -> None:
    """The end of the container's log, in a fold, as foreign text. Raises EngineError."""
    with log.group(f"The end of the log of {container.name}"):
        for line in tail(engine, container):
            log.foreign(line)
