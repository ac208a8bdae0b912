"""Which images production can go back to: the last ones that it ran, each retained on the host by a tag."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from freshness.core.compose import Target, image_of
from freshness.core.discreet import Discreet
from freshness.core.hexid import IMAGE, is_shortened
from freshness.core.image import repository_of, same_tag
from freshness.core.quoting import quoted
from freshness.errors import Refused, SettingsError

PREVIOUS_TAG = "freshness-previous"
LIST = "`freshness rollback --list` shows the retained images"
_UNKNOWN = "* It ran with what was not recorded: it would run with today's Compose file."
_SHORT = 12  # digits of an id, as Docker prints them
_NUMBER = re.compile(r"[1-9][0-9]{0,3}")


class RetainedTags(Struct, frozen=True, kw_only=True):
    """The tags of what production ran before: `<repository>:freshness-previous`, `….2`, `….3` and so on.

    `suffix` tells apart two services of one repository, each of which would else find the other's images.
    """

    repository: str
    suffix: str = ""

    def name(self, number: int) -> str:
        """The tag of the newest (1), the one before (2), and so on."""
        return f"{self.repository}:{PREVIOUS_TAG}{'' if number == 1 else f'.{number}'}{self.suffix}"

    def numbers(self, versions: Iterable[str]) -> tuple[int, ...]:
        """The numbers of our tags among a repository's, the newest first."""
        ours = re.compile(rf"{re.escape(PREVIOUS_TAG)}(?:\.([2-9]|[1-9][0-9]{{1,3}}))?{re.escape(self.suffix)}")
        found = filter(None, (ours.fullmatch(version) for version in versions))
        return tuple(sorted(int(match[1] or 1) for match in found))


def retained_tags_of(target: Target, config: Mapping[str, Any], staging: Collection[str]) -> RetainedTags:
    """The service's tags, with its name appended where a service beside it and `staging` has the same repository.

    `config` is what Compose prints.
    """
    others = (name for name in config["services"] if name != target.service and name not in staging)
    shared = any(same_tag(repository_of(image_of(config, name)), target.repository) for name in others)
    return RetainedTags(repository=target.repository, suffix=f"-{target.service}" if shared else "")


def retained_after(kept: Iterable[str], previous: str, candidate: str) -> tuple[str, ...]:
    """The image IDs to keep once the candidate is production: what it ran before, then what was kept, each once."""
    if not previous or previous == candidate:
        return tuple(kept)
    return tuple(dict.fromkeys(one for one in (previous, *kept) if one != candidate))


def left_by(kept: Sequence[str], previous: str, candidate: str) -> tuple[str, ...]:
    """The images that a rollback leaves: what ran before, and what is newer than the one that it goes to.

    Else a second rollback, or the first one after the next promotion, would go forward to what was just left.
    """
    newer = kept[: kept.index(candidate)] if candidate in kept else ()
    return tuple(dict.fromkeys(one for one in (previous, *newer) if one not in {"", candidate}))


class RetainedImage(Discreet, frozen=True, kw_only=True):
    """What can be gone back to, under its `number` in the list, or what runs now or ran last, whose number is 0.

    `revision` is the commit that its image claims, empty where it claims none; `replaced` is when it stopped serving,
    in the Engine's words, where that was recorded. `left`: a rollback went past it. `configuration` is what it ran
    with, empty where nobody recorded that.
    """

    unshown: ClassVar = ("configuration",)
    number: int
    image: str
    revision: str = ""
    replaced: str = ""
    left: bool = False
    configuration: str = ""

    def is_meant(self, to: str) -> bool:
        """Whether the words name it: its number, or the first digits of its commit or of its image ID."""
        if _NUMBER.fullmatch(to):
            return self.number == int(to)
        return (self.image if to.startswith(IMAGE) else self.revision).startswith(to)


def in_table(now: RetainedImage, kept: Sequence[RetainedImage], *, runs: bool = True) -> str:
    """What runs, and what can be gone back to, for people at 80 columns; `--to` takes the first three as they stand."""
    rows: list[tuple[str, ...]] = [("number", "commit", "image ID", "replaced", "")]
    rows += [_row(now, "runs now" if runs else "down; ran last")]
    rows += [_row(one, "rolled back from" if one.left else "") for one in kept]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    is_known = all(one.configuration for one in (now, *kept) if one.image)
    return "\n".join([*lines, *(() if is_known else (_UNKNOWN,))])


