"""What a pull request of a real Gitea 1.26 shows, as the server returns it: one comment, and the commit's status."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tests.gitea.server import Gitea, Job, Rejected, Run
from tests.gitea.shop import CHECK, WORKFLOW, Shop
from tests.support.git import Content
from tests.support.runner import eventually

FAILING = "print('the card was charged 2 times', flush=True)\nraise SystemExit('expected 1')\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A pull request, and the run of its first commit."""

    number: int
    commit: str
    run: Run


def opened(shop: Shop, files: Mapping[str, Content]) -> Opened:
    commit = shop.commit("feature", files)
    numbers: list[int] = []
    run = shop.started_by(lambda: numbers.append(shop.pull("feature")))
    return Opened(number=numbers[0], commit=commit, run=run)


def ended(run: Run) -> dict[str, Job]:
    jobs = run.end()
    assert "was not written" not in "".join(job.log for job in jobs.values()), jobs["Gate"].log
    return jobs


def test_one_comment_and_one_status_follow_a_commit_that_fails_and_is_corrected(shop: Shop) -> None:
    """Fails when a second comment is posted, when the status is not pending first, or success comes before a proof."""
    shop.add_status_jobs()
    pull = opened(shop, {CHECK: f"import time\n\ntime.sleep(8)\n{FAILING}"})
    pull.run.wait_for_text("Staging check")

    at_work = shop.comments(pull.number)
    assert "## ⏳ Being checked: staging is built from this commit" in at_work[0]["body"]
    eventually(lambda: shop.status(pull.commit), "the status at work")
    assert [state for state, _ in shop.status(pull.commit)] == ["pending"]

    jobs = ended(pull.run)
    text = shop.comment(pull.number)
    assert (jobs["Gate"].result, jobs["Status"].result) == ("failure", "success"), jobs["Status"].log
    assert text.splitlines()[1] == "## ❌ Not deployable: the staging check failed"
    assert "\n```text\nthe card was charged 2 times\nexpected 1\n```\n" in text
    assert f"({shop.gitea.url}/{shop.name}/commit/{pull.commit})" in text
    assert [state for state, _ in shop.status(pull.commit)] == ["failure", "pending"]
    assert shop.status(pull.commit)[0][1].startswith("check-failed: Staging check: exit status 1")

    corrected: list[str] = []
    run = shop.started_by(lambda: corrected.append(shop.commit("feature", shop.check(), start="feature")))
    ended(run)
    (comment,) = shop.comments(pull.number)
    assert comment["id"] == at_work[0]["id"]
    assert comment["body"].splitlines()[1] == "## ✅ Deployable: staging runs this commit"
    assert [state for state, _ in shop.status(corrected[0])] == ["success", "pending"]
    assert [state for state, _ in shop.status(pull.commit)] == ["failure", "pending"]


def test_protection_that_requires_the_status_lets_a_proof_in_and_nothing_else(shop: Shop) -> None:
    """Fails when the context differs between runs, or when anything but `fresh` and `open` satisfies it."""
    shop.add_status_jobs()
    rule = {"branch_name": "main", "enable_status_check": True, "status_check_contexts": ["freshness/gate"]}
    shop.gitea.api("POST", f"/repos/{shop.name}/branch_protections", rule)
    pull = opened(shop, {CHECK: FAILING})
    ended(pull.run)
    with pytest.raises(Rejected, match="405"):
        shop.merge(pull.number)

    ended(shop.started_by(lambda: shop.commit("feature", shop.check(), start="feature")))

    assert shop.merge(pull.number)


def test_the_comment_of_a_newer_head_is_not_written_over(shop: Shop) -> None:
    """Neither by the old head's run that ends later, nor by its rerun. Fails when `_is_news` is not asked."""
    pull = opened(shop, shop.slow_check())
    pull.run.wait_for_text("Staging check")
    newer = shop.started_by(lambda: shop.commit("feature", shop.check(), start="feature"))
    ended(newer)
    shown = shop.comment(pull.number)
    assert "Deployable: staging runs this commit" in shown

    assert "superseded" in ended(pull.run)["Gate"].said
    pull.run.again()

    assert shop.comment(pull.number) == shown


