"""A plan is a value: what it says is what is executed, so that a dry run cannot drift from the run."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from freshness.core.ancestry import IN_PRODUCTION, RAN_LAST, require_ancestry
from freshness.core.compose import Target
from freshness.core.history import Comparison, Relation
from freshness.core.image import Image
from freshness.core.lock import Record
from freshness.core.recovery import Recovery, decide_recovery
from freshness.core.retained import RetainedTags
from freshness.engine.compose_file import ComposeFile
from freshness.engine.containers import Container
from freshness.promotion.change import Change, Make, Move
from freshness.promotion.left import LeftService, LeftServices, decide_left
from freshness.promotion.plan import Plan, finish_plan, in_words, retag_plan, rollout_plan
from freshness.promotion.wording import what_all_serve, what_serves_again
from freshness.settings.model import PromoteSettings
from freshness.settings.read import read_promote

FILE = ComposeFile(paths=(), folder=Path("/"), env_files=(), project=None, variables={}, only_inputs=True)
TARGET = Target(
    project="shop", service="web", image="shop/web", container="shop-web-1", address="127.0.0.1", port=8500,
    container_port=80,
)  # fmt: skip
HEALTH = read_promote({"hold-time": "5"}, {}, revision_required=False).health
NOW = Make(target=TARGET, source=FILE, health=HEALTH, configuration="{}")
RUNNING = Container(
    id="c1", name="shop-web-1", image_id="OLD", status="running", started_at="", restarts=0, exit_code=0, health="",
    addresses={},
)  # fmt: skip
OLD, NEW = Image(id="OLD"), Image(id="NEW")
MOVE = Move(
    tag="shop/web",
    candidate=NEW,
    previous=OLD,
    tagged=OLD,
    kept=("OLDER",),
    retained_tags=RetainedTags(repository="shop/web"),
)
CHANGE = Change(move=MOVE, make=NOW, former=NOW, running=(RUNNING,))


def settings(**given: str) -> PromoteSettings:
    """The promotion's own, by the names of inputs."""
    default = {"keep_images": "3", "update_overlap": "10", "hold_time": "5"}
    named = {name.replace("_", "-"): value for name, value in {**default, **given}.items()}
    return read_promote(named, {}, revision_required=False)


SETTINGS = settings()
UNDONE = """\
1. tag OLD as shop/web: it ran before
2. retain OLDER as shop/web:freshness-previous: as before
3. bring web back to OLD: the one that never stopped stays; else Compose makes it anew
4. wait up to 60 s for web to be healthy: what was brought back is proven too
5. verify that web and shop/web are OLD: what was brought back is proven too
6. probe web once more when it has run for 5 s: what was brought back has to last too
7. record that web runs OLD: it serves again"""

PROMOTED = """\
1. tag NEW as shop/web: by its ID, so that a tag that moves meanwhile changes nothing
   undo: tag OLD as shop/web: it ran before
2. retain OLD as shop/web:freshness-previous, OLDER as shop/web:freshness-previous.2: `freshness rollback` goes back\
 to these
   undo: retain OLDER as shop/web:freshness-previous: as before
3. recreate web with Compose, and nothing else: no dependency, no build, no pull
   undo: bring web back to OLD: the one that never stopped stays; else Compose makes it anew
4. wait up to 60 s for web to be healthy: what is not healthy is taken back
   undo: wait up to 60 s for web to be healthy: what was brought back is proven too
5. verify that web and shop/web are NEW: what cannot be proven is taken back
   undo: verify that web and shop/web are OLD: what was brought back is proven too
6. probe web once more when it has run for 5 s: what does not last is taken back
   undo: probe web once more when it has run for 5 s: what was brought back has to last too
7. record that web runs NEW: the next run builds on it
   undo: record that web runs OLD: it serves again"""


def plan(change: Change = CHANGE, **given: str) -> Plan:
    return rollout_plan((change,), settings(**given))


def moved(**values: object) -> Change:
    return replace(CHANGE, move=replace(MOVE, **values))


