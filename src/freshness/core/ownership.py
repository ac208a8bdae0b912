"""May a run replace what stands at its target? Asked of the containers, their Compose files, and the standing record.

Labels of project and service are not enough: two Compose files of one repository have the same, and so has every
container that is run by hand from an image that `docker commit` made of one.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from freshness.core.configuration import environment_of
from freshness.core.deployment import Deployment, Recorded, Role, target_name
from freshness.core.published import Published, in_words, meet_all

HASH_LABEL = "com.docker.compose.config-hash"
NUMBER_LABEL = "com.docker.compose.container-number"
ONE_OFF_LABEL = "com.docker.compose.oneoff"
_COMPOSE = "com.docker.compose."
_MAKING = re.compile(r"[0-9a-f]{12}_")  # before the name, while Compose replaces a container
_IMPLICIT_FILES = frozenset({
    ".env", "null",
    "compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml",
})  # fmt: skip
"""What Compose reads of itself, or in place of that; older releases left it out."""


class Claim(Struct, frozen=True, kw_only=True):
    """What a run holds its target to be.

    `repository` is `owner/name`, empty where nobody says. `files` are the Compose files: paths within the repository,
    or absolute ones; `env_files` likewise. `adopt` is the container that a person gives away, None for none.
    `forbidden` is the port that this run never takes, whatever a person says: production's, for the gate.
    `variables` are those that the service gets or may lack, `missing_env_files` the optional files that are not there.
    """

    project: str
    service: str
    role: Role
    container: str
    ports: tuple[Published, ...]
    files: tuple[str, ...]
    env_files: tuple[str, ...] = ()
    repository: str = ""
    adopt: str | None = None
    forbidden: int | None = None
    variables: frozenset[str] = frozenset()
    missing_env_files: tuple[str, ...] = ()


class ExistingContainer(Struct, frozen=True, kw_only=True):
    """A container that the run would replace.

    `files` and `env_files` are named as a claim's are; `is_same_file`: it was started from the very files of this run.
    `configuration` is Compose's hash, `is_same_configuration`: this run's files give the same one. `is_recorded`: it
    was made from what was recorded, and so from no file. `doubt` says in words why Compose may not have made it, empty
    where Compose did. `variables` are those that have a value, but for what the image brings.
    """

    name: str
    ports: tuple[Published, ...]
    files: tuple[str, ...]
    env_files: tuple[str, ...] = ()
    is_same_file: bool = False
    configuration: str = ""
    is_same_configuration: bool = False
    is_recorded: bool = False
    doubt: str = ""
    variables: frozenset[str] = frozenset()


class Objection(Struct, frozen=True, kw_only=True):
    """Why the run may not go on, and what to do."""

    message: str
    remedy: str


def object_to(claim: Claim, existing: Sequence[ExistingContainer], recorded: Recorded | None) -> Objection | None:
    """What speaks against the run, or None. No record is no objection: older releases and people made none."""
    if recorded and recorded.deployment.role is not claim.role:
        return _other_role(claim, recorded)
    for one in existing:
        doubts = _doubts(claim, one, recorded)
        if claim.forbidden and any(port.port == claim.forbidden for port in one.ports):
            return _forbidden(claim, one, doubts)
        if doubts and claim.adopt != one.name:
            return _doubtful(claim, one.name, doubts)
    if not existing and recorded and claim.adopt not in {recorded.deployment.container, claim.container}:
        said = _repository_doubt(claim, recorded, is_same_file=False)
        if said:
            return _doubtful(claim, recorded.deployment.container or claim.container, (said,))
    return None


def object_to_lost_variables(claim: Claim, recorded: Recorded | None) -> Objection | None:
    """As `object_to`, where no container stands at the target: what was recorded to have run has values too."""
    ran = recorded.deployment if recorded else None
    if ran is None or not ran.configuration or claim.adopt in {ran.container, claim.container}:
        return None
    lost = _lost_variables(claim, environment_of(ran.configuration, claim.service).keys())
    return _doubtful(claim, ran.container or claim.container, (lost,)) if lost else None


def differs_in_files(claim: Claim, one: ExistingContainer) -> bool:
    """Whether it was started from other files, which does not count where Compose sees no difference."""
    return any(_file_doubts(claim, one))


def adopts_needlessly(claim: Claim, existing: Sequence[ExistingContainer], recorded: Recorded | None) -> bool:
    """Whether `adopt` is given, and nothing would object without it."""
    return claim.adopt is not None and object_to(replace(claim, adopt=None), existing, recorded) is None


def deployment_of(claim: Claim, recorded: Recorded | None, *, is_as_it_ran: bool = False) -> Deployment:
    """What to record once the target is this run's: what ran there stays as it was recorded.

    So do the files of what is made from the record: what this run's files do not say of it would be lost unseen.
    """
    empty = Deployment(project=claim.project, service=claim.service, role=claim.role)
    before = recorded.deployment if recorded else empty
    return replace(
        before,
        role=claim.role,
        repository=claim.repository or before.repository,
        files=(before.files if is_as_it_ran else ()) or claim.files,
        container=claim.container,
        ports=tuple(map(str, claim.ports)),
    )


def why_not_from_compose(labels: Mapping[str, str], image_labels: Mapping[str, str]) -> str:
    """In words, why Compose may not have made the container; empty where it did.

    A label that the image brings is no evidence. Compose takes for its own whatever has the label of a hash.
    """
    missing = [label for label in (HASH_LABEL, NUMBER_LABEL) if not labels.get(label)]
    if missing:
        return f"it lacks labels that Compose sets ({' and '.join(missing)})"
    if labels[HASH_LABEL] == image_labels.get(HASH_LABEL):
        return (
            "its Compose labels come from its image, as after `docker commit` (started with `--label"
            " com.docker.compose.project=` it is left alone)"
        )
    return ""


def is_seen_by_compose(labels: Mapping[str, str]) -> bool:
    """Whether Compose, or this tool, takes the container for one of the service that its labels name."""
    one_off = labels.get(ONE_OFF_LABEL)
    return one_off != "True" and (HASH_LABEL in labels or one_off == "False")


def labels_of_compose(image_labels: Mapping[str, str]) -> tuple[str, ...]:
    """Compose's labels that an image brings, as `key=value`."""
    return tuple(f"{key}={value}" for key, value in sorted(image_labels.items()) if key.startswith(_COMPOSE) and value)


