"""What `rollback --list` shows, of Compose's services or of a Swarm's."""

from collections.abc import Mapping

from freshness.engine.client import Engine, connect
from freshness.promotion.rollback import Listed, list_retained
from freshness.settings.docker_host import at_host
from freshness.settings.model import PromoteSettings
from freshness.settings.read import read_promote
from freshness.swarm.status import list_retained as list_in_swarm

Texts = Mapping[str, str]


def _manager(settings: PromoteSettings, env: Texts) -> Engine:
    return connect(at_host(env, next(iter(settings.docker_hosts), None)), settings.engine.timeout)


def show_retained(given: Mapping[str, str | None], env: Texts, env_file: Texts, *, as_json: bool) -> Listed:
    """What runs, and what can be gone back to, the newest first. Raises SettingsError, EngineError, Refused."""
    settings = read_promote(given, env, env_file, revision_required=False)
    if settings.swarm.services:
        text = list_in_swarm(_manager(settings, env), settings.swarm.services, as_json=as_json)
        return Listed(text=text, lost={})
    return list_retained(settings, env, as_json=as_json)
