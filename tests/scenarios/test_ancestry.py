"""Production never goes backwards or sideways without a reason, and never without knowing, on a forge's history."""

from collections.abc import Callable

import pytest

from freshness.core.hexid import with_short_ids
from tests.support.forge import AUTHORIZATION
from tests.support.jobs import GITEA, NUMBER, Hosted
from tests.support.promotions import LONG, Built, Production
from tests.support.runner import Ended

WHY = "the newest one loses orders"


@pytest.fixture
def production(hosted: Hosted, record_property: Callable[[str, object], None]) -> Production:
    return Production(runner=hosted.runner, record=record_property)


def promote(hosted: Hosted, image: Built, **variables: str) -> Ended:
    """A dispatched promotion, in a checkout as actions/checkout leaves it."""
    folder = hosted.check_out("refs/heads/main")
    return hosted.runner.start(
        "promote",
        **{
            **hosted.job(GITEA, hosted.repo.head("main"), folder),
            **hosted.on_dispatch(),
            **LONG,
            "EXPECTED_REVISION": image.revision,
            "SOURCE_IMAGE": image.id,
            **variables,
        },
    ).end()


def outcome(ended: Ended) -> tuple[int, str]:
    return ended.status, ended.outputs["outcome"]


def assert_recorded(ended: Ended, text: str) -> None:
    assert with_short_ids(text) in ended.summary
    assert any(text in note for note in ended.report["notes"])


def ahead(hosted: Hosted) -> tuple[str, str]:
    """What production runs, and the candidate: sixty commits lie between them, more than the first deepening brings."""
    runs = hosted.repo.head()
    for number in range(60):
        hosted.repo.git("commit", "--quiet", "--allow-empty", f"--message={number}")
    hosted.push("main")
    return runs, hosted.repo.head()


def behind(hosted: Hosted) -> tuple[str, str]:
    older = hosted.repo.head()
    newer = hosted.repo.commit({"newer.txt": "1"})
    hosted.push("main")
    return newer, older


def diverged(hosted: Hosted) -> tuple[str, str]:
    hosted.repo.branch("hotfix")
    hotfix = hosted.repo.commit({"hotfix.txt": "1"})
    hosted.repo.switch("main")
    candidate = hosted.repo.commit({"feature.txt": "1"})
    hosted.push("main", "hotfix")
    return hotfix, candidate


def squashed(hosted: Hosted) -> tuple[str, str]:
    """Production runs a pull request's head, which then became one commit of the main branch."""
    head = hosted.open_pull_request()
    squash(hosted)
    candidate = hosted.repo.commit({"more.txt": "1"})
    hosted.push("main")
    return head, candidate


def squash(hosted: Hosted) -> str:
    hosted.repo.git("merge", "--quiet", "--squash", "feature")
    commit = hosted.repo.commit({}, "Squash")
    hosted.push("main")
    return commit


def never_pushed(hosted: Hosted) -> tuple[str, str]:
    """Production runs what the forge never had."""
    hosted.repo.branch("local")
    runs = hosted.repo.commit({"local.txt": "1"})
    hosted.repo.switch("main")
    return runs, hosted.repo.head()


@pytest.mark.parametrize("history", [ahead, squashed])
def test_a_candidate_that_has_what_production_runs_is_promoted(
    history: Callable[[Hosted], tuple[str, str]], hosted: Hosted, production: Production
) -> None:
    """Breaks when `deepen_until` stops at the checkout's one commit, or `compare` looks for no equal tree."""
    runs, candidate = history(hosted)
    image = production.build(candidate)
    production.deploy(production.build(runs))

    ended = promote(hosted, image)

    assert outcome(ended) == (0, "promoted"), ended.log
    production.assert_serves(image)
    assert_recorded(ended, f"ahead of {runs}, the commit in production")


