"""Serves the board over HTTP: `/` for people, `/version` and `/health` for machines."""

import socket
from collections.abc import Mapping
from datetime import UTC, datetime

from freshness.board.identity import Identity, read_identity
from freshness.board.page import CONTENT_SECURITY_POLICY, render
from freshness.errors import SettingsError

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, JSONResponse, Response
    from starlette.routing import Route
except ModuleNotFoundError as error:  # the action's lock leaves them out: a gate needs no web server
    raise SettingsError(
        f"The board needs the Python package {error.name}, which is not installed.",
        "Install requirements/board.txt, or run the board's image.",
    ) from error

HEADERS = (
    ("Cache-Control", "no-store"),  # yesterday's revision out of a cache is the very mistake this project is about
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)


def application(identity: Identity) -> Starlette:
    """The three routes. `/health` says only that the board answers; `/version` is 503 where no revision is known."""
    page = render(identity)
    version = {
        "revision": identity.revision,
        "target": identity.target,
        "started": identity.started.isoformat(timespec="seconds"),
    }

    async def show_page(_request: Request) -> Response:
        return HTMLResponse(page)

    async def show_version(_request: Request) -> Response:
        return JSONResponse(version, status_code=200 if identity.revision else 503)

    async def show_health(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(routes=[Route("/", show_page), Route("/version", show_version), Route("/health", show_health)])


def serve(host: str, port: int, env: Mapping[str, str]) -> None:
    """Serve until SIGTERM or SIGINT, which uvicorn raises again when it has closed its connections.

    Port 0 takes a free one; the line that is printed names it. Raises SettingsError when it cannot listen there.
    """
    identity = read_identity(env, datetime.now(UTC))
    with _listen(host, port) as listener:
        print(f"The board of revision {identity.revision or '(unknown)'} listens on {_url(listener)}", flush=True)  # noqa: T201 - says where it listens
        uvicorn.Server(
            uvicorn.Config(
                application(identity),
                access_log=False,  # a health check every few seconds would bury what matters
                headers=list(HEADERS),
                http="h11",
                lifespan="off",
                log_config=None,
                loop="asyncio",
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=1,
                ws="none",
            )
        ).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise SettingsError(
            f"The board cannot listen on {host}, port {port}: {error}.", "Choose another --host or --port."
        ) from error


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
