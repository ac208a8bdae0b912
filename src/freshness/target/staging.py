"""Where staging stands: in production's Compose project, or in one of its own."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from freshness.core.compose import image_of, why_missing
from freshness.core.image import same_tag
from freshness.engine.compose_config import read_config
from freshness.engine.compose_file import ComposeFile
from freshness.errors import SettingsError
from freshness.settings.model import PromoteSettings

Config = Mapping[str, Any]
_WHERE = "`staging-service`, `staging-project`, `staging-compose-file`"


def staging_config(settings: PromoteSettings, env: Mapping[str, str], config: Config) -> Config:
    """The project that staging is in, as Compose prints it; `config` is production's. Raises SettingsError."""
    file, project = settings.staging_compose_file, settings.staging_project
    if not file and not project:
        return config
    compose = settings.compose
    if file:
        compose = replace(compose, files=file, folder=None, env_files=())
    return read_config(ComposeFile.of(replace(settings, compose=replace(compose, project=project)), env), env)


def is_production(settings: PromoteSettings, service: str, staging: Config, production: Config) -> bool:
    """Whether what is called staging is production's own `service`."""
    return (staging["name"], settings.staging_of(service)) == (production["name"], service)


def staging_tag(staging: Config, service: str) -> str:
    """The tag that staging's `service` runs. Raises SettingsError where there is no such service."""
    missing = why_missing(staging, service)
    if missing:
        raise SettingsError(
            f"{missing} Its image would be promoted.",
            f"Set where staging is ({_WHERE}), or set `source-image` to the gate's `image-id`.",
        )
    return image_of(staging, service)


def refuse_own_source(settings: PromoteSettings, service: str, staging: Config, production: Config) -> None:
    """Raises SettingsError where production's `service` would be promoted to itself."""
    if is_production(settings, service, staging, production):
        raise SettingsError(
            f"`staging-service` and `service` are both {service!r} of the project {production['name']}:"
            " production would be its own source.",
            f"Set where staging is ({_WHERE}), or set `source-image` to the gate's `image-id`.",
        )
    if why_missing(staging, settings.staging_of(service)):
        return
    tag = image_of(production, service)
    if same_tag(image_of(staging, settings.staging_of(service)), tag):
        raise SettingsError(
            f"Staging and production both run the tag {tag}, as the Compose file says here: production would be its own"
            " source.",
            "Give each a tag of its own; where one file is used twice with other variables, which are production's"
            " here, name the gate's `image-id` in `source-image`.",
        )
