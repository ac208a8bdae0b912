"""Where people see the repository: at the forge's own address, which need not be the one that the runner knows."""

from collections.abc import Mapping

from freshness.ci.event_file import read_event
from freshness.core.endpoint import without_userinfo
from freshness.core.run import Run
from freshness.errors import SettingsError
from freshness.git.address import is_web_address


def repository_page(env: Mapping[str, str]) -> str:
    """Its address, without a slash at the end; empty where the environment names no forge.

    Gitea's runner calls the server by the address that it was registered with, such as http://gitea:3000. The event
    has the forge's own (ROOT_URL).
    """
    run = Run.of(env)
    server = without_userinfo(run.server_url).rstrip("/")
    if not run.repository or not server.startswith(("https://", "http://")):
        return ""
    told = _told(env)
    is_its = is_web_address(told) and told.lower().endswith(f"/{run.repository.lower()}")
    return told if is_its else f"{server}/{run.repository}"


def _told(env: Mapping[str, str]) -> str:
    try:
        repository = read_event(env)[1].get("repository")
    except SettingsError:
        return ""
    page = repository.get("html_url") if isinstance(repository, Mapping) else None
    return page if isinstance(page, str) else ""
