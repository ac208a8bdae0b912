"""All files of a first deployment, by their paths in the checkout, and what the command line needs on the host."""

import json
from enum import StrEnum

from freshness.core.scaffold.check import script_text
from freshness.core.scaffold.layout import Layout
from freshness.core.scaffold.settings import render_settings
from freshness.core.scaffold.workflow import gate_inputs, promote_inputs, render_workflow


class ForgeKind(StrEnum):
    """Which forge's folder the workflow goes into."""

    GITEA = "gitea"
    GITHUB = "github"


def render_files(layout: Layout, forge: ForgeKind, pin: str) -> dict[str, str]:
    """Path to text; `pin` is the action's commit."""
    files = {f".{forge}/workflows/deploy.yml": render_workflow(layout, pin)}
    if not layout.is_plain:
        files["freshness.toml"] = render_settings(layout)
    for member in layout.staging.members:
        if member.check and member.check.file:
            files[member.check.file] = script_text(member.health)
    return files


def render_host_file(layout: Layout) -> str:
    """What the workflow's inputs say, as the host's own file of settings for the command line; empty for nothing."""
    sides = {"staging": gate_inputs(layout), "production": promote_inputs(layout)}
    tables = (
        "\n".join([f"[environments.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in given.items()), ""])
        for name, given in sides.items()
        if given
    )
    return "\n".join(tables)


def notes_of(layout: Layout) -> tuple[str, ...]:
    """What a person has to look at."""
    asked = [one.name for one in layout.staging.members if one.health.startswith("/")]
    checks = [one.check.note for one in layout.staging.members if one.check and one.check.note]
    path = [f"{' and '.join(asked)}: `/` has to answer 2xx; else correct `health-path`."] if asked else []
    return (*layout.notes, *path, *checks)
