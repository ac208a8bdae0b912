"""Where proven images are published, so that other hosts can take them by digest."""

from dataclasses import dataclass

from freshness.core.registry_name import Repository
from freshness.settings import values
from freshness.settings.declaration import setting
from freshness.settings.values import WrongValue


def parse_repository(text: str) -> Repository:
    """HOST/NAME."""
    found = Repository.parse(text)
    if found is None:
        raise WrongValue(
            "HOST/NAME, the name in lower case and without a tag or a digest",
            "Write the host too, such as registry.example.org/team/shop or docker.io/team/shop.",
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """`repository` is None where nothing is published; `timeout` is in seconds."""

    repository: Repository | None = setting(
        values.optional(parse_repository),
        "Repository of a registry (`HOST/NAME`) to which a gate pushes the proven image before it opens; of several"
        " images each goes to `HOST/NAME/SERVICE`. The credentials are those of `docker login`.",
        name="registry",
        shown_default="none",
    )
    timeout: float = setting(
        values.number(1, 86400, "seconds"), "Time limit of a push, in seconds.", name="push-timeout", default="3600"
    )
