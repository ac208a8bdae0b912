"""Whom TLS trusts: the authorities of this machine, as Git and Docker do, besides those that requests brings along."""

import ssl
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from requests.adapters import HTTPAdapter


class Trusting(HTTPAdapter):
    """For the https of a requests.Session; it trusts the certificates in `files` as well, where they can be read."""

    def __init__(self, files: Iterable[Path] = ()) -> None:
        self._context = ssl.create_default_context()
        with suppress(OSError):
            for path in files:
                self._context.load_verify_locations(path)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        return super().proxy_manager_for(*args, **kwargs, ssl_context=self._context)
