"""Where proven images are published, so that other hosts can take them by digest, and which tag names them."""

from msgspec import Struct

from freshness.core.registry_name import MovingTag, Repository
from freshness.settings import values
from freshness.settings.declaration import group, setting
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


def parse_moving_tag(text: str) -> MovingTag:
    """TAG, or HOST/NAME:TAG."""
    found = MovingTag.parse(text)
    if found is None:
        raise WrongValue("a tag's name, or HOST/NAME:TAG", "Give the tag alone, such as production.")
    return found


class TransferSettings(Struct, frozen=True, kw_only=True):
    """`timeout` is in seconds."""

    timeout: float = setting(
        values.number(1, 86400, "seconds"),
        "Time limit of a push to the registry, or of a pull from it, in seconds.",
        name="registry-timeout",
        default="3600",
    )


class RegistrySettings(Struct, frozen=True, kw_only=True):
    """`repository` is None where nothing is published."""

    repository: Repository | None = setting(
        values.optional(parse_repository),
        "Repository of a registry (`HOST/NAME`) to which a gate pushes the proven image before it opens; of several"
        " images each goes to `HOST/NAME/SERVICE`. The credentials are those of `docker login`.",
        name="registry",
        shown_default="none",
    )
    transfer: TransferSettings = group(TransferSettings)

    @property
    def timeout(self) -> float:
        return self.transfer.timeout


class RegistryTagSettings(Struct, frozen=True, kw_only=True):
    """`tag` is None where none is moved."""

    tag: MovingTag | None = setting(
        values.optional(parse_moving_tag),
        "Tag in the registry, such as `production`, that names what is promoted; what it named before is kept as"
        " `TAG-previous`. `source-image` then is `HOST/NAME@sha256:…`. With `recreate: false` nothing else happens, and"
        " no image is pulled. `HOST/NAME:TAG` is a tag in another repository of that registry.",
        name="registry-tag",
        shown_default="none",
    )
    transfer: TransferSettings = group(TransferSettings)