def lines(text: str, *numbers: int) -> list[str]:
    """The lines of these operations, without what undoes them."""
    return [line for line in text.splitlines() if line.partition(".")[0] in map(str, numbers)]


def test_a_promotion() -> None:
    """Fails when an operation is left out of what is said, or said and not executed."""
    assert str(plan()) == PROMOTED


@pytest.mark.parametrize(
    ("found", "where", "said"),
    [
        (Comparison(relation=Relation.SAME, ahead=0, behind=0), IN_PRODUCTION, "Production already runs 1a."),
        (
            Comparison(relation=Relation.AHEAD, ahead=1, behind=0),
            IN_PRODUCTION,
            "2b is 1 commit ahead of 1a, the commit in production.",
        ),
        (
            Comparison(relation=Relation.AHEAD, ahead=2, behind=0, via="3c"),
            IN_PRODUCTION,
            "2b is 2 commits ahead of 1a, the commit in production (through 3c, which has the same tree).",
        ),
        (
            Comparison(relation=Relation.BEHIND, ahead=0, behind=1),
            IN_PRODUCTION,
            "2b is 1 commit behind 1a, the commit in production; `allow-rollback` allows it: why",
        ),
        (
            Comparison(relation=Relation.DIVERGED, ahead=1, behind=1),
            IN_PRODUCTION,
            "2b lacks 1 commit of 1a, the commit in production; `allow-diverged` allows it: why",
        ),
        (
            Comparison(relation=Relation.AHEAD, ahead=1, behind=0),
            RAN_LAST,
            "2b is 1 commit ahead of 1a, the commit that ran last.",
        ),
        (Comparison(relation=Relation.SAME, ahead=0, behind=0), RAN_LAST, "It is 1a, the commit that ran last."),
    ],
)
def test_a_plan_says_how_its_commit_stands_to_what_runs(found: Comparison, where: str, said: str) -> None:
    """Fails when a plan does not say on which ground production may change."""
    ancestry = require_ancestry(
        found, production="1a", candidate="2b", allow_rollback="why", allow_diverged="why", where=where
    )
    assert str(rollout_plan((CHANGE,), SETTINGS, ancestry)) == f"ancestry: {said}\n{PROMOTED}"


def test_its_undo_proves_what_it_brings_back() -> None:
    """I9. Fails when an undo is left out, or comes before the tag from which Compose makes what ran before."""
    assert in_words(plan().undo) == UNDONE


def test_a_first_deployment_is_undone_to_nothing() -> None:
    """I9. Fails when a first deployment that failed leaves its container, or its tag."""
    first = plan(replace(moved(previous=None, tagged=None, kept=()), running=()))
    assert (
        str(first)
        == """\
1. tag NEW as shop/web: by its ID, so that a tag that moves meanwhile changes nothing
2. recreate web with Compose, and nothing else: no dependency, no build, no pull
   undo: bring web back to nothing: it served nothing before
3. wait up to 60 s for web to be healthy: what is not healthy is taken back
4. verify that web and shop/web are NEW: what cannot be proven is taken back
5. probe web once more when it has run for 5 s: what does not last is taken back
6. record that web runs NEW: the next run builds on it"""
    )


def test_what_runs_just_so_already_is_left_and_proven_again() -> None:
    """I11. Fails when Compose is asked about what was recorded, or the proof is left out."""
    same = replace(moved(candidate=OLD), is_current=True)
    assert (
        str(plan(same))
        == """\
1. tag OLD as shop/web: by its ID, so that a tag that moves meanwhile changes nothing
   undo: tag OLD as shop/web: it ran before
2. leave the container of web as it is: it is just as it was recorded
   undo: bring web back to OLD: the one that never stopped stays; else Compose makes it anew
3. wait up to 60 s for web to be healthy: what is not healthy is taken back
   undo: wait up to 60 s for web to be healthy: what was brought back is proven too
4. verify that web and shop/web are OLD: what cannot be proven is taken back
   undo: verify that web and shop/web are OLD: what was brought back is proven too
5. probe web once more when it has run for 5 s: what does not last is taken back
   undo: probe web once more when it has run for 5 s: what was brought back has to last too
6. record that web runs OLD: the next run builds on it
   undo: record that web runs OLD: it serves again"""
    )
    assert lines(str(plan(same, force_recreate="true")), 2) == [
        "2. recreate web with Compose, and nothing else: no dependency, no build, no pull"
    ]
    (asked,) = lines(str(plan(moved(candidate=OLD))), 2)
    assert asked.endswith("it runs that image already, so Compose recreates it only if its configuration has changed")


