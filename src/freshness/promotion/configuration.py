"""The service as today's Compose files have it, and what is made of it by them or by what was recorded."""

import json
from collections.abc import Mapping
from typing import ClassVar

from msgspec import field

from freshness.core.compose import Target, Wanted
from freshness.core.configuration import render, target_of
from freshness.core.discreet import Discreet
from freshness.core.lock import service_lock
from freshness.core.retained import RetainedTags
from freshness.core.secret import conceal_variables
from freshness.engine.compose import ComposeFile, render_again
from freshness.engine.rendered import Rendered
from freshness.promotion.change import Make
from freshness.settings.model import Health
from freshness.target.mounts import Overlay


class Today(Discreet, frozen=True, kw_only=True):
    """`target` is what the settings, `wanted`, name in `file`; `configuration` is that as Compose rendered it.

    `source` is the image to promote, `staging_project` staging's where its tag is that; `retained_tags` keep what ran
    before. `overlay` is what is mounted over the image. `recorded_files`: all this is from the record, as today's files
    cannot be read, and these were read then. `level` is as a Change has it.
    """

    unshown: ClassVar = ("configuration",)
    target: Target
    wanted: Wanted
    health: Health
    file: ComposeFile
    configuration: str
    source: str
    retained_tags: RetainedTags
    staging_project: str = ""
    overlay: Overlay = field(default_factory=Overlay)
    recorded_files: tuple[str, ...] = ()
    level: int = 0

    @property
    def service(self) -> str:
        """The service's name in Compose."""
        return self.target.service

    @property
    def lock(self) -> str:
        """The name of the service's lock."""
        return service_lock(self.target.project, self.target.service)

    def make(self, configuration: str) -> Make:
        """What Compose makes by this configuration: by today's files where these say the same, or none is known."""
        if self.recorded_files:
            configuration = configuration or self.configuration
        elif configuration in {"", self.configuration}:
            return Make(target=self.target, source=self.file, health=self.health, configuration=configuration)
        return Make(
            target=target_of(configuration, self.wanted, self.target),
            source=self._rendered(configuration),
            health=self.health,
            configuration=configuration,
        )

    def means(self, configuration: str, env: Mapping[str, str]) -> bool:
        """Whether a configuration says the same as today's files: each version of Compose writes it in its own way."""
        if configuration == self.configuration:
            return True
        name = json.loads(configuration)["name"]
        anew = render_again(self._rendered(configuration), env)
        return anew is not None and render({**anew, "name": name}, self.target.service) == self.configuration

    def _rendered(self, configuration: str) -> Rendered:
        """What was recorded, for Compose, which may repeat a value that nothing else knows any more."""
        for service in json.loads(configuration)["services"].values():
            conceal_variables(service.get("environment") or {})
        return Rendered(text=configuration, file=self.file)
