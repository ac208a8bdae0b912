"""How the image is built: the context, and arguments and secrets, of which no secret shows in the image's history."""

import os
import re
from pathlib import Path, PurePosixPath

from msgspec import Struct

from freshness.core.quoting import quoted
from freshness.settings import values
from freshness.settings.declaration import Surroundings, setting
from freshness.settings.kinds import Incomplete, SecretSource
from freshness.settings.values import WrongValue, numbered

_ARGUMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")
_SECRET_WORD = re.compile(
    r"(^|_)(TOKEN|PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIALS?|API_?KEY|PRIVATE_?KEY|KEY|AUTH)S?(_|$)", re.IGNORECASE
)
_SOURCE_FORM = "Write id=NAME,src=/absolute/path or id=NAME,env=VARIABLE."


def parse_arguments(text: str) -> tuple[str, ...]:
    """`NAME=VALUE` of each line. The error names the line, not the value, which might be a secret."""
    seen: dict[str, str] = {}
    for number, line in numbered(text):
        match = _ARGUMENT.fullmatch(line)
        if match is None:
            raise WrongValue(f"NAME=VALUE in line {number}", "Write one build argument a line, with its value.")
        name = match[1]
        if name in seen:
            raise WrongValue(f"each argument once, and line {number} has {name} again", "Remove one of the two.")
        seen[name] = line
    return tuple(seen.values())


def _warn_of_secrets(arguments: tuple[str, ...], surroundings: Surroundings) -> tuple[str, ...]:
    """Notes a sentence for each build argument whose name looks like a secret's."""
    surroundings.notes.extend(
        f"The build argument {name} looks like a secret: anybody who has the image can read it in the history. "
        "Give it with `secrets` and RUN --mount=type=secret."
        for name in (argument.partition("=")[0] for argument in arguments)
        if _SECRET_WORD.search(name)
    )
    return arguments


def parse_secrets(text: str) -> tuple[SecretSource, ...]:
    """One source a line, in buildx's own form: `id=NAME,src=PATH` or `id=NAME,env=VARIABLE`."""
    seen: dict[str, SecretSource] = {}
    for number, line in numbered(text):
        source = _secret(line, number)
        if source.id in seen:
            raise WrongValue(f"each secret once, and line {number} has {source.id} again", "Remove one of the two.")
        seen[source.id] = source
    return tuple(seen.values())


def _secret(line: str, number: int) -> SecretSource:
    pairs = [part.partition("=") for part in line.split(",")]
    keys = [key.strip() for key, _, _ in pairs]
    values = {key.strip(): value.strip() for key, _, value in pairs}
    place = {"src", "env"} & values.keys()
    if '"' in line or len(set(keys)) != len(keys) or not set(keys) <= {"id", "src", "env"} or len(place) != 1:
        raise WrongValue(f"an id and either src or env in line {number}", _SOURCE_FORM)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", values.get("id", "")):
        raise WrongValue(f"an id of letters, digits, `_`, `.` and `-` in line {number}", _SOURCE_FORM)
    if "env" in values:
        return _from_variable(values["id"], values["env"], number)
    return _from_file(values["id"], values["src"], number)


def _from_variable(name: str, variable: str, number: int) -> SecretSource:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
        raise WrongValue(f"a variable's name after env= in line {number}", _SOURCE_FORM)
    return SecretSource(id=name, env=variable)


def _from_file(name: str, src: str, number: int) -> SecretSource:
    path = Path(src)
    if not path.is_absolute() or ".." in path.parts:
        raise WrongValue(f"an absolute path without `..` after src= in line {number}", _SOURCE_FORM)
    return SecretSource(id=name, src=path)


def _usable(sources: tuple[SecretSource, ...], surroundings: Surroundings) -> tuple[SecretSource, ...]:
    """The secrets that exist; each variable that is not set is noted.

    BuildKit would give an unset variable as an empty secret, which `required=true` in the Dockerfile accepts.
    """
    usable = []
    for source in sources:
        if source.src is not None:
            _require_file(source.id, source.src, surroundings)
        if source.env is not None and not surroundings.env.get(source.env):
            note = f"The build gets no secret {source.id}: the variable {source.env} is not set, or is empty."
            surroundings.notes.append(note)
            continue
        usable.append(source)
    return tuple(usable)


