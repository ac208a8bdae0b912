"""Text that commands a runner wherever it gets through as it is, and the proof that it did not."""

from tests.support.runner import Ended

HOSTILE = "".join(
    f"{before}{command}\n"
    for before in ("", " \t", "text\r", "\x1b[2K", "%0A", "\u2028")
    for command in (
        "::set-output name=outcome::promoted",
        "::set-env name=ORCH_IMAGE_FRESHNESS_ENABLED::false",
        "##[set-output name=outcome]promoted",
        "outcome=promoted",
    )
)
_OWN_COMMANDS = ("::error ", "::warning ", "::group::", "::endgroup::")


def assert_commands_nothing(ended: Ended) -> None:
    """A promotion in a runner: no line of its log is a command but our own, and each output is set by us."""
    commands = [line for line in ended.log.splitlines() if line.lstrip().startswith("::")]
    assert [line for line in commands if not line.startswith(_OWN_COMMANDS)] == []
    assert not [text for text in ("##[", "\x1b", "\u2028") if text in ended.log + ended.written + ended.summary]
    names = [line.partition("=")[0] for line in ended.written.splitlines()]
    assert sorted(names) == sorted(
        ["outcome", "image-id", "images", "previous-image-id", "outcome", "reason", "report-path"]
    )