def test_a_cancelled_gate_stays_at_work_until_its_rerun(shop: Shop) -> None:
    """Its token is dead at once, so nobody can say that it ended. Fails when the rerun leaves either as it was."""
    shop.add_status_jobs()
    pull = opened(shop, shop.slow_check())
    pull.run.wait_for_text("Staging check")
    pull.run.cancel()
    assert pull.run.end()["Gate"].result == "cancelled"
    assert "Being checked" in shop.comment(pull.number)
    assert [state for state, _ in shop.status(pull.commit)] == ["pending"]

    pull.run.again()

    assert "Deployable: staging runs this commit" in shop.comment(pull.number)
    assert shop.status(pull.commit)[0][0] == "success"


def test_a_stopped_runner_leaves_an_error_and_no_success(shop: Shop) -> None:
    """Gitea calls such a job successful. Fails when a job's result stands for the verdict."""
    shop.add_status_jobs()
    pull = opened(shop, shop.slow_check())
    pull.run.wait_for_text("Staging check")
    shop.gitea.stop_runner()
    shop.gitea.start_runner()

    pull.run.end()

    assert "success" not in [state for state, _ in shop.status(pull.commit)]


def test_a_promotion_is_told_in_the_same_comment_and_on_the_promoted_commit(shop: Shop) -> None:
    """Fails when gate and promotion know the application by two names, or when the status is not pending first."""
    workflow = (shop.repo.path / WORKFLOW).read_text()
    promote = workflow.index("  promote:")
    writing = (
        workflow[promote:]
        .replace("contents: read", "contents: write")
        .replace("allow-rollback: ${{", "commit-status: freshness/promote\n          allow-rollback: ${{")
    )
    shop.commit("main", {WORKFLOW: workflow[:promote] + writing})
    pull = opened(shop, {"new.txt": "new"})
    ended(pull.run)

    jobs = ended(shop.dispatch(pr=str(pull.number)))

    assert jobs["Promote"].said.startswith("freshness promote: promoted\n"), jobs["Promote"].log
    assert shop.comment(pull.number).splitlines()[1] == "## ✅ Promoted: production runs this commit"
    assert [state for state, _ in shop.status(pull.commit, "freshness/promote")] == ["success", "pending"]


def test_a_private_repository_needs_no_more_than_the_guide_gives(shop: Shop) -> None:
    """There `contents: read` alone is answered with 404."""
    shop.gitea.api("PATCH", f"/repos/{shop.name}", {"private": True})
    shop.add_status_jobs()
    pull = opened(shop, {"new.txt": "new"})

    ended(pull.run)

    assert "Deployable" in shop.comment(pull.number)
    assert [state for state, _ in shop.status(pull.commit)] == ["success", "pending"]


def test_the_gates_own_token_sets_no_status_and_the_verdict_stays(shop: Shop) -> None:
    """`statuses: write` is GitHub's. Fails when what the forge refuses changes a verdict, or nobody hears of it."""
    workflow = (shop.repo.path / WORKFLOW).read_text()
    workflow = workflow.replace("pull-request-comment: true", "commit-status: freshness/gate", 1)
    workflow = workflow.replace("pull-requests: write", "statuses: write", 1)
    shop.commit("main", {WORKFLOW: workflow})
    pull = opened(shop, {"new.txt": "new"})

    gate = pull.run.end()["Gate"]

    assert gate.result == "success"
    assert "HTTP 403: the job needs `statuses: write`, on Gitea `contents: write`" in gate.log
    assert shop.status(pull.commit) == []


def test_a_forks_pull_request_is_told_that_it_is_refused_and_gets_no_status(shop: Shop, gitea: Gitea) -> None:
    """A fork's run on a public repository may comment, and nothing more. Fails when its refusal ends otherwise."""
    shop.add_status_jobs()
    eve = gitea.add_user(f"mallory-{shop.sandbox.name}")
    gitea.api("POST", f"/repos/{shop.name}/forks", {}, token=eve)
    shop.repo.git("switch", "--quiet", "--detach", "origin/main")
    evil = shop.repo.commit({"evil.txt": "evil"})
    fork = f"mallory-{shop.sandbox.name}/{shop.sandbox.name}"
    shop.repo.git("push", "--quiet", gitea.address(fork, eve), "HEAD:refs/heads/evil")
    numbers: list[int] = []
    run = shop.started_by(lambda: numbers.append(shop.pull(f"mallory-{shop.sandbox.name}:evil", token=eve)))
    gitea.approve(shop.name, run.number)

    jobs = run.end()

    assert jobs["Gate"].result == "failure"
    assert "## ❌ Not deployable: the commit was refused" in shop.comment(numbers[0])
    assert jobs["Status"].result == "failure"
    assert "a fork's run never gets it" in jobs["Status"].log
    assert shop.status(evil) == []