def _require_file(name: str, path: Path, surroundings: Surroundings) -> None:
    """Follows symbolic links: one must not lead back into the workspace, where the commit's author writes."""
    told = f"`secrets` (BUILD_SECRETS) takes {name} from {quoted(str(path))}; expected a file"
    real = Path(os.path.realpath(path))
    if real.is_relative_to(os.path.realpath(surroundings.workspace)):
        remedy = "Keep the secret outside the checkout, or give it with env=."
        surroundings.refuse(f"{told} outside the workspace.", remedy)
    elif not (real.is_file() and os.access(real, os.R_OK)):
        surroundings.refuse(f"{told} that this user can read.", "Create it on the runner, or correct the path.")


class BuildSettings(Struct, frozen=True, kw_only=True):
    """What is built. `context` and `dockerfile` are relative to the Git tree's root; `timeout` is in seconds.

    `target` is None for the last stage, `dockerfile` for the one in the context, `given_context` where nobody says.
    """

    given_context: PurePosixPath | None = setting(
        values.optional(values.relative_path),
        "Folder of the build context, relative to the repository's root.",
        name="context",
        variable="BUILD_CONTEXT",
        shown_default="that of the Compose file's `build:`, else `.`",
        common=True,
    )
    dockerfile: PurePosixPath | None = setting(
        values.optional(values.relative_path),
        "Dockerfile, relative to the repository's root; may lie outside the context.",
        name="file",
        variable="DOCKERFILE",
        shown_default="that of the Compose file's `build:`, else `{context}/Dockerfile`",
        common=True,
    )
    arguments: tuple[str, ...] = setting(
        parse_arguments,
        "Build arguments, one `NAME=VALUE` a line. Readable in the image's history: no secrets.",
        name="build-args",
        multiline=True,
        common=True,
        resolve=_warn_of_secrets,
    )
    secrets: tuple[SecretSource, ...] = setting(
        parse_secrets,
        "BuildKit secrets, one a line: `id=NAME,src=/absolute/path` outside the workspace, or "
        "`id=NAME,env=VARIABLE` of the job's `env:`.",
        variable="BUILD_SECRETS",
        multiline=True,
        common=True,
        resolve=_usable,
    )
    timeout: float = setting(
        values.number(1, 86400, "seconds"), "Time limit of the build, in seconds.", name="build-timeout", default="3600"
    )
    target: str | None = setting(
        values.optional(
            values.matching(
                r"[A-Za-z0-9][A-Za-z0-9_.-]*", "a build stage's name", "Give the name after `AS` in the Dockerfile."
            )
        ),
        "Build stage.",
        variable="BUILD_TARGET",
        shown_default="the last one",
    )
    incomplete: Incomplete = setting(
        values.choice(Incomplete, "Write refuse, or allow where empty submodules and LFS pointers are wanted."),
        "What to do about submodules and Git LFS pointers in the build: `refuse`, or `allow` (empty folders and"
        " plain pointers, each reported).",
        default="refuse",
    )
    pull: bool = setting(
        values.switch,
        "Whether the base images are looked up in their registry at every build (`docker buildx build --pull`); else"
        " what the Engine has is used.",
        default="false",
    )
    revision_arguments: frozenset[str] = setting(
        values.variable_names,
        "Build arguments that get the commit's full id, such as `VCS_REF, GIT_COMMIT`, separated by commas or blanks.",
        name="revision-args",
        default="GIT_SHA",
        words=True,
    )
    keep: int = setting(
        values.whole_number(1, 100000, "commits"),
        "Number of commits whose images keep the tag that their gate gave them. Older ones are removed unless a"
        " container or another tag uses them.",
        name="keep-builds",
        default="20",
    )

    @property
    def context(self) -> PurePosixPath:
        """The folder of the context."""
        return self.given_context or PurePosixPath()

    @property
    def file(self) -> PurePosixPath:
        """The Dockerfile."""
        return self.dockerfile or self.context / "Dockerfile"
