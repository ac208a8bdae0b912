"""How docker-py talks to the Engine: never by way of the environment's proxies, and over ssh where that was asked."""

import re
from collections.abc import Mapping
from typing import Any

import docker
import requests

from freshness.engine.tunnel import Tunnel

NOTICED_SECONDS = 0.5  # ssh ends a moment after the connections that it carried


_SILENT = re.compile(r"/images/(?:load|.+/(?:get|push))(?:\?|$)")
"""What an Engine may do for minutes without a word, as it packs, unpacks or waits; `busy` in client.py attends it."""


class ConnectionLost(ConnectionError):
    """The ssh connection is gone: for the one who asked first. Who asks then gets a new one."""


class Client(docker.DockerClient):
    """docker-py's client over an API of ours. Asks for the Engine's version at once."""

    def __init__(self, tunnel: Tunnel | None, timeout: float, where: Mapping[str, Any]) -> None:
        self.api = Api(tunnel, timeout, where)


class Api(docker.APIClient):
    """Each request goes through `send`."""

    def __init__(self, tunnel: Tunnel | None, timeout: float, where: Mapping[str, Any]) -> None:
        self._tunnel = tunnel
        self._is_told = False
        super().__init__(**where, timeout=timeout)  # type: ignore[arg-type]  # requests takes fractions of a second
        self.trust_env = False  # which requests would read through, for proxies, at each request

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Sends over a connection that is alive. Raises ConnectionLost once where it was lost.

        Environment and netrc have no say: a proxy there would answer for the Engine, and a CA bundle stand in for its.
        """
        request.headers.pop("Authorization", None)  # from a netrc: an Engine asks for none
        options |= {"proxies": {}, "verify": self.verify, "cert": self.cert}
        if _SILENT.search(request.path_url):
            options["timeout"] = None
        if self._tunnel is None:
            return super().send(request, **options)
        self._renew(self._tunnel)
        try:
            answer = super().send(request, **options)
        except (requests.exceptions.RequestException, OSError):
            self._tell(self._tunnel.lost(NOTICED_SECONDS))
            self._is_told = True  # if it is noticed later that the connection had gone, this was why
            raise
        self._is_told = False
        return answer

    def _renew(self, tunnel: Tunnel) -> None:
        lost = tunnel.lost()
        if lost and self._is_told:
            tunnel.open()
            return
        self._tell(lost)

    def _tell(self, lost: str | None) -> None:
        if lost:
            self._is_told = True
            raise ConnectionLost(lost) from None
