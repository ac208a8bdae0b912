#!/usr/bin/env python3
"""Writes what is made of the tables of settings and outputs, between markers: actions, `.env.example`, the reference.

`--check` writes nothing and fails, naming the files that differ.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from freshness.ci.outputs import GATE_OUTPUTS, PROMOTE_OUTPUTS  # noqa: E402
from freshness.cli.main import commands  # noqa: E402 -- after the path that finds it
from freshness.core.event.rules import RULES  # noqa: E402
from freshness.settings.declaration import Setting  # noqa: E402
from freshness.settings.table import GATE, PROMOTE, PYTHON, STATUS  # noqa: E402
from scripts.settings_schema import commit_schema, host_schema  # noqa: E402

Blocks = Mapping[str, Callable[[], str]]


def inputs(table: Iterable[Setting]) -> str:
    """The `inputs:` of an action. No defaults of ours: an empty input is what means the default."""
    lines: list[str] = []
    for setting in (*table, PYTHON):
        default = _shown_default(setting)
        text = f"{setting.about} Default: {default}." if default else setting.about
        lines += [
            f"  {setting.name}:",
            f"    description: {json.dumps(text)}",
            f"    required: {_yaml(setting.required)}",
        ]
        if setting.action_default:
            lines.append(f"    default: {setting.action_default}")
    return "\n".join(lines)


def environment(table: Iterable[Setting]) -> str:
    """The `env:` of an action's step: every variable is set, so that nothing of the workflow's or runner's leaks in."""
    names = ((setting.carrier or setting.variable, setting.name) for setting in (*table, PYTHON))
    return "\n".join(f"        {variable}: ${{{{ inputs.{name} }}}}" for variable, name in names)


def outputs(table: Mapping[str, str], step: str) -> str:
    """The `outputs:` of an action, all from the one step that writes them."""
    return "\n".join(
        f"  {name}:\n    description: {json.dumps(about)}\n    value: ${{{{ steps.{step}.outputs.{name} }}}}"
        for name, about in table.items()
    )


def settings_table(table: Iterable[Setting]) -> str:
    """The reference's table of inputs: the common ones first."""
    rows = [
        f"| {'●' if setting.common else '○'} | `{setting.name}` | {_variable(setting)} | {_shown_default(setting)} | "
        f"{setting.about}{' **Required.**' if setting.required else ''} |"
        for setting in sorted((*table, PYTHON), key=lambda setting: not setting.common)
    ]
    return "\n".join(["", "| | input | environment | default | |", "| --- | --- | --- | --- | --- |", *rows, ""])


def outputs_table(table: Mapping[str, str]) -> str:
    """The reference's table of outputs."""
    rows = [f"| `{name}` | {about} |" for name, about in table.items()]
    return "\n".join(["", "| output | |", "| --- | --- |", *rows, ""])


def events_table() -> str:
    """The table of `docs/events.md`: where each event names its commit."""
    rows = [
        f"| `{event}` | {_as_code(rule.field)} | {rule.sha} | {rule.fork} | {rule.refused} |"
        for event, rule in RULES.items()
    ]
    head = ["| event | the commit's field | `GITHUB_SHA` there | a fork is told by | refused |", "| --- " * 5 + "|"]
    return "\n".join(["", *head, *rows, ""])


def command_help() -> str:
    """What `freshness --help` prints, as wide as it ever gets, whatever the terminal."""
    context = click.Context(commands, info_name="freshness", terminal_width=100, **commands.context_settings)
    return f"\n```text\n$ freshness --help\n{commands.get_help(context)}\n```\n"


def env_example() -> str:
    """One commented line for each variable of the command line, with its default."""
    settings = {setting.variable: setting for setting in (*PROMOTE, *GATE)}
    ordered = dict.fromkeys(setting.variable for setting in (*GATE, *PROMOTE))
    return "\n".join(f"\n# {settings[name].about}\n#{name}={settings[name].default}" for name in ordered)


FILES: Mapping[str, Blocks] = {
    "action.yml": {
        "inputs": lambda: inputs(GATE),
        "outputs": lambda: outputs(GATE_OUTPUTS, "gate"),
        "env": lambda: environment(GATE),
    },
    "promote/action.yml": {
        "inputs": lambda: inputs(PROMOTE),
        "outputs": lambda: outputs(PROMOTE_OUTPUTS, "promote"),
        "env": lambda: environment(PROMOTE),
    },
    "commit-status/action.yml": {"inputs": lambda: inputs(STATUS), "env": lambda: environment(STATUS)},
    ".env.example": {"env": env_example},
    "docs/events.md": {"events": events_table},
    "docs/reference.md": {
        "gate": lambda: settings_table(GATE),
        "gate-outputs": lambda: outputs_table(GATE_OUTPUTS),
        "promote": lambda: settings_table(PROMOTE),
        "promote-outputs": lambda: outputs_table(PROMOTE_OUTPUTS),
        "commit-status": lambda: settings_table(STATUS),
        "help": command_help,
    },
}
WHOLE: Mapping[str, Callable[[], str]] = {
    "docs/schema/freshness.json": commit_schema,
    "docs/schema/host.json": host_schema,
}
"""Files that are nothing else."""


def fill(text: str, blocks: Blocks) -> str:
    """`text` with each block between its markers. Raises LookupError where they are missing."""
    for name, render in blocks.items():
        text = _between_markers(text, name, render())
    return text


def _between_markers(text: str, name: str, block: str) -> str:
    """The markers are `settings:NAME` and `/settings:NAME`, each alone in a comment of YAML or Markdown."""
    begin, end = (rf"^[ ]*(?:#|<!--) {slash}settings:{name}(?: -->)?\n" for slash in ("", "/"))
    match = re.search(rf"({begin}).*?({end})", text, re.MULTILINE | re.DOTALL)
    if match is None:
        raise LookupError(f"the markers of settings:{name} are missing")
    return f"{text[: match.end(1)]}{block}\n{text[match.start(2) :]}"


def main() -> int:
    """Fills or checks the files below `--root`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only look")
    parser.add_argument("--root", type=Path, default=ROOT)
    arguments = parser.parse_args()
    fills = {name: lambda text, blocks=blocks: fill(text, blocks) for name, blocks in FILES.items()}
    fills |= {name: lambda _, make=make: make() for name, make in WHOLE.items()}
    wrong = [problem for name in fills if (problem := _render(arguments.root / name, fills[name], arguments.check))]
    for problem in wrong:
        print(problem, file=sys.stderr)
    return 1 if wrong else 0


def _render(path: Path, new_text: Callable[[str], str], check: bool) -> str:  # noqa: FBT001 -- the one choice there is
    try:
        old = path.read_text(encoding="utf-8")
        new = new_text(old)
    except (OSError, LookupError) as error:
        return f"{path}: {error}"
    if old == new:
        return ""
    if check:
        return f"{path}: differs from the tables; run scripts/render_settings.py"
    path.write_text(new, encoding="utf-8")
    return ""


def _shown_default(setting: Setting) -> str:
    return setting.shown_default or (f"`{setting.default}`" if setting.default else "")


def _as_code(field: str) -> str:
    return field if "`" in field else f"`{field}`"


def _variable(setting: Setting) -> str:
    return f"`{setting.variable}`" if setting.variable else ""


def _yaml(value: bool) -> str:  # noqa: FBT001 -- a value, not a switch
    return str(value).lower()


if __name__ == "__main__":
    sys.exit(main())
