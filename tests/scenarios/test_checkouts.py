"""Whatever was checked out, or nothing: the gate fetches the commit with what credentials there are, and leaks none."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.engines import pause
from tests.support.forge import AUTHORIZATION, TOKEN
from tests.support.git import GitRepo
from tests.support.jobs import GITEA, GITHUB, NUMBER, Hosted
from tests.support.runner import Running, command_of

HEADER = f"Authorization: {AUTHORIZATION}"
SECRETS = (TOKEN, AUTHORIZATION.split()[1])


def without_checkout(hosted: Hosted, head: str) -> dict[str, str]:
    """A job with an empty workspace; the Compose file lies on the host."""
    (hosted.forge.folder / "workspace").mkdir()
    (hosted.forge.folder / "srv").mkdir()
    file = hosted.forge.folder / "srv/compose.yaml"
    file.write_text((hosted.repo.path / "compose.yaml").read_text())
    return {
        **hosted.job(GITEA, head),
        **hosted.on_pull_request(head),
        "GITHUB_WORKSPACE": str(hosted.forge.folder / "workspace"),
        "COMPOSE_FILE": str(file),
    }


def command_lines(running: Running) -> set[str]:
    """Every command line that any process of the machine has while the gate runs."""
    seen: set[str] = set()
    while running.process.poll() is None:
        seen |= {command_of(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
        pause()
    return seen


def test_without_a_checkout_exactly_the_commit_is_fetched_and_the_token_is_seen_nowhere(hosted: Hosted) -> None:
    """Breaks when `open_or_make` insists on a checkout, or a credential is given to a child in its arguments."""
    head = hosted.open_pull_request()
    variables = without_checkout(hosted, head)

    running = hosted.runner.start_gate(**variables)
    seen = command_lines(running)
    ended = running.end()

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert ended.outputs["revision"] == head
    assert set(hosted.forge.server.seen) == {AUTHORIZATION}
    assert any("buildx" in line for line in seen), "the command lines of children were seen"
    told = "\n".join((ended.log, ended.written, ended.summary, json.dumps(ended.report), *seen))
    assert [secret for secret in SECRETS if secret in told] == []
    left = {path.name for path in (running.folder / "temp").rglob("*") if path.is_file()}
    assert left == {"report.json"}, "our own repository goes with the run"
    assert list((hosted.forge.folder / "workspace").iterdir()) == []


def leave_in_config(checkout: GitRepo, hosted: Hosted) -> None:
    """As actions/checkout v4."""
    checkout.git("config", f"http.{hosted.forge.server.url}/.extraheader", HEADER)


def leave_in_included_file(checkout: GitRepo, hosted: Hosted) -> None:
    """As actions/checkout v6 and later."""
    file = hosted.forge.folder / "git-credentials-1.config"
    checkout.git("config", "--file", str(file), f"http.{hosted.forge.server.url}/.extraheader", HEADER)
    checkout.git("config", f"includeIf.gitdir:{checkout.path}/.git.path", str(file))


@pytest.mark.parametrize("leave", [leave_in_config, leave_in_included_file])
def test_what_the_checkout_left_is_used_where_no_token_is_given(
    leave: Callable[[GitRepo, Hosted], None], hosted: Hosted
) -> None:
    """Breaks when `find_credentials` looks at the token alone: the head is neither asked for nor fetched then."""
    head = hosted.open_pull_request()
    merge = hosted.merge_for_tests()
    checkout = hosted.check_out(f"refs/pull/{NUMBER}/merge")
    leave(checkout, hosted)

    ended = hosted.runner.gate(
        **hosted.job(GITHUB, merge, checkout) | {"GITHUB_TOKEN": ""} | hosted.on_pull_request(head)
    )

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert set(hosted.forge.server.seen) == {AUTHORIZATION}
    assert [secret for secret in SECRETS if secret in ended.log + ended.summary + json.dumps(ended.report)] == []


def test_a_public_repository_needs_no_credentials(hosted: Hosted) -> None:
    """Breaks when a request is refused for want of a token that nobody asks for."""
    hosted.forge.server.authorization = None
    head = hosted.open_pull_request()

    ended = hosted.runner.gate(**without_checkout(hosted, head) | {"GITHUB_TOKEN": ""})

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert set(hosted.forge.server.seen) == {None}


@pytest.mark.parametrize("kind", ["linked work tree", "tag", "someone else's"])
def test_other_checkouts_are_as_good(kind: str, hosted: Hosted) -> None:
    """Breaks when `open_repository` no longer opens what has a `.git` file, is detached, or belongs to another user."""
    head = hosted.open_pull_request()
    folder = hosted.forge.folder / "other"
    match kind:
        case "linked work tree":
            hosted.repo.git("worktree", "add", "--quiet", "--detach", str(folder), head)
        case "tag":
            hosted.repo.git("tag", "v1", head)
            GitRepo.clone(hosted.repo.url, folder, "--depth=1", "--branch=v1", "--config=advice.detachedHead=false")
        case _:
            hosted.forge.clone("other")
            hosted.runner.sandbox.run(["chown", "-R", "65534", folder])

    ended = hosted.runner.gate(**hosted.job(GITEA, head, GitRepo(folder)), **hosted.on_pull_request(head))

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert ended.outputs["revision"] == head


def partial_clone(hosted: Hosted) -> GitRepo:
    hosted.forge.repo.git("config", "uploadpack.allowFilter", "true")
    return hosted.forge.clone("partial", "--filter=blob:none")


def sha256_repository(hosted: Hosted) -> GitRepo:
    return GitRepo.init(hosted.forge.folder / "sha256", "--object-format=sha256")


@pytest.mark.parametrize(
    ("make", "remedy"),
    [(partial_clone, "Check out without `filter`"), (sha256_repository, "whose object format is sha1")],
)
def test_a_checkout_that_cannot_be_read_is_an_error_with_its_remedy(
    make: Callable[[Hosted], GitRepo], remedy: str, hosted: Hosted
) -> None:
    """Breaks when a checkout that cannot be opened is passed over for a repository of our own."""
    head = hosted.open_pull_request()

    ended = hosted.runner.gate(**hosted.job(GITEA, head, make(hosted)), **hosted.on_pull_request(head))

    assert ended.decision == ("closed", "error", 3), ended.log
    assert remedy in ended.reason
    assert hosted.is_untouched()