def appears_from_compose(image_labels: Mapping[str, str]) -> bool:
    """Whether Compose takes each container of the image for a service's, whoever started it."""
    return HASH_LABEL in image_labels and bool(image_labels.get(f"{_COMPOSE}project"))


def _doubts(claim: Claim, one: ExistingContainer, recorded: Recorded | None) -> tuple[str, ...]:
    return tuple(_find_doubts(claim, one, recorded))


def _find_doubts(claim: Claim, one: ExistingContainer, recorded: Recorded | None) -> Iterator[str]:
    if one.doubt:
        yield one.doubt
    was_ours = _was_ours(claim, one, recorded)
    if not was_ours and not meet_all(one.ports, claim.ports):
        yield f"it publishes {in_words(one.ports)}, expected {in_words(claim.ports)} (`ports`)"
    if not was_ours and not _has_name(claim, one.name):
        yield f"its name is {one.name}, expected {claim.container} (`container_name`)"
    if not one.is_same_configuration:
        yield from _file_doubts(claim, _from_record(one, recorded))
    if lost := _lost_variables(claim, one.variables):
        yield lost
    if recorded and (said := _repository_doubt(claim, recorded, is_same_file=one.is_same_file)):
        yield said


def _from_record(one: ExistingContainer, recorded: Recorded | None) -> ExistingContainer:
    """With the files of the record, where it was made from that and from no file."""
    if recorded is None or not _is_made_from(one, recorded):
        return one
    return replace(one, files=recorded.deployment.files, env_files=())


def _is_made_from(one: ExistingContainer, recorded: Recorded | None) -> bool:
    """Whether a rollback made it from the record."""
    return recorded is not None and one.is_recorded and one.configuration == recorded.deployment.made