DOUBTS = {
    "behind": (behind, "is 1 commit behind", "ALLOW_ROLLBACK"),
    "diverged": (diverged, "lacks 1 commit of", "ALLOW_DIVERGED"),
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_backwards_and_sideways_it_takes_a_reason_that_is_recorded(
    doubt: str, hosted: Hosted, production: Production
) -> None:
    """Breaks when `require_ancestry` in core/ancestry.py lets the case pass, or takes the other case's reason."""
    history, said, setting = DOUBTS[doubt]
    runs, candidate = history(hosted)
    image, running = production.build(candidate), production.build(runs)
    production.deploy(running)
    (other,) = {"ALLOW_ROLLBACK", "ALLOW_DIVERGED"} - {setting}
    before = production.state()

    for reasons in ({}, {other: WHY}):
        ended = promote(hosted, image, **reasons)
        assert outcome(ended) == (1, "refused"), ended.log
        assert said in ended.reason
        assert production.state() == before

    ended = promote(hosted, image, **{setting: WHY})
    assert outcome(ended) == (0, "promoted"), ended.log
    production.assert_serves(image)
    assert_recorded(ended, WHY)


def test_unknown_history_is_refused_whatever_is_allowed(hosted: Hosted, production: Production) -> None:
    """Breaks when `_relation` takes missing history for diverged."""
    runs, candidate = never_pushed(hosted)
    image, running = production.build(candidate), production.build(runs)
    production.deploy(running)
    before = production.state()

    ended = promote(hosted, image, ALLOW_ROLLBACK=WHY, ALLOW_DIVERGED=WHY)

    assert outcome(ended) == (1, "refused"), ended.log
    assert f"Cannot tell whether {candidate} is newer than {runs}, the commit in production" in ended.reason
    assert production.state() == before


def test_without_a_checkout_the_history_comes_from_the_server(hosted: Hosted, production: Production) -> None:
    """Breaks when `Origin.find` makes no repository of our own, or `fetch_commit` leaves it unable to deepen."""
    runs, candidate = diverged(hosted)
    image = production.build(candidate)
    production.deploy(production.build(runs))
    (hosted.forge.folder / "empty").mkdir()

    ended = promote(
        hosted,
        image,
        GITHUB_WORKSPACE=str(hosted.forge.folder / "empty"),
        COMPOSE_FILE=str(hosted.repo.path / "compose.yaml"),
    )

    assert outcome(ended) == (1, "refused"), ended.log
    assert "lacks 1 commit of" in ended.reason
    assert set(hosted.forge.server.seen) == {AUTHORIZATION}


def test_a_first_promotion_and_the_same_again_take_no_history(hosted: Hosted, production: Production) -> None:
    """Breaks when `advancing` in ancestry.py insists on a repository; a shell on the host may have none."""
    image, newer = production.build(hosted.repo.head()), production.build(hosted.repo.commit({"newer.txt": "1"}))
    (hosted.forge.folder / "empty").mkdir()
    shell = {
        "GITHUB_SERVER_URL": "",
        "GITHUB_WORKSPACE": str(hosted.forge.folder / "empty"),
        "COMPOSE_FILE": str(hosted.repo.path / "compose.yaml"),
    }

    assert outcome(promote(hosted, image, **shell)) == (0, "promoted")
    assert outcome(promote(hosted, image, **shell)) == (0, "unchanged")
    production.assert_serves(image)
    ended = promote(hosted, newer, **shell)
    assert outcome(ended) == (3, "error"), ended.log
    assert "is not a Git repository" in ended.reason


def test_a_production_without_a_label_is_adopted_aloud_or_refused(hosted: Hosted, production: Production) -> None:
    """Breaks when `_stand_to` in ancestry.py ignores `require-known`, or adopts without a word."""
    image = production.build(hosted.repo.head())
    production.deploy(production.build(hosted.repo.head(), label=""))
    before = production.state()

    ended = promote(hosted, image, REQUIRE_KNOWN="true")
    assert outcome(ended) == (1, "refused"), ended.log
    assert "names no commit, and `require-known` is true" in ended.reason
    assert production.state() == before

    ended = promote(hosted, image)
    assert outcome(ended) == (0, "promoted"), ended.log
    assert_recorded(ended, "names no commit: it is adopted, and unproven")


def test_a_retag_goes_forward_only_too(hosted: Hosted, production: Production) -> None:
    """Breaks when `_plan_tag` in preflight.py no longer insists on the direction."""
    runs, candidate = behind(hosted)
    image, running = production.build(candidate), production.build(runs, tag=production.tag)
    moved = {"RECREATE": "false", "PROD_IMAGE": production.tag}

    ended = promote(hosted, image, **moved)

    assert outcome(ended) == (1, "refused"), ended.log
    assert hosted.runner.sandbox.image_id(production.tag) == running.id
    assert outcome(promote(hosted, image, **moved, ALLOW_ROLLBACK=WHY)) == (0, "promoted")


@pytest.mark.parametrize("named", ["push of the merge", "pr"])
def test_a_squash_with_an_equal_tree_counts_as_the_validated_commit(
    named: str, hosted: Hosted, production: Production
) -> None:
    """Breaks when `prove` in candidate.py ignores `match: tree`, or asks whether the squash is the head."""
    image = production.build(hosted.open_pull_request())
    merged = squash(hosted)
    variables = {"EXPECTED_REVISION": merged} | ({"PR": str(NUMBER)} if named == "pr" else {})

    refused = promote(hosted, image, **variables)
    assert outcome(refused) == (1, "refused"), refused.log

    ended = promote(hosted, image, **variables, MATCH="tree")
    assert outcome(ended) == (0, "promoted"), ended.log
    production.assert_serves(image)


def test_trees_that_differ_are_refused_with_the_paths(hosted: Hosted, production: Production) -> None:
    """Breaks when `insist_equal_trees` in ancestry.py compares nothing, or names nothing."""
    image = production.build(hosted.open_pull_request({"feature.txt": "new", "folder/inner.txt": "1"}))
    squash(hosted)
    merged = hosted.repo.commit({"folder/inner.txt": "2", "base.txt": "meanwhile"})
    hosted.push("main")

    ended = promote(hosted, image, EXPECTED_REVISION=merged, MATCH="tree")

    assert outcome(ended) == (1, "refused"), ended.log
    assert f"whose tree differs from that of {merged} in base.txt, folder/inner.txt; expected equal" in ended.reason


def test_a_rollback_is_itself_the_permission_and_records_its_reason(hosted: Hosted, production: Production) -> None:
    """Breaks when `require_forward` in ancestry.py looks at rollbacks, or `rollback` in main.py drops `--reason`."""
    runs, candidate = ahead(hosted)
    running = production.build(runs)
    production.deploy(running)
    assert outcome(promote(hosted, production.build(candidate))) == (0, "promoted")
    hosted.forge.server.seen.clear()

    ended = hosted.runner.start("rollback", "--reason", WHY, **LONG, **hosted.job(GITEA, candidate)).end()

    assert outcome(ended) == (0, "promoted"), ended.log
    production.assert_serves(running)
    assert_recorded(ended, f"Reason for the rollback: {WHY}")
    assert hosted.forge.server.seen == []
