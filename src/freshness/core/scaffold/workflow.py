"""The workflow, the same for both forges; the guide to a first deployment shows it."""

import re
from collections.abc import Iterator

from freshness.core.scaffold.layout import Layout, Side

PLACEHOLDER = "<full commit id of v1.0.0>"
_TEMPLATE = """\
name: deploy

on:
  pull_request:
  workflow_dispatch:
    inputs:
      revision:
        description: full commit id to deploy; empty means the tip of the branch this is started on
        default: ""
      pr:
        description: number of a pull request to deploy the head of, instead
        default: ""
      allow-rollback:
        description: reason for going back to a commit older than what production runs
        default: ""
      allow-diverged:
        description: reason for deploying a commit that lacks commits of what production runs
        default: ""

permissions:
  contents: read # to check out, and to ask where branches and pull requests stand

jobs:
  gate:
    name: Gate
    runs-on: deploy-host # one runner: the machine whose Docker Engine runs staging and production
    concurrency:
      group: staging-${{ github.ref }}
      cancel-in-progress: false
    permissions:
      contents: read
      pull-requests: write # for the one comment that says how it went
    outputs:
      gate: ${{ steps.gate.outputs.gate }}
      verdict: ${{ steps.gate.outputs.verdict }}
      reason: ${{ steps.gate.outputs.reason }}
      revision: ${{ steps.gate.outputs.revision }}
      @IMAGE@: ${{ steps.gate.outputs.@IMAGE@ }}
    steps:
      - uses: actions/checkout@34e114876b0b11c390a56381ad16ebd13914f8d5 # v4.3.1
        with:
          persist-credentials: false
      - name: Gate
        id: gate
        uses: org/freshness-action@@PIN@
        with:
          revision: ${{ inputs.revision }}
          pr: ${{ inputs.pr }}
          pull-request-comment: true
@GATE@

  promote:
    name: Promote
    needs: gate
    if: ${{ github.event_name == 'workflow_dispatch' && needs.gate.outputs.gate == 'open' }}
    runs-on: deploy-host
    concurrency:
      group: production-${{ github.event_name }}
      cancel-in-progress: false
    permissions:
      contents: read
      pull-requests: write # for the same comment
    steps:
      - uses: actions/checkout@34e114876b0b11c390a56381ad16ebd13914f8d5 # v4.3.1
        with:
          persist-credentials: false
      - name: Promote
        uses: org/freshness-action/promote@@PIN@
        with:
          expected-revision: ${{ needs.gate.outputs.revision }}
          @SOURCE@: ${{ needs.gate.outputs.@IMAGE@ }}
          pr: ${{ inputs.pr }} # so that its head is asked for once more
          allow-rollback: ${{ inputs.allow-rollback }}
          allow-diverged: ${{ inputs.allow-diverged }}
          pull-request-comment: true
@PROMOTE@
"""


def render_workflow(layout: Layout, pin: str = PLACEHOLDER) -> str:
    """`pin` is the full commit id of the action."""
    several = len(layout.staging.members) > 1
    words = {
        "@IMAGE@": "images" if several else "image-id",
        "@SOURCE@": "source-images" if several else "source-image",
        "@PIN@": pin,
        "@GATE@": _inputs(gate_inputs(layout)),
        "@PROMOTE@": _inputs(promote_inputs(layout)),
    }
    text = _TEMPLATE
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def gate_inputs(layout: Layout) -> dict[str, str]:
    """What the gate is told, besides the commit."""
    found = dict(_files(layout.staging))
    staging, published = layout.staging, layout.production.published
    if layout.is_plain:
        (member,) = staging.members
        found |= {"service": member.name, **_port(member.port), "health-path": member.health}
        if member.check:
            found |= {"check-command": member.check.command} if member.check.command else _path(member.check.path)
    if layout.is_throwaway:
        found["throwaway-staging"] = "true"
    elif published and published != 8500:  # noqa: PLR2004 -- the setting's own default
        found["prod-port"] = str(published)
    return found


def promote_inputs(layout: Layout) -> dict[str, str]:
    """What the promotion is told, besides commit and image."""
    found = dict(_files(layout.production))
    if layout.is_plain:
        (member,) = layout.production.members
        staging = {} if layout.is_throwaway else {"staging-service": layout.staging.names[0]}
        found |= {"service": member.name, **staging, **_port(member.port), "health-path": member.health}
    elif layout.staging.names != layout.production.names:
        found["staging-service"] = " ".join(layout.staging.names)
    return found


def _files(side: Side) -> Iterator[tuple[str, str]]:
    if side.files:
        yield "compose-file", "\n".join(side.files)
    if side.project:
        yield "project", side.project


def _port(port: int | None) -> dict[str, str]:
    return {"port": str(port)} if port else {}


def _path(path: str) -> dict[str, str]:
    return {} if path == "scripts/staging_check.py" else {"check-path": path}


def _inputs(given: dict[str, str]) -> str:
    return "\n".join(line for name, value in given.items() for line in _input(name, value))


def _input(name: str, value: str) -> Iterator[str]:
    if "\n" in value:
        yield f"          {name}: |"
        yield from (f"            {line}" for line in value.splitlines())
        return
    yield f"          {name}: {scalar(value)}"


def scalar(value: str) -> str:
    """The text in YAML: as it is where that means the same."""
    if re.fullmatch(r"[A-Za-z0-9_./][A-Za-z0-9_./ -]*", value):
        return value
    return "'" + value.replace("'", "''") + "'"
