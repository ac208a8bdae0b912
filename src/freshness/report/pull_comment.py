"""Writes the one comment of an application on a pull request: edited in place, and not by an older head's run."""

from collections.abc import Mapping

from freshness.ci.forge_calls import ForgeCalls
from freshness.core.comment import Marker, Ours, author_of, find_ours
from freshness.core.run import Run

NEEDS = "the job needs `contents: read` and `pull-requests: write`, a personal token on Gitea `write:issue`"
PAGE, MOST_PAGES = 100, 10


def write_comment(calls: ForgeCalls, number: int, marker: Marker, text: str, *, follows_merge: bool) -> None:
    """Posts it, or edits the one that is there. `follows_merge`: it is worth telling of a merged pull request too.

    Raises what `ForgeCalls.ask` raises.
    """
    comments = _comments(calls, number)
    ours = find_ours(comments, marker) or find_ours(comments, marker, _user(calls, comments, marker))
    body = {"body": f"{marker}\n{text}"}
    ours = ours or _post(calls, number, marker, body, comments)
    if ours is None:
        return
    if ours.is_of_this or _is_news(calls, number, marker.commit, follows_merge=follows_merge):
        calls.ask("PATCH", f"issues/comments/{ours.id}", NEEDS, body)


def find_merged(calls: ForgeCalls, commit: str) -> int | None:
    """The number of the pull request whose merge made the commit, where there is one. Raises as `write_comment`.

    Gitea names it, GitHub lists each that has the commit: https://docs.github.com/en/rest/commits/commits
    """
    one_or_more = "pull" if Run.of(calls.env).is_gitea else "pulls"
    found = calls.ask_if_there(f"commits/{commit}/{one_or_more}", NEEDS)
    pulls = [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, Mapping)]
    numbers = [one.get("number") for one in pulls if one.get("merged_at") and one.get("merge_commit_sha") == commit]
    return numbers[0] if len(numbers) == 1 and isinstance(numbers[0], int) else None


def _post(
    calls: ForgeCalls, number: int, marker: Marker, body: Mapping[str, str], comments: list[object]
) -> Ours | None:
    """None, unless its author has such a comment among `comments` already: then that one, and the new one is gone.

    A personal token of Gitea can have the right to write, and not the one to say whose it is.
    """
    posted = calls.ask("POST", f"issues/{number}/comments", NEEDS, body)
    if not isinstance(posted, Mapping):
        return None
    ours = find_ours(comments, marker, author_of(posted))
    if ours:
        calls.ask("DELETE", f"issues/comments/{posted.get('id')}", NEEDS)
    return ours


def _is_news(calls: ForgeCalls, number: int, commit: str, *, follows_merge: bool) -> bool:
    """Whether the commit is the pull request's head now. The forge is asked: a marker could say anything."""
    pull = calls.ask("GET", f"pulls/{number}", NEEDS)
    if not isinstance(pull, Mapping):
        return False
    head = pull.get("head")
    is_head = isinstance(head, Mapping) and head.get("sha") == commit
    return is_head or (follows_merge and pull.get("merged") is True)


def _comments(calls: ForgeCalls, number: int) -> list[object]:
    """All of them; Gitea sends them at once, whatever page it is asked for."""
    found: list[object] = []
    for page in range(1, MOST_PAGES + 1):
        more = calls.ask("GET", f"issues/{number}/comments?per_page={PAGE}&page={page}", NEEDS)
        if not isinstance(more, list) or not more or more[0] in found:
            break
        found += more
        if len(more) < PAGE:
            break
    return found


def _user(calls: ForgeCalls, comments: list[object], marker: Marker) -> str:
    """Who a personal token is, where somebody's comment bears our marker."""
    if any(isinstance(one, dict) and str(one.get("body")).startswith(marker.beginning) for one in comments):
        return calls.user()
    return ""
