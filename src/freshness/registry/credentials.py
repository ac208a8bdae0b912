"""Docker's own credentials for a registry: what `docker login` left, or what a credential helper gives."""

import binascii
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docker import auth, errors
from msgspec import Struct

from freshness.core.secret import Secret, conceal
from freshness.errors import RegistryError


class Credentials(Struct, frozen=True, kw_only=True):
    """A user with a password, or an identity token, which a registry's own login changes for others."""

    user: str = ""
    password: Secret | None = None
    identity_token: Secret | None = None

    def for_engine(self, host: str) -> dict[str, str]:
        """As the Engine wants them with a push or a pull."""
        address = auth.INDEX_URL if host == auth.INDEX_NAME else host  # as Docker's own client calls it
        if self.identity_token:
            return {"identitytoken": self.identity_token.reveal(), "serveraddress": address}
        password = self.password.reveal() if self.password else ""
        return {"username": self.user, "password": password, "serveraddress": address}


def find_credentials(host: str, env: Mapping[str, str]) -> Credentials | None:
    """Those for this host, None where Docker has none. Raises RegistryError where they cannot be read."""
    path = Path(env.get("DOCKER_CONFIG") or Path(env.get("HOME") or Path.home()) / ".docker") / "config.json"
    config = _read(path)
    if not config:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a helper that is missing, which is an error below
            found = auth.load_config(config_dict=config, credstore_env=dict(env)).resolve_authconfig(host)
    except (errors.DockerException, binascii.Error, ValueError, KeyError, AttributeError) as error:
        raise RegistryError(
            f"Docker's credentials for {host} in {path} cannot be used: {error}.",
            f"Run `docker login {host}` as the user of this run, or install the credential helper that it names.",
        ) from error
    return _credentials({name.lower(): value for name, value in (found or {}).items()})


def _read(path: Path) -> dict[str, Any]:
    """docker-py takes a file that is damaged for one without credentials: here it is an error."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise RegistryError(
            f"Docker's configuration {path} cannot be read: {error}.", "Correct it, or run `docker login` anew."
        ) from error
    return found if isinstance(found, dict) else {}


def _credentials(found: Mapping[str, Any]) -> Credentials | None:
    conceal(found[name] for name in ("password", "identitytoken") if found.get(name))
    if found.get("identitytoken"):
        return Credentials(identity_token=Secret(found["identitytoken"]))
    if found.get("username"):
        return Credentials(user=found["username"], password=Secret(found.get("password") or ""))
    return None
