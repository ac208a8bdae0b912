"""Holds what a command prints with `--json` against the documented schema, which has to name every field."""

import json
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # its types are a package of their own

from tests.support.engines import ROOT

SCHEMA: dict[str, Any] = json.loads((ROOT / "docs/schema/output.json").read_text())


def require_documented(value: object, kind: str) -> None:
    """Fails the test where the value is not of this kind, or has a field that the schema does not describe."""
    closed = _closed(SCHEMA["$defs"])
    Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": closed}).validate(value)


def _closed(schema: Any) -> Any:
    """The schema, of which no object may have more fields than those that are described."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(one) for name, one in schema.items()}
    return {"additionalProperties": False, **closed} if "properties" in closed and "required" in closed else closed
