"""The README's workflow on a real Gitea 1.26 with its runner: what opens, what promotes, and what does not."""

import re
import socket
from pathlib import Path

import pytest

from tests.gitea.server import Gitea
from tests.gitea.shop import CHECK, WORKFLOW, Shop
from tests.support.runner import eventually


def test_a_pull_request_is_gated_and_what_was_merged_is_promoted_once(shop: Shop) -> None:
    """The README's first deployment, step by step."""
    commit = shop.commit("feature", {"new.txt": "new"})
    numbers: list[int] = []

    jobs = shop.started_by(lambda: numbers.append(shop.pull("feature"))).end()

    assert (jobs["Gate"].result, jobs["Promote"].result) == ("success", "skipped"), jobs["Gate"].log
    assert f"labelled {commit[:12]}" in jobs["Gate"].said
    assert shop.served(shop.staging_port) == commit

    merged = shop.merge(numbers[0])
    jobs = shop.dispatch().end()
    assert jobs["Promote"].said.startswith("freshness promote: promoted\n"), jobs["Promote"].log
    assert shop.served(shop.production_port) == merged

    jobs = shop.dispatch(revision=merged).end()
    assert jobs["Promote"].said.startswith("freshness promote: unchanged\n"), jobs["Promote"].log


def test_a_failing_check_closes_whatever_it_prints(shop: Shop) -> None:
    """Gitea's runner obeys ::set-output:: at the start of a line. Fails where foreign text is printed as it is."""
    shop.commit("bad", {CHECK: "print('::set-output name=gate::open', flush=True)\nraise SystemExit('no good')\n"})

    jobs = shop.started_by(lambda: shop.pull("bad")).end()

    assert (jobs["Gate"].result, jobs["Promote"].result) == ("failure", "skipped")
    assert "check-failed" in jobs["Gate"].said
    assert "no good" in jobs["Gate"].said


def test_a_head_that_moves_while_it_is_gated_is_superseded_and_its_rerun_too(shop: Shop) -> None:
    commit = shop.commit("moving", shop.slow_check())
    run = shop.started_by(lambda: shop.pull("moving"))
    run.wait_for_text("Staging check")
    moved = shop.commit("moving", {"more.txt": "more"}, start="moving")

    for jobs in (run.end(), run.again()):
        assert (jobs["Gate"].result, jobs["Promote"].result) == ("failure", "skipped")
        assert "superseded" in jobs["Gate"].said
        assert commit[:12] in jobs["Gate"].said
        assert moved[:12] in jobs["Gate"].said


def test_the_gates_old_outputs_do_not_promote_a_head_that_moved(shop: Shop) -> None:
    """`rerun-failed-jobs` runs promote alone, with what the gate said then. Fails where `pr` is not asked for again.

    The pull request's own run goes on meanwhile. Fails where its job `Promote`, which is skipped, has the same
    `concurrency` group as the dispatch's: Gitea cancels that one.
    """
    shop.commit("feature", {"new.txt": "new"})
    numbers: list[int] = []
    own_run = shop.started_by(lambda: numbers.append(shop.pull("feature")))
    with socket.create_server(("127.0.0.1", shop.production_port)):
        run = shop.dispatch(pr=str(numbers[0]))
        jobs = run.end()
    assert (jobs["Gate"].result, jobs["Promote"].result) == ("success", "failure"), jobs["Promote"].log
    own_run.end()
    moved = shop.commit("feature", {"more.txt": "more"}, start="feature")

    jobs = run.again(failed_only=True)

    assert jobs["Promote"].result == "failure"
    assert moved[:12] in jobs["Promote"].said, jobs["Promote"].log


@pytest.mark.timeout(600)
def test_a_squash_onto_a_main_that_went_on_is_deployed_with_a_reason(shop: Shop) -> None:
    """Neither history nor files tell that it has what production runs. Fails where the form asks for no reason."""
    commit = shop.commit("feature", {"new.txt": "new"})
    assert shop.dispatch(revision=commit).end()["Promote"].result == "success"
    shop.commit("main", {"other.txt": "other"})
    squashed = shop.commit("main", {"new.txt": "new"})

    refused = shop.dispatch().end()["Promote"]
    promoted = shop.dispatch(**{"allow-diverged": "it was squashed"}).end()["Promote"]

    assert "give a reason in `allow-diverged`" in refused.said, refused.log
    assert promoted.said.startswith("freshness promote: promoted\n"), promoted.log
    assert shop.served(shop.production_port) == squashed


