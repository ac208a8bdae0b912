"""The command `init`: writes workflow, settings and a staging check for the application in this checkout."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from freshness.cli.streams import answer
from freshness.core.repository_name import name_of
from freshness.core.run import Run
from freshness.core.scaffold.files import ForgeKind, notes_of, render_files, render_host_file
from freshness.core.scaffold.layout import Layout
from freshness.core.scaffold.workflow import PLACEHOLDER
from freshness.errors import SettingsError
from freshness.git.checkout import is_there
from freshness.git.work_tree import WorkTree
from freshness.scaffold.find import find_layout
from freshness.scaffold.project import Reader
from freshness.scaffold.write import find_forge, own_commit, write_new
from freshness.settings.values import WrongValue
from freshness.settings.values import services as read_services


def run_init(
    given: Mapping[str, str | None],
    env: Mapping[str, str],
    *,
    services: str | None,
    forge: str | None,
    only_print: bool,
    as_json: bool,
) -> None:
    """Nothing that is there is overwritten. Raises SettingsError where the Compose files cannot be read."""
    folder = Path(Run.of(env).workspace or Path.cwd())
    if not is_there(folder):
        raise SettingsError(
            f"{folder} is not the top of a Git repository; expected one, since only what is committed is built.",
            "Change to that folder, or run `git init` there.",
        )
    layout = find_layout(Reader(folder=folder, given=given, run_env=env), _names(services))
    pin = own_commit()
    files = render_files(layout, ForgeKind(forge) if forge else find_forge(folder), pin)
    written = () if only_print else write_new(folder, files)
    if as_json:
        answer(json.dumps(_as_object(files, written, layout), indent=2))
    elif only_print:
        shown = {**files, _host_file(folder, env): render_host_file(layout)}
        answer("\n".join(f"# ---- {name}\n{text}" for name, text in shown.items() if text))
    else:
        answer("\n".join([*_told(files, written, layout, pin), *_next(layout, _host_file(folder, env))]))


def _host_file(folder: Path, env: Mapping[str, str]) -> str:
    """Where the host's own file is, as far as the repository's name is known."""
    name = name_of(Run.of(env).repository) or WorkTree.around(folder / "freshness.toml", None).repository()
    return f"/etc/freshness/{name or 'OWNER/NAME'}.toml"


def _as_object(files: Mapping[str, str], written: tuple[str, ...], layout: Layout) -> dict[str, object]:
    each = [{"path": name, "written": name in written, "text": text} for name, text in files.items()]
    return {"files": each, "host_file": render_host_file(layout), "notes": list(notes_of(layout))}


def _told(files: Mapping[str, str], written: tuple[str, ...], layout: Layout, pin: str) -> Iterator[str]:
    for name in files:
        yield f"wrote {name}" if name in written else f"kept  {name}: it was there, and `--print` shows ours"
    yield from (f"note: {text}" for text in notes_of(layout))
    if pin == PLACEHOLDER:
        yield f"note: put the release's commit for {PLACEHOLDER} in the workflow: docs/getting-started.md says how."


def _next(layout: Layout, place: str) -> Iterator[str]:
    host, name = render_host_file(layout), place.removeprefix("/etc/freshness/").removesuffix(".toml")
    if host:
        yield f"For the command line on the host, `export GITHUB_REPOSITORY={name}`, and this in {place}:\n\n{host}"
    yield "Next: look through the files, commit them, register the runner as `deploy-host`, and run `freshness doctor`."


def _names(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    try:
        return read_services(text)
    except WrongValue as wrong:
        raise SettingsError(f"`--service` is {text!r}; expected {wrong.expected}.", wrong.remedy) from wrong
