"""What is said of what runs: how it came to run, what ran before, and what a person types where nothing helps."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from freshness.core.configuration import bound_paths, variables_of
from freshness.core.image import Image
from freshness.core.lock import Begun
from freshness.core.promotion import manual_commands, name_revision, not_compared
from freshness.engine.client import Engine
from freshness.engine.containers import Container
from freshness.engine.images import find_image
from freshness.errors import FreshnessError, Refused
from freshness.promotion.change import Change, Make
from freshness.promotion.work import Part

Containers = Sequence[Container]


def refuse_missing(configuration: str) -> None:
    """Raises Refused where a path that it mounts is gone from this host: Docker would make an empty folder."""
    missing = [path for path in bound_paths(configuration) if not Path(path).exists()]
    if missing:
        raise Refused(
            f"what ran before mounted {' and '.join(missing)}, and that is gone from this host.",
            "Put it back; or promote that image with today's Compose file: `freshness promote --source-image ID"
            " --expected-revision COMMIT --allow-rollback REASON`.",
        )


def what_serves_again(changes: Sequence[Change], label: str) -> str:
    """What production runs after a rollback, in the rest of a sentence."""
    back = [change for change in changes if change.move.previous]
    if not back:
        return "nothing served before this first deployment, and nothing of it is left."
    name = _naming(changes, label)
    said = [
        (change.service, f"{name(change.move.previous)} serves again{_with_what(change.former)}")
        for change in back
        if change.move.previous
    ]
    gone = [change.service for change in changes if not change.move.previous]
    left = f"; nothing served before as {' and '.join(gone)}, and nothing is left there" if gone else ""
    return f"{'; '.join(_told(said, alone=len(changes) == 1))}{left}."


def _naming(changes: Sequence[Change], label: str) -> Callable[[Image], str]:
    """How an image is called: of several services, whose images differ, by the commit that they have in common."""
    if len(changes) == 1:
        return lambda image: name_revision(image, label)
    return lambda image: f"commit {image.revision(label)}" if image.revision(label) else name_revision(image, label)


def _told(said: Sequence[tuple[str, str]], *, alone: bool) -> list[str]:
    """Services and sentences: each sentence once, with those of which it is said."""
    services: dict[str, list[str]] = {}
    for service, text in said:
        services.setdefault(text, []).append(service)
    return [text if alone else f"{', '.join(names)}: {text}" for text, names in services.items()]


def _with_what(former: Make) -> str:
    """With which configuration what ran before serves again, where that is to be told."""
    if not former.configuration:
        return ", with today's Compose file where it had stopped: what it ran with was not recorded"
    return ", with the configuration that it ran with" if former.is_as_it_ran else ""


def what_all_serve(changes: Sequence[Change], containers: Mapping[str, Containers], label: str, *, forced: bool) -> str:
    """What production runs after the changes: a sentence for each service, or for those that are alike."""
    name = _naming(changes, label)
    said = [
        (change.service, _what_serves(change, containers.get(change.service, ()), name, forced=forced))
        for change in changes
    ]
    return " ".join(_told(said, alone=len(changes) == 1))


def _what_serves(change: Change, containers: Containers, name: Callable[[Image], str], *, forced: bool) -> str:
    """What production runs after the change, in a sentence."""
    move, before, after = change.move, _first(change.running), _first(containers)
    runs = f"Production runs {name(move.candidate)}"
    if is_unchanged(change, containers):
        had_stopped = before and not before.is_up
        found = "had stopped and was started again" if had_stopped else "is healthy; nothing was recreated"
        return f"{runs} already and {found}.{not_compared(change.make.target.contents)}"
    if move.previous is None:
        return f"{runs}; {_first_deployment(change.last)}."
    if move.previous.id == move.candidate.id:
        why = "`force-recreate` is true" if forced else _why_anew(before, after)
        return f"{runs}, as before; its container was made anew, since {why}."
    return f"{runs}; it ran {name(move.previous)} before."


def is_unchanged(change: Change, containers: Containers) -> bool:
    """Whether production's containers are those that they were before."""
    return bool(change.running) and {one.id for one in change.running} == {one.id for one in containers}


def _first(containers: Containers) -> Container | None:
    """One that stands for all: they are made alike."""
    return containers[0] if containers else None


def _first_deployment(last: str) -> str:
    """A first deployment in words: another image store of the Engine shows nothing of what ran before, `last`."""
    if not last:
        return "it is the first deployment"
    return f"nothing ran here, and {last} was recorded to have run last: it is the first deployment since then"


def _why_anew(before: Container | None, after: Container | None) -> str:
    """Why a container was made anew for the same image."""
    if before is None or after is None or not before.is_up:
        return "it did not run"
    if before.compose_version != after.compose_version:
        made, makes = before.compose_version or "another version", after.compose_version
        return f"Compose {made} made it, and Compose {makes} would make another of the same file"
    return "its configuration has changed"


def on_each(said: Iterable[tuple[str, str]]) -> str:
    """Sentences of Docker hosts by their names, each once, after those of which it is said; of a nameless one alone."""
    found = list(said)
    return " ".join(_told(found, alone=not found[0][0]))


def where_each(said: Iterable[tuple[str, str]]) -> str:
    """As `on_each`, of what is a part of a sentence."""
    hosts: dict[str, list[str]] = {}
    for name, text in said:
        hosts.setdefault(text, []).extend([name] if name else [])
    return "; ".join(f"{text}, on {' and '.join(names)}" if names else text for text, names in hosts.items())


def call_for_help(what: str, part: Part, error: FreshnessError) -> str:
    """What a person types where `error` kept the undo from working."""
    engine, changes, words = part.work.engine, part.plan.changes, part.work.host.subject.words
    gone = [one.move.previous.id for one in changes if one.move.previous and _is_gone(engine, one.move.previous)]
    if gone:
        return (
            f"{what}: {error} A person is needed: {' and '.join(dict.fromkeys(gone))}, which ran before, is gone from"
            " this Engine; promote an image that gets healthy."
        )
    commands, variables = list[str](), set[str]()
    for change in changes:
        commands += _commands(change, words, part.begun)
        known = change.former.configuration
        variables |= set(variables_of(known)) if known else set()
    unknown = not all(change.former.configuration for change in changes)
    by = " with the Compose file that production was started with" if unknown else ""
    where = "" if engine.is_local and not part.work.settings.docker_hosts else f" with DOCKER_HOST={engine.endpoint}"
    are_set = "".join(f", {name} set" for name in sorted(variables))
    return f"{what}: {error} A person is needed;{by}{where}{are_set} type: {' && '.join(commands)}"


def _commands(change: Change, words: Sequence[str], begun: Mapping[str, Begun]) -> tuple[str, ...]:
    previous, former = change.move.previous, change.former
    record = begun[change.lock].name if former.configuration and previous and change.lock in begun else ""
    target = former.target if previous else change.make.target
    return manual_commands(target, words, previous, change.move.tagged, record=record)


def _is_gone(engine: Engine, image: Image) -> bool:
    """Whether the Engine says so; one that says nothing may have it still."""
    try:
        return find_image(engine, image.id) is None
    except FreshnessError:
        return False
