"""Makes the JSON schemas that editors check files of settings with, out of the same declarations as everything else."""

import json
import typing
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from msgspec.structs import fields

from freshness.settings.application import JobSettings, ServiceSettings
from freshness.settings.declaration import Setting, is_group, named
from freshness.settings.model import GateSettings, PromoteSettings
from freshness.settings.settings_file import OF_ONE_TARGET

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def commit_schema() -> str:
    """Of `freshness.toml` in a commit."""
    return _document("freshness.toml of a commit: services, their checks, and jobs", {}, {})


def host_schema() -> str:
    """Of the host's own file, which may say everything."""
    everything = {**_properties(GateSettings), **_properties(PromoteSettings)}
    top = {name: schema for name, schema in everything.items() if name not in OF_ONE_TARGET}
    return _document("The host's own settings, /etc/freshness/OWNER/NAME.toml", top, everything)


def _document(title: str, top: Mapping[str, Any], inside: Mapping[str, Any]) -> str:
    sections = {
        "services": {"type": "object", "additionalProperties": _object(_properties(ServiceSettings))},
        "jobs": {"type": "object", "additionalProperties": _object(_properties(JobSettings))},
    }
    environments = {"type": "object", "additionalProperties": _object({**sections, **inside})}
    schema = {"$schema": DRAFT, "title": title, **_object({**sections, "environments": environments, **top})}
    return json.dumps(schema, indent=2) + "\n"


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _properties(kind: type) -> dict[str, Any]:
    return {setting.name: _property(setting, hint) for setting, hint in _declared(kind)}


def _declared(kind: type) -> Iterator[tuple[Setting, Any]]:
    """Each setting that is declared there, and in its groups, with the type of its value."""
    for each in fields(kind):
        if isinstance(each.default_factory, Setting):
            yield named(each.default_factory, each.name), each.type
        elif is_group(each.default_factory):
            yield from _declared(each.default_factory)


def _property(setting: Setting, hint: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"description": setting.about}
    if setting.default:
        told["default"] = _plain(setting.default, hint)
    return {**told, **_type(setting, hint)}


def _type(setting: Setting, hint: Any) -> dict[str, Any]:
    kinds = {part for part in (typing.get_args(hint) or (hint,)) if isinstance(part, type)}
    if choices := [part for part in kinds if issubclass(part, StrEnum)]:
        return {"enum": [word.value for word in choices[0]]}
    if setting.name == "headers":
        return {"type": "object", "additionalProperties": {"type": "string"}}
    for kind, name in ((bool, "boolean"), (float, "number"), (int, "integer")):
        if kind in kinds and typing.get_origin(hint) not in {tuple, frozenset}:
            return {"type": name}
    if setting.multiline or setting.words:
        return {"type": ["string", "array"], "items": {"type": ["string", "integer"]}}
    return {"type": "string"}


def _plain(text: str, hint: Any) -> str | int | float | bool:
    kinds = typing.get_args(hint) or (hint,)
    if bool in kinds:
        return text == "true"
    return float(text) if float in kinds else int(text) if int in kinds and text.isdigit() else text
