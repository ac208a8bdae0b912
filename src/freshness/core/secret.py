"""Values that no message, log or report shows: our own by their type, all that are known by looking for them."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import quote, unquote

REDACTED = "[REDACTED]"
SHORTEST = 5
"""Characters of a value that is looked for: shorter ones stand in every other sentence."""

_SECRET_NAME = re.compile(
    r"(^|_)(TOKEN|PASSWORD|PASSWD|PASSPHRASE|PASS|PW|SECRET|CREDENTIALS?|API_?KEY|PRIVATE_?KEY|KEY|AUTH|JWT|SALT)S?(_|$)"
    r"|(PASSWORD|SECRET|TOKEN)$",
    re.IGNORECASE,
)
# A password up to the first `@`, and one that itself holds `/` or `@`; and what stands before a web server's host: a
# token, where it is longer than a user's name.
_IN_ADDRESS = (
    re.compile(r"://[^/\s:@]*:([^/\s@]+)@"),
    re.compile(r"://[^/\s:@]*:(?!\d+/)((?:(?!://)\S)+)@"),
    re.compile(r"https?://([^/\s:@]{16,})(?::[^/\s@]*)?@"),
)
_known: set[str] = set()


class Secret:
    """Prints as `[REDACTED]` whichever way it is printed; `reveal()` is the only way to its text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text: Final = text

    def reveal(self) -> str:
        """The text itself, for the one place that needs it."""
        return self._text

    def __repr__(self) -> str:
        return REDACTED

    def __reduce__(self) -> str:
        raise TypeError("a secret is not copied or stored")


def conceal(values: Iterable[str]) -> None:
    """From now on this process shows none of these values: whole, and each of their lines, however it is written."""
    lines = (line.strip() for value in values for line in (value, *value.splitlines()))
    _known.update(form for line in lines if len(line) >= SHORTEST for form in _forms(line))


def _forms(value: str) -> Iterator[str]:
    """As it is; in JSON, as Compose and Go quote it; in an address, with or without its escapes; with `$` for `$$`."""
    yield value
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield quote(value, safe="")
    for plain in (unquote(value), value.replace("$$", "$")):
        if len(plain) >= SHORTEST:
            yield plain


def conceal_variables(variables: Mapping[str, str | None]) -> None:
    """Conceals what a variable of a secret's name holds, and the password of an address in any of them.

    Where a secret lies is none: images take `DB_PASSWORD_FILE=/run/secrets/db`.
    """
    for name, value in variables.items():
        is_place = name.endswith("_SOCK") or (name.endswith("_FILE") and (value or "").startswith("/"))
        if value and _SECRET_NAME.search(name) and not is_place:
            conceal((value,))
        conceal(found for pattern in _IN_ADDRESS for found in pattern.findall(value or ""))


def redacted(text: str) -> str:
    """The text without any value that is to be concealed; the one place through which all goes that people see."""
    for value in sorted(_known, key=len, reverse=True):  # the longest first: one may be a part of another
        text = text.replace(value, REDACTED)
    return text
