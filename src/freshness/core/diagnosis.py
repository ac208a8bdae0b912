"""Judges what `freshness doctor` read of a machine, its Engine, its runner and its forge."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from freshness.core.finding import Area, Finding, Level
from freshness.core.mounts import Mount, Process, covers, named_paths
from freshness.core.quoting import quoted

LEAST_ENGINE = "20.10"
LEAST_PLUGINS = {"buildx": "0.13", "compose": "2.0"}
LEAST_FREE = 2 << 30
"""Bytes: an image of an interpreter with its packages, its layers, and BuildKit's copy."""
MOST_SKEW = 5.0
"""Seconds. The tool compares times of one clock alone; people compare logs, and servers certificates."""
_NUMBERS = re.compile(r"\d+(?:\.\d+)+")


def judge_version(area: Area, what: str, said: str, least: str, remedy: str) -> Finding:
    """Whether the first number with a dot of what it `said` is `least` or newer."""
    found = _NUMBERS.search(said)
    if found is None:
        return Finding(area=area, level=Level.PROBLEM, got=f"{what} says no version: {quoted(said)}.", remedy=remedy)
    if _parts(found[0]) < _parts(least):
        got = f"{what} is {found[0]}; expected {least} or newer."
        return Finding(area=area, level=Level.PROBLEM, got=got, remedy=remedy)
    return Finding(area=area, level=Level.OK, got=f"{what} {found[0]} ({least} or newer is needed).")


def judge_space(free: int, total: int, root: str) -> Finding:
    """Bytes on the file system where the Engine keeps its data."""
    got = f"{_gib(free)} of {_gib(total)} are free at {root}, where Docker keeps its data"
    if free >= LEAST_FREE:
        return Finding(area=Area.MACHINE, level=Level.OK, got=f"{got}.")
    return Finding(
        area=Area.MACHINE,
        level=Level.NOTE,
        got=f"{got}; a build may not fit.",
        remedy="`docker system df` says what takes the space; never prune with `--all --volumes` on a deploy host.",
    )


def judge_clock(skew: float) -> Finding:
    """Seconds by which the Engine's clock is ahead of this machine's."""
    if abs(skew) <= MOST_SKEW:
        return Finding(
            area=Area.MACHINE, level=Level.OK, got=f"its clock and the Engine's agree within {MOST_SKEW:g} s."
        )
    side = "ahead of" if skew > 0 else "behind"
    return Finding(
        area=Area.MACHINE,
        level=Level.NOTE,
        got=f"the Engine's clock is {abs(skew):.0f} s {side} this machine's.",
        remedy="Let both follow a time server (`timedatectl set-ntp true`).",
    )


def judge_mounts(mounts: Iterable[Mount], allowed: Collection[str], process: Process) -> Iterator[str]:
    """A sentence for each mount that lies over what the container starts in, or over what it names.

    By the image's configuration alone: its files are not read.
    """
    for mount in mounts:
        if mount.is_renewed or mount.is_scratch or mount.target in allowed:
            continue
        covered = [path for path in (process.folder, *named_paths(process)) if covers(mount.target, path)]
        if covered:
            yield f"{mount} covers {covered[0]}, which the container starts"


def judge_labels(labels: Sequence[str], wanted: Sequence[str], place: str) -> Iterator[Finding]:
    """A runner's labels (`name:host`, `name:docker://image`) against those that a workflow asks for.

    Its other jobs may run elsewhere: one label that is there is enough.
    """
    schemas = {name: schema for name, _, schema in (label.partition(":") for label in labels)}
    there = [name for name in dict.fromkeys(wanted) if name in schemas]
    if wanted and not there:
        has = ", ".join(schemas) or "no label"
        yield Finding(
            area=Area.RUNNER,
            level=Level.PROBLEM,
            got=f"the workflow runs on {' and '.join(wanted)}; the runner at {place} has {has}.",
            remedy=f"Give the runner the label `{wanted[0]}:host`, or correct `runs-on:`.",
        )
    for name in there:
        yield _where_jobs_run(name, schemas[name], place)


def _where_jobs_run(name: str, schema: str, place: str) -> Finding:
    if not schema.startswith("docker:"):
        got = f"the runner at {place} has the label {quoted(name)}; its jobs run on this machine."
        return Finding(area=Area.RUNNER, level=Level.OK, got=got)
    return Finding(
        area=Area.RUNNER,
        level=Level.NOTE,
        got=f"jobs on {quoted(name)} run in a container of {schema.removeprefix('docker://')}.",
        remedy="It needs docker with buildx and Compose, Python 3.11 with venv, node, and the Docker socket.",
    )


def find_labels(workflow: str) -> Iterator[str]:
    """The labels of each `runs-on:` in the text of a workflow, without expressions."""
    for value in re.findall(r"^\s*runs-on:\s*([^#\n]+)", workflow, re.MULTILINE):
        for label in re.split(r"[\[\],\s]+", value.strip()):
            plain = label.strip("\"'")
            if plain and "$" not in value:
                yield plain


def judge_rights(status: int, found: object, repository: str) -> Finding:
    """What the forge's API answered to `GET /repos/OWNER/NAME` with the token."""
    if status == 200 and isinstance(found, Mapping):  # noqa: PLR2004 -- HTTP's own
        given = found.get("permissions")
        rights = [name for name, has in given.items() if has is True] if isinstance(given, Mapping) else []
        said = f"; it may {', '.join(sorted(map(str, rights)))}" if rights else ""
        return Finding(area=Area.FORGE, level=Level.OK, got=f"the token reads {repository}{said}.")
    why = {
        401: "does not know the token (a job's token dies with its run)",
        403: "lets the token read nothing there",
        404: "shows the token no such repository",
    }.get(status, f"answered HTTP {status}")
    return Finding(
        area=Area.FORGE,
        level=Level.PROBLEM,
        got=f"the forge's API {why}: GET /repos/{repository}.",
        remedy="Give `github-token` (GITHUB_TOKEN) a token of this forge with `contents: read`.",
    )


def _parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _gib(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB"
