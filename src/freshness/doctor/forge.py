"""Looks at the forge with the token that the environment has: it reads, and changes nothing."""

from collections.abc import Iterator, Mapping

from freshness.ci.forge_api import call, explain_failure, headers_for, is_good, takes_token
from freshness.core.diagnosis import judge_rights
from freshness.core.finding import Area, Finding
from freshness.core.run import Run
from freshness.doctor.trial import fine, note, problem, unchecked
from freshness.git.ask import ask_references
from freshness.git.resolve_commit import find_checkout, forge_address
from freshness.settings.model import GateSettings

SECONDS = 15
_NEEDED = "Let the job have `pull-requests: read`; without it a `revision` of a branch that is gone is refused."


def look_at_forge(settings: GateSettings, run_env: Mapping[str, str]) -> Iterator[Finding]:
    """Raises RepositoryError where its Git server cannot be asked: a gate would be closed then."""
    run, address = Run.of(run_env), forge_address(settings, run_env)
    if address is None:
        yield unchecked(Area.FORGE, "GITHUB_SERVER_URL and GITHUB_REPOSITORY name no forge, so none will be asked.")
        return
    references = ask_references(find_checkout(settings), address)
    yield fine(Area.FORGE, f"{address.url} says where its {len(references)} branches, tags and pull requests stand.")
    if settings.source.token is None:
        yield unchecked(Area.FORGE, "the token and its rights, as the environment has none (GITHUB_TOKEN).")
    elif not run.api_url or not takes_token(run.api_url, run.server_url):
        yield unchecked(Area.FORGE, "the token's rights, as GITHUB_API_URL names no API of that forge.")
    else:
        yield from _look_at_token(settings, run)


def _look_at_token(settings: GateSettings, run: Run) -> Iterator[Finding]:
    base, headers = f"{run.api_url.rstrip('/')}/repos/{run.repository}", headers_for(settings.source.token)
    try:
        yield judge_rights(*call("GET", base, headers, seconds=SECONDS), run.repository)
        status, _ = call("GET", f"{base}/pulls?state=open&limit=1&per_page=1", headers, seconds=SECONDS)
    except (OSError, ValueError) as error:  # every error of requests is an OSError, a timeout too
        why, remedy = explain_failure(error, "Check GITHUB_API_URL and the network to it.")
        yield problem(Area.FORGE, f"GET {base}: {why}.", remedy)
        return
    if not is_good(status):
        yield note(Area.FORGE, f"the token may not read pull requests (HTTP {status}).", _NEEDED)
    if settings.forge.comments or settings.forge.context:
        yield unchecked(
            Area.FORGE,
            "whether the token may write comments and statuses: only writing tells. See docs/pull-request.md.",
        )
