"""Where a fault strikes a run: at a call to its Docker Engine, seen by the proxy between the two."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from tests.support.daemon import Daemon
from tests.support.docker_proxy import Call, DockerProxy
from tests.support.engines import Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """`before` or after (`when`) the `nth` call that matches."""

    when: str
    call: str
    nth: int = 1

    def order(self, proxy: DockerProxy, deed: Callable[[Call], object]) -> None:
        place = proxy.before if self.when == "before" else proxy.after
        place(self.call, deed, nth=self.nth)


BEFORE_THE_FIRST_WRITE = {
    "it says who it is": Moment(when="after", call="GET /info"),
    "it is asked for the image": Moment(when="before", call="GET /images/*/json"),
    "it has listed the containers": Moment(when="after", call="GET /containers/json"),
    "the lock is made": Moment(when="before", call="POST /volumes/create"),
    "the lock was made": Moment(when="after", call="POST /volumes/create"),
}
"""Moments of a promotion."""

WHILE_PRODUCTION_CHANGES = {
    "production's tag is set": Moment(when="before", call="POST /images/*/tag"),
    "production's tag was set": Moment(when="after", call="POST /images/*/tag"),
    "the image is kept": Moment(when="before", call="POST /images/*/tag", nth=2),
    "the new container is made": Moment(when="before", call="POST /containers/create"),
    "the new container was made": Moment(when="after", call="POST /containers/create"),
    "the old container is stopped": Moment(when="before", call="POST /containers/*/stop"),
    "the old container was stopped": Moment(when="after", call="POST /containers/*/stop"),
    "the old container was removed": Moment(when="after", call="DELETE /containers/*"),
    "the new container was renamed": Moment(when="after", call="POST /containers/*/rename"),
    "the new container was started": Moment(when="after", call="POST /containers/*/start"),
}
"""Moments of a promotion of another image than the one that runs."""

WHILE_STAGING_CHANGES = {
    "it has listed the containers": Moment(when="after", call="GET /containers/json"),
    "it builds": Moment(when="after", call="POST /session"),
    "staging's tag was set": Moment(when="after", call="POST /images/*/tag"),
    "the new container was made": Moment(when="after", call="POST /containers/create"),
    "the new container was started": Moment(when="after", call="POST /containers/*/start"),
    "the check was started": Moment(when="after", call="POST /exec/*/start"),
}
"""Moments of a gate."""


def parametrize(metafunc: pytest.Metafunc, name: str, table: Mapping[str, object], *always: str) -> None:
    """Where a test has a parameter of this name: the whole table under fire, else what is `always` tried."""
    if name in metafunc.fixturenames:
        chosen = list(table) if metafunc.config.getoption("--under-fire") else list(always)
        metafunc.parametrize(name, [table[key] for key in chosen], ids=chosen)


def daemon_of(sandbox: Sandbox) -> Daemon:
    """The dockerd of an Engine that a test may break."""
    assert sandbox.engine.daemon is not None
    return sandbox.engine.daemon
