"""Answers a registry's challenge: Basic with Docker's credentials, Bearer with a token of the service that it names.

How: https://distribution.github.io/distribution/spec/auth/token/ and …/oauth/.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import urlencode

from requests.utils import parse_dict_header

from freshness.core.manifest import NotAManifest, json_object
from freshness.core.secret import conceal
from freshness.registry.credentials import Credentials
from freshness.registry.transport import Reply, Transport

_CLIENT = "freshness"
_SCHEME = re.compile(r"\s*(basic|bearer)\s+(.*)", re.IGNORECASE)


class NotLetIn(Exception):
    """The challenge cannot be met; why, in words."""


def answer_challenge(challenge: str, credentials: Credentials | None, transport: Transport) -> str:
    """The value of `Authorization` for the registry itself. Raises NotLetIn, and what `transport` raises."""
    found = _SCHEME.fullmatch(challenge)
    if found is None:
        raise NotLetIn("it lets nobody in, and asks neither for Basic nor for Bearer credentials")
    if found[1].lower() == "bearer":
        return f"Bearer {_fetch_token(_parameters(found[2]), credentials, transport)}"
    if credentials is None or credentials.password is None:
        raise NotLetIn("it asks for a password, and Docker has none for it")
    return _basic(credentials)


def _fetch_token(asked: Mapping[str, str | None], credentials: Credentials | None, transport: Transport) -> str:
    """The credentials go to the service that the registry names, the token to the registry alone."""
    realm, scope = asked.get("realm") or "", asked.get("scope") or ""
    service = asked.get("service") or ""
    if credentials and credentials.identity_token:
        form = {
            "grant_type": "refresh_token", "service": service, "client_id": _CLIENT, "scope": scope,
            "refresh_token": credentials.identity_token.reveal(),
        }  # fmt: skip
        reply = transport.get(realm, {}, form)
    else:
        scopes = (("scope", one) for one in scope.split())
        query = urlencode([("service", service), ("client_id", _CLIENT), *scopes])
        headers = {"Authorization": _basic(credentials)} if credentials else {}
        reply = transport.get(f"{realm}{'&' if '?' in realm else '?'}{query}", headers)
    return _token_in(reply, realm)


def _token_in(reply: Reply, realm: str) -> str:
    try:
        said = json_object(reply.body)
    except NotAManifest:
        said = {}
    token = said.get("token") or said.get("access_token")
    if reply.status != 200 or not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):  # noqa: PLR2004
        raise NotLetIn(f"{realm} answers HTTP {reply.status} without a token")
    conceal((token,))
    return token


def _parameters(text: str) -> Mapping[str, str | None]:
    return parse_dict_header(text)  # type: ignore[no-untyped-call,no-any-return]


def _basic(credentials: Credentials) -> str:
    password = credentials.password.reveal() if credentials.password else ""
    value = b64encode(f"{credentials.user}:{password}".encode()).decode()
    conceal((value,))
    return f"Basic {value}"