def test_a_rollback_is_a_plan_like_any_other() -> None:
    """I9. Fails when a rollback retains the image that it goes to, or loses what it leaves."""
    back = moved(candidate=Image(id="OLDER"), goes_back=True)
    assert lines(str(plan(back)), 1, 2) == [
        "1. tag OLDER as shop/web: by its ID, so that a tag that moves meanwhile changes nothing",
        "2. retain OLD as shop/web:freshness-previous: `freshness rollback` goes back to these",
    ]
    assert back.move.left == ("OLD",)


def test_start_first_serves_from_both_until_the_new_one_has_lasted() -> None:
    """Fails when the old container goes before the last proof, or a proxy gets no time."""
    assert lines(str(plan(update_order="start-first")), 3, 5, 6, 7, 8) == [
        "3. start a second container of web beside the first: the old one serves until the new one is proven",
        "5. verify that web and shop/web are NEW: what cannot be proven is taken back",
        "6. let both containers of web serve for 10 s: a proxy gets time to find the new one",
        "7. probe web once more when it has run for 5 s: what does not last is taken back",
        "8. stop and remove the old container of web: the new one is proven",
    ]


def test_what_is_too_many_is_released_once_the_new_image_is_proven() -> None:
    """I9. Fails when an image that an undo needs goes before the proof."""
    assert lines(str(plan(keep_images="1")), 2, 7, 8) == [
        PROMOTED.splitlines()[2],
        "7. retain OLD as shop/web:freshness-previous: `keep-images` is 1",
        "8. record that web runs NEW: the next run builds on it",
    ]


def test_over_several_services_each_phase_comes_before_the_next() -> None:
    """Fails when one service is changed while another one's tag is not set yet."""
    worker = replace(NOW, target=replace(TARGET, service="worker", image="shop/worker"))
    other = replace(CHANGE, make=worker, former=worker, move=replace(MOVE, tag="shop/worker", kept=("NEW", "OLD")))
    both = str(rollout_plan((CHANGE, other), SETTINGS))
    assert [line[3:15] for line in lines(both, 1, 2, 4, 5, 6, 7)] == [
        "tag NEW as s", "tag NEW as s", "retain OLD a", "recreate web", "wait up to 6", "wait up to 6",
    ]  # fmt: skip
    assert lines(both, 5)[0].startswith("5. recreate web and worker with Compose")
    assert lines(str(rollout_plan((replace(CHANGE, level=1), other), SETTINGS)), 5, 6) == [
        "5. recreate worker with Compose, and nothing else: no dependency, no build, no pull",
        "6. recreate web with Compose, and nothing else: no dependency, no build, no pull",
    ]


def test_a_mere_retag_is_undone_to_what_the_tag_named() -> None:
    """I9. Fails when a retag recreates anything, or its undo forgets the retained images."""
    assert (
        str(retag_plan(MOVE, 3))
        == """\
1. tag NEW as shop/web: by its ID, so that a tag that moves meanwhile changes nothing; nothing is recreated, as\
 `recreate` is false
   undo: tag OLD as shop/web: as before
2. retain OLD as shop/web:freshness-previous, OLDER as shop/web:freshness-previous.2: `freshness rollback` goes back\
 to these
   undo: retain OLDER as shop/web:freshness-previous: as before
3. record that shop/web names NEW: the next run builds on it"""
    )
    assert str(retag_plan(replace(MOVE, candidate=OLD), 3)) == "nothing: shop/web names OLD already"