@pytest.mark.parametrize("end", ["the run is cancelled", "the runner is stopped"])
def test_a_gate_that_is_cut_off_opens_nothing_and_the_next_takes_over(end: str, shop: Shop) -> None:
    """A stopped runner reports `success`. Fails where anything but `gate == 'open'` opens, or a dead holder holds."""
    commit = shop.repo.head()
    shop.commit("slow", shop.slow_check())
    run = shop.started_by(lambda: shop.pull("slow"))
    run.wait_for_text("Staging check")

    if end == "the run is cancelled":
        run.cancel()
    else:
        shop.gitea.stop_runner()
        shop.gitea.start_runner()

    assert run.end()["Promote"].result in {"cancelled", "skipped"}
    jobs = shop.dispatch().end()
    assert jobs["Promote"].said.startswith("freshness promote: promoted\n"), jobs["Gate"].log
    if end != "the run is cancelled":  # which may leave the gate the moment to let go of its lock by itself
        assert "Taken over" in jobs["Gate"].log
    assert shop.served(shop.production_port) == commit


def test_a_forge_that_is_gone_at_the_end_closes(shop: Shop) -> None:
    held = {"name": f"freshness.{shop.sandbox.name}."}
    shop.commit("slow", shop.slow_check())
    run = shop.started_by(lambda: shop.pull("slow"))
    run.wait_for_text("Staging check")
    assert shop.sandbox.docker.volumes.list(filters=held), "the gate holds no lock: this test would wait for nothing"
    shop.gitea.stop()
    eventually(
        lambda: not shop.sandbox.docker.volumes.list(filters=held), "the end of the gate, which lets its lock go"
    )
    shop.gitea.start()

    jobs = run.end()

    assert (jobs["Gate"].result, jobs["Promote"].result) == ("failure", "skipped")
    assert "Connection refused" in jobs["Gate"].said


def test_what_only_a_reader_wrote_is_refused(shop: Shop, gitea: Gitea) -> None:
    """A fork's commit, by its id and by its pull request; and an AGit push, which makes one without a fork."""
    eve = gitea.add_user(f"eve-{shop.sandbox.name}")
    gitea.api("POST", f"/repos/{shop.name}/forks", {}, token=eve)
    shop.repo.branch("evil")
    evil = shop.repo.commit({"evil.txt": "evil"})
    fork = f"eve-{shop.sandbox.name}/{shop.sandbox.name}"
    shop.repo.git("push", "--quiet", gitea.address(fork, eve), "evil")
    number = shop.pull(f"eve-{shop.sandbox.name}:evil", token=eve)

    by_id = shop.dispatch(revision=evil).end()["Gate"]
    by_number = shop.dispatch(pr=str(number)).end()["Gate"]
    shop.repo.commit({"agit.txt": "agit"})
    pushed = ("push", "--quiet", "origin", "HEAD:refs/for/main", "-o", "topic=agit")
    by_agit = shop.started_by(lambda: shop.repo.git(*pushed)).end()["Gate"]

    for job, said in (
        (by_id, "in the history of no branch and no tag"),
        (by_number, "not from this repository"),
        (by_agit, "an AGit push"),
    ):
        assert job.result == "failure", job.log
        assert said in job.said
        assert "::group::Build" not in job.log


def test_a_private_repository_without_a_checkout_is_gated_and_promoted(shop: Shop, tmp_path: Path) -> None:
    """`contents: read` is all that the token needs, for fetching too."""
    shop.gitea.api("PATCH", f"/repos/{shop.name}", {"private": True})
    compose = tmp_path / "on-the-host.yaml"
    compose.write_text((shop.repo.path / "compose.yaml").read_text())
    workflow = (shop.repo.path / WORKFLOW).read_text()
    workflow, steps = re.subn(r" +- uses: actions/checkout@.*\n +with:\n +persist-credentials: false\n", "", workflow)
    workflow, inputs = re.subn(
        r"^( +)health-path: /$", rf"\g<0>\n\1compose-file: {compose}", workflow, flags=re.MULTILINE
    )
    assert (steps, inputs) == (2, 2)
    commit = shop.commit("main", {WORKFLOW: workflow})

    jobs = shop.dispatch().end()

    assert jobs["Promote"].said.startswith("freshness promote: promoted\n"), jobs["Gate"].log
    assert shop.served(shop.production_port) == commit