def _was_ours(claim: Claim, one: ExistingContainer, recorded: Recorded | None) -> bool:
    """Whether a run of this very name and these ports went back to it: to the name and the ports of then."""
    if recorded is None or not _is_made_from(one, recorded):
        return False
    then = recorded.deployment
    return then.container == claim.container and then.ports == tuple(map(str, claim.ports))


def _file_doubts(claim: Claim, one: ExistingContainer) -> Iterator[str]:
    if _told(one.files) != _told(claim.files):
        yield f"it was started from {_list(one.files)}, expected {_list(claim.files)} (`compose-file`)"
    if set(_told(one.env_files)) - set(_told(claim.env_files)):
        expected = _list(claim.env_files)
        yield f"it was started with the env file {_list(one.env_files)}, expected {expected} (`compose-env-files`)"


def _lost_variables(claim: Claim, given: Collection[str]) -> str:
    """In words, what of these values an optional env file may have brought that is not there; else empty."""
    lost = sorted(set(given) - claim.variables)
    if not lost or not claim.missing_env_files:
        return ""
    return (
        f"it has a value for {', '.join(lost)}, which nothing here gives, and {_list(claim.missing_env_files)} is not"
        " there (`env_file` with `required: false`). Give `project-directory` the folder that has it, or name in"
        " `allow-empty` what may go"
    )


def _repository_doubt(claim: Claim, recorded: Recorded, *, is_same_file: bool) -> str:
    theirs = recorded.deployment.repository
    if not theirs or theirs == claim.repository or (not claim.repository and is_same_file):
        return ""
    ours = claim.repository or f"an unknown repository (in a shell, set GITHUB_REPOSITORY={theirs} if it is that)"
    return f"the record of {recorded.since} says it belongs to the repository {theirs}; this run is for {ours}"


def _has_name(claim: Claim, name: str) -> bool:
    """Compose numbers what has no `container_name`; its first version wrote underscores."""
    plain = _MAKING.sub("", name, count=1)
    numbered = re.compile(rf"{re.escape(claim.project)}[-_]{re.escape(claim.service)}[-_][0-9]+")
    return plain == claim.container or bool(numbered.fullmatch(plain) and numbered.fullmatch(claim.container))


def _told(files: Sequence[str]) -> tuple[str, ...]:
    """Those that somebody named."""
    return tuple(path for path in files if path.rpartition("/")[2] not in _IMPLICIT_FILES)


def _list(names: Sequence[str]) -> str:
    return " and ".join(names) or "none"


def _doubtful(claim: Claim, name: str, doubts: Sequence[str]) -> Objection:
    return Objection(
        message=(
            f"The container {name} would be replaced, but may not be this repository's {claim.role.value}:"
            f" {'; '.join(doubts)}."
        ),
        remedy=(
            f"If it is something else, give {claim.role.value} a project of its own (`project`, or `name:` in the"
            " Compose file), or correct `service`, `port` or `compose-file`. If it may be replaced, allow it once:"
            f" `adopt: {name}`, on a command line `--adopt {name}`."
        ),
    )


def _forbidden(claim: Claim, one: ExistingContainer, doubts: Sequence[str]) -> Objection:
    return Objection(
        message=(
            f"The container {one.name} would be replaced, but publishes {claim.forbidden}, production's port"
            f" (`prod-port`): {'; '.join(doubts)}."
        ),
        remedy=(
            "The gate never replaces it, not even with `adopt`. Give staging a project of its own (`project`, or"
            " `name:` in the Compose file), or correct `service` or `compose-file`. If nobody needs that container,"
            f" remove it: `docker rm --force {one.name}`."
        ),
    )


def _other_role(claim: Claim, recorded: Recorded) -> Objection:
    was = recorded.deployment
    of = f" of {was.repository}" if was.repository else ""
    return Objection(
        message=(
            f"{target_name(claim.project, claim.service)} is {was.role.value}{of}, as recorded on this Docker host"
            f" {recorded.since}; expected {claim.role.value}, or no record."
        ),
        remedy=(
            f"Correct `service` or `compose-file`, or give {claim.role.value} a project of its own (`project`, or"
            " `name:` in the Compose file). `adopt` does not help here: if the service has really become"
            f" {claim.role.value}, remove the record: `docker volume rm {recorded.name}`."
        ),
    )