FINISHED = """\
1. tag NEW as shop/web: by its ID, so that a tag that moves meanwhile changes nothing
   undo: tag OLD as shop/web: it ran before
2. recreate web with Compose, and nothing else: no dependency, no build, no pull
   undo: bring web back to OLD: the one that never stopped stays; else Compose makes it anew
3. wait up to 60 s for web to be healthy: what is not healthy is taken back
   undo: wait up to 60 s for web to be healthy: what was brought back is proven too
4. verify that web and shop/web are NEW: what cannot be proven is taken back
   undo: verify that web and shop/web are OLD: what was brought back is proven too
5. probe web once more when it has run for 5 s: what does not last is taken back
   undo: probe web once more when it has run for 5 s: what was brought back has to last too
6. retain OLD as shop/web:freshness-previous, OLDER as shop/web:freshness-previous.2: `keep-images` is 3
7. record that web runs NEW: the next run builds on it
   undo: record that web runs OLD: it serves again"""
WITHOUT_OLD = FINISHED.replace(
    "retain OLD as shop/web:freshness-previous, OLDER as shop/web:freshness-previous.2",
    "retain OLDER as shop/web:freshness-previous",
)
ALL = {"OLD", "NEW", "OLDER"}
RECORD = MOVE.record("{}", "{}")
FIRST = replace(RECORD, previous="", tagged="", kept=())
FIRST_CHANGE = replace(moved(previous=None, tagged=None, kept=()), running=())
SOMEBODY = "left alone: production runs neither its image nor the one before, so somebody changed it meanwhile"


@pytest.mark.parametrize(
    ("change", "record", "running", "there", "done", "operations"),
    [
        (CHANGE, RECORD, {"NEW"}, ALL, "finished: production runs NEW", FINISHED),
        (CHANGE, RECORD, {"OLD", "NEW"}, ALL, "finished: production runs NEW", FINISHED),
        (CHANGE, RECORD, {"OLD"}, ALL, "undone: production runs OLD again", UNDONE),
        (CHANGE, RECORD, set(), ALL, "undone: production runs OLD again", UNDONE),
        (CHANGE, RECORD, set(), {"NEW", "OLDER"}, "finished: production runs NEW", WITHOUT_OLD),
        (CHANGE, RECORD, set(), set(), "left alone: OLD and NEW are both gone from this Engine", ""),
        (CHANGE, RECORD, {"THEIRS"}, ALL, SOMEBODY, ""),
        (
            FIRST_CHANGE, FIRST, set(), {"NEW"}, "undone: nothing is left of it",
            "1. bring web back to nothing: it served nothing before",
        ),
    ],
)  # fmt: skip
def test_what_an_interrupted_run_left_is_finished_or_undone(
    change: Change, record: Record, running: set[str], there: set[str], done: str, operations: str
) -> None:
    """I9. Fails when what serves nothing is finished, or what somebody else deployed is undone."""
    service = LeftService(change=change, record=record, what=decide_recovery(record, running))
    (left,) = decide_left([LeftServices(services=(service,), settings=SETTINGS, there=frozenset(there))])
    assert (left.done, str(left)) == (done, operations)


def test_a_tag_that_production_has_no_more_is_restored_with_the_rest() -> None:
    """I9. Fails when an interrupted run's own tag is forgotten, where the Compose file names another one by now."""
    record = replace(RECORD, tag="shop/before")
    service = LeftService(change=CHANGE, record=record, what=Recovery.UNDO, is_moved=True)
    (left,) = decide_left([LeftServices(services=(service,), settings=SETTINGS, there=frozenset(ALL))])
    assert lines(str(left), 1) == ["1. tag OLD as shop/before: production's tag is another by now"]
    assert len(left.operations) == 8


SAME = replace(RECORD, previous="NEW")
"""Of a promotion that changes the configuration alone."""
SAME_CHANGE = moved(previous=MOVE.candidate)


