"""Every error of the tool, with its exit status; `run` tells how a run ended with one, `cli` prints all others."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from freshness.core.verdict import Verdict

_NO_CERTIFICATES = "failed to load certificates"
"""What libgit2 says as pygit2 is imported, which takes no machine without any: it asks Python's ssl where they are."""


class FreshnessError(Exception):
    """What went wrong in one sentence (`str(error)`: got what, expected what) and the `remedy`, a second sentence."""

    exit_status: ClassVar[int]
    verdict: ClassVar[Verdict] = Verdict.ERROR

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy

    def __str__(self) -> str:
        message: str = self.args[0]
        return f"{message}{self.remedy}" if message.endswith("\n") else f"{message} {self.remedy}"


class Refused(FreshnessError):
    """The commit or the image cannot be proven; deciding worked, and the answer is no."""

    exit_status = 1
    verdict = Verdict.REFUSED


class Superseded(Refused):
    """The pull request's head moved, or its sources disagree about which commit it is."""

    verdict = Verdict.SUPERSEDED


class Stale(Refused):
    """What runs, or would have to make room, is not ours or not what was built."""

    verdict = Verdict.STALE


class Gone(Refused):
    """A registry lacks an image, or a part of it."""


class Busy(Refused):
    """Another run holds the target, for longer than we may wait."""


class Unhealthy(Refused):
    """The target gave no good answer before the deadline, or ended or restarted."""

    verdict = Verdict.UNHEALTHY


class BuildFailed(Refused):
    """The image's own build failed."""

    verdict = Verdict.BUILD_FAILED


class SettingsError(FreshnessError):
    """Settings, the Compose file or the command line are wrong; nothing was touched.

    `problems` has each with its remedy, where several were found at once.
    """

    exit_status = 2

    def __init__(self, message: str, remedy: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message, remedy)
        self.problems = problems


class Unreadable(SettingsError):
    """The Compose file cannot be read, or not without something that is missing: a file, a variable, a name."""


class EngineError(FreshnessError):
    """Docker, buildx or Compose is missing, cannot be reached or did not answer."""

    exit_status = 3


class LockLost(EngineError):
    """The target is not ours any more: another run took over, and nothing may be written."""


class RepositoryError(FreshnessError):
    """Git, the checkout or the forge's Git server could not be read."""

    exit_status = 3


class RegistryError(FreshnessError):
    """The registry could not be reached, did not let us in, or did not answer as registries do."""

    exit_status = 3


class MachineError(FreshnessError):
    """The machine did not let us work: no space left, no permission, no more files."""

    exit_status = 3


class Defect(FreshnessError):
    """Something that no error here stands for: our own mistake, and still a sentence for the user."""

    exit_status = 3


class OutputError(FreshnessError):
    """The step outputs, the summary or the report could not be written."""

    exit_status = 3


class Interrupted(BaseException):
    """A signal asked us to stop. Not a FreshnessError: it may arrive anywhere and must not be handled on the way."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number

    @property
    def exit_status(self) -> int:
        """129 for SIGHUP, 130 for SIGINT, 143 for SIGTERM, as shells report them."""
        return 128 + self.signal_number


@contextmanager
def wrap_unexpected_errors() -> Iterator[None]:
    """Whatever is no error of ours becomes one: what the machine refused by its name, all else as a defect."""
    try:
        yield
    except FreshnessError:
        raise
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        remedy = "Check the free space and the permissions of this machine."
        if error.errno == errno.ENOEXEC:
            remedy = "That program is damaged, or another architecture's: install it again."
        raise MachineError(f"{error.strerror or error}{where}.", remedy) from error
    except Exception as error:
        if _NO_CERTIFICATES in str(error):
            raise MachineError(
                "This machine has no CA certificates where Python looks for them, and pygit2 does not start without.",
                "Install them (Debian, Ubuntu: apt-get install ca-certificates), or correct SSL_CERT_FILE and"
                " SSL_CERT_DIR.",
            ) from error
        raise Defect(
            f"{type(error).__name__}: {error}.", "This is a defect of the tool: please report it with this line."
        ) from error
