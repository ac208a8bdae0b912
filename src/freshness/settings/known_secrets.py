"""Gathers the values that a run knows to be secret before it reads anything else, so that no sentence repeats them."""

from collections.abc import Mapping
from pathlib import Path

from freshness.core.secret import conceal, conceal_variables
from freshness.settings.model import GateSettings, PromoteSettings

LARGEST = 16_384  # bytes: a longer file is a bundle of certificates, and no secret


def conceal_known(
    settings: GateSettings | PromoteSettings, env: Mapping[str, str], env_file: Mapping[str, str]
) -> None:
    """Conceals the token, the build's secrets, and what variables and build arguments of a secret's name hold."""
    conceal([settings.source.token.reveal()] if settings.source.token else [])
    for variables in (env, env_file, settings.compose.variables):
        conceal_variables(variables)
    if not isinstance(settings, GateSettings):
        return
    conceal_variables({name: value for name, _, value in (one.partition("=") for one in settings.build.arguments)})
    for secret in settings.build.secrets:
        conceal([env.get(secret.env, "")] if secret.env else [])
        conceal([_content(secret.src)] if secret.src else [])


def _content(path: Path) -> str:
    try:
        return path.read_text(errors="replace") if path.stat().st_size <= LARGEST else ""
    except OSError:
        return ""