@pytest.mark.parametrize(
    ("hosts", "undone", "done"),
    [
        ([{"NEW"}, {"NEW"}], False, ["finished: production runs NEW"] * 2),
        ([{"NEW"}, {"OLD"}], False, ["undone: production runs OLD again"] * 2),
        ([{"NEW"}, set()], False, ["undone: production runs OLD again"] * 2),
        ([{"NEW"}, {"THEIRS"}], False, ["finished: production runs NEW", SOMEBODY]),
        ([{"NEW"}, {"NEW"}], True, ["undone: production runs OLD again"] * 2),
        ([{"NEW"}], False, ["finished: production runs NEW"]),
        ([{"OLD"}], False, ["undone: production runs OLD again"]),
        ([{"NEW"}], True, ["undone: production runs OLD again"]),
    ],
)
def test_what_is_left_on_several_hosts_becomes_one_state(
    hosts: list[set[str]],
    undone: bool,  # noqa: FBT001 -- a case
    done: list[str],
) -> None:
    """I9. Fails when a host is finished while another is undone, or when one that is left goes its own way."""
    assert [one.done for one in decide_left([on_host(runs) for runs in hosts], is_undone=undone)] == done


def test_where_one_host_has_no_way_back_all_of_them_go_on() -> None:
    """I9. Fails when two hosts end on two commits because a prune took the former image of one."""
    found = [on_host({"NEW"}), on_host({"OLD"}), on_host(set(), there={"NEW", "OLDER"})]
    assert [one.done for one in decide_left(found)] == ["finished: production runs NEW"] * 3


def test_what_goes_on_on_all_hosts_is_not_to_be_undone_where_its_record_is_the_last() -> None:
    """I9. Fails when `despite` is not told: marked as undone, one host alone would go back from what the others run."""
    found = [on_host({"NEW"}, there={"NEW"}), on_host({"OLD"})]
    assert [one.despite for one in decide_left(found)] == [True, True]
    assert not any(one.despite for one in decide_left([on_host({"NEW"}), on_host({"OLD"})]))
    (rest,) = decide_left([on_host({"NEW"})])
    assert rest.done == "finished: production runs NEW"


def test_a_configuration_that_was_taken_back_is_not_finished_where_the_record_is_the_last() -> None:
    """I9. Fails when `undone` is not asked: which image runs does not tell of a configuration."""
    service = LeftService(change=SAME_CHANGE, record=SAME, what=decide_recovery(SAME, {"NEW"}))
    found = [LeftServices(services=(service,), settings=SETTINGS, there=frozenset(ALL))]
    assert decide_left(found)[0].what is Recovery.FINISH
    assert decide_left(found, is_undone=True)[0].what is Recovery.UNDO


def on_host(running: set[str], there: set[str] = ALL) -> LeftServices:
    """What is found on one of several hosts, where these images run."""
    service = LeftService(change=CHANGE, record=RECORD, what=decide_recovery(RECORD, running))
    return LeftServices(services=(service,), settings=SETTINGS, there=frozenset(there))


def test_start_first_is_finished_with_the_old_container_removed() -> None:
    """Fails when an interrupted run leaves two containers."""
    finished = str(finish_plan([CHANGE], settings(update_order="start-first"), ALL))
    assert lines(finished, 2, 5, 7) == [
        "2. start a second container of web beside the first: the old one serves until the new one is proven",
        "5. let both containers of web serve for 10 s: a proxy gets time to find the new one",
        "7. stop and remove the old container of web: the new one is proven",
    ]


def test_services_that_are_alike_are_told_in_one_sentence() -> None:
    """Fails when a person reads the same sentence for each service, with an image ID in it."""
    new, old = (Image(id=f"sha256:{digit * 64}", labels={"rev": digit * 40}) for digit in "12")
    web = replace(moved(candidate=new, previous=old), running=())
    worker = replace(web, make=replace(NOW, target=replace(TARGET, service="worker")))
    assert what_all_serve([web, worker], {}, "rev", forced=False) == (
        f"web, worker: Production runs commit {'1' * 40}; it ran commit {'2' * 40} before."
    )
    assert what_serves_again([web, worker], "rev") == f"web, worker: commit {'2' * 40} serves again."
    assert what_all_serve([web], {}, "rev", forced=False).startswith(f"Production runs {new.id} (commit {'1' * 40})")