def entries(now: RetainedImage, kept: Sequence[RetainedImage], *, runs: bool) -> list[dict[str, object]]:
    """The same for programs; `runs` is true of what serves now."""
    return [
        {
            "number": one.number,
            "revision": one.revision or None,
            "replaced": one.replaced or None,
            "image_id": one.image,
            "has_configuration": bool(one.configuration),
            "left": one.left,
            "runs": runs and one is now,
        }
        for one in (now, *kept)
        if one.image
    ]


def _row(one: RetainedImage, what: str) -> tuple[str, ...]:
    if not one.image:
        return "-", "", "", "", "nothing is running"
    return (
        str(one.number or "-"),
        one.revision[:_SHORT] or "no label",
        one.image[: len(IMAGE) + _SHORT],
        one.replaced or ("" if one.number == 0 else "not recorded"),
        what if one.configuration else f"{what} *".lstrip(),
    )


def choose_retained(kept: Sequence[RetainedImage], running: str, to: str | None, tag: str) -> RetainedImage:
    """The one to roll back to: what `to` names, else the newest that was not rolled back from. `running` is what runs.

    Raises SettingsError for words that could name none, Refused where there is none, or more than one. `tag` is the
    first kept tag.
    """
    if to is not None:
        return _named(kept, to, tag)
    others = [one for one in kept if one.image != running or one.configuration]
    further = [one for one in others if not one.left]
    if further:
        return further[0]
    if others:
        raise Refused(
            f"No older image to roll back to: production was rolled back from {_in_words(others)}.",
            f"Promote a verified image, or name one of these with `--to`; {LIST}.",
        )
    raise Refused(_nothing("", tag), "Promote a verified image instead.")


def choose_alike(
    kept: Sequence[RetainedImage], now: RetainedImage, like: RetainedImage, service: str, host: str = ""
) -> RetainedImage:
    """What `service` ran while another one of its application ran `like`: it may be what it runs `now`.

    By the time at which that was replaced, else by the commit. Raises Refused where that is not told: two services on
    two commits are no application. `host` is another one, where `like` is its own.
    """
    all_known = (now, *kept) if now.image else kept
    later = [one for one in kept if like.replaced and one.replaced >= like.replaced]
    then = [later[-1]] if later else [now] if like.replaced and now.image else []
    found = [one for one in then if one.revision == like.revision]
    found = found or [one for one in all_known if like.revision and one.revision == like.revision]
    if not found:
        raise Refused(
            f"{service} has no image of {like.revision or 'the same time'} to go back to; expected one, as the"
            f" application goes back to one commit together (it has: {_in_words(kept) or 'none'}).",
            f"Name with `--to` a commit that all of them have; {_or_promote(like, service, host)}.",
        )
    return found[0]


def _or_promote(like: RetainedImage, service: str, host: str) -> str:
    if not host:
        again = "gate that commit again and promote it with `--allow-rollback REASON`"
        return f"leave {service} out; or {again}"
    commit = f"--expected-revision {like.revision}" if like.revision else "--allow-unverified"
    return (
        f"or carry it from {host}, which has it: freshness promote --source-host {host} --source-image {like.image}"
        f" {commit} --allow-rollback REASON"
    )


def _named(kept: Sequence[RetainedImage], to: str, tag: str) -> RetainedImage:
    if not (_NUMBER.fullmatch(to) or is_shortened(to.removeprefix(IMAGE))):
        raise SettingsError(
            f"--to is {quoted(to)}; expected a number, or at least 7 digits of a commit or of an image ID, with"
            " `sha256:` before it.",
            f"Give an entry of the list; {LIST}.",
        )
    found = [one for one in kept if one.is_meant(to)]
    if len({one.revision or one.image for one in found}) > 1:
        raise Refused(f"{quoted(to)} could be {_in_words(found)}.", f"Give more digits, or the number; {LIST}.")
    if not found:
        raise Refused(
            _nothing(f" {to}", tag, _in_words(kept)), f"Name one of them: {LIST}; or promote a verified image."
        )
    return found[0]


def _nothing(to: str, tag: str, others: str = "") -> str:
    are = f"there are {others}" if others else f"there is no tag {tag} (`docker system prune -a` removes it)"
    return f"No previous image{to} to roll back to: {are}."


def _in_words(kept: Sequence[RetainedImage]) -> str:
    return " and ".join(one.revision or one.image for one in kept)
