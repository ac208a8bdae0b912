"""Which images production can go back to: the last ones that it ran, each kept on the host by a tag."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from freshness.core.compose import Target, image_of
from freshness.core.image import repository_of, same_tag

PREVIOUS_TAG = "freshness-previous"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTags:
    """The tags that keep what production ran before: `<repository>:freshness-previous`, `….2`, `….3` and so on.

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


def kept_tags_of(target: Target, config: Mapping[str, Any], staging_service: str) -> KeptTags:
    """The service's kept tags, with its name behind them where a third service has the same repository.

    `config` is what Compose prints.
    """
    others = (name for name in config["services"] if name not in {target.service, staging_service})
    shared = any(same_tag(repository_of(image_of(config, name)), target.repository) for name in others)
    return KeptTags(repository=target.repository, suffix=f"-{target.service}" if shared else "")


def kept_after(kept: Iterable[str], previous: str, candidate: str) -> tuple[str, ...]:
    """The image IDs to keep once the candidate is production: what it ran before, then what was kept, each once."""
    if not previous or previous == candidate:
        return tuple(kept)
    return tuple(dict.fromkeys(one for one in (previous, *kept) if one != candidate))
