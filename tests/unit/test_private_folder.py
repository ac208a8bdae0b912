"""A folder of ours is made only where nobody else can put another in its place."""

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

import freshness
import freshness.process.private_folder as private_folder_module
from freshness.process.private_folder import ACCESS_LIST, INHERITED_LIST, make_private_folder, private_folder
from tests.support.access_lists import list_write_access

NOBODY = 65534


@pytest.fixture(autouse=True)
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's folder for temporary files, as far as this test is concerned."""
    folder = tmp_path / "system"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def opened_to_all(place: Path) -> Path:
    """As a temporary folder that jobs of several users share."""
    place.chmod(0o777)
    return place


def opened_to_a_group(place: Path) -> Path:
    place.chmod(0o770)
    os.chown(place, -1, NOBODY)
    return place


def given_to_another(place: Path) -> Path:
    os.chown(place, NOBODY, -1)
    return place


def below_an_open_folder(place: Path) -> Path:
    """Closed itself, but in a folder where anybody may rename it."""
    inner = place / "closed"
    inner.mkdir(0o700)
    place.chmod(0o777)
    return inner


def behind_a_link(place: Path) -> Path:
    opened_to_all(place)
    link = place.parent / "link"
    link.symlink_to(place)
    return link


def opened_by_an_access_list(place: Path) -> Path:
    """Its owner, group and mode say that nobody else may write; the list names a user who may."""
    list_write_access(place, ACCESS_LIST)
    return place


def missing(place: Path) -> Path:
    return place / "missing"


@pytest.mark.parametrize(
    "prepare",
    [
        opened_to_all, opened_to_a_group, given_to_another, below_an_open_folder, behind_a_link,
        opened_by_an_access_list, missing,
    ],
)  # fmt: skip
def test_where_others_could_replace_it_the_systems_folder_is_taken(
    prepare: Callable[[Path], Path], tmp_path: Path, system: Path
) -> None:
    """Fails when `_is_safe` leaves out what that case opens."""
    if os.geteuid() != 0 and prepare in {opened_to_a_group, given_to_another}:
        pytest.skip("only root can give a folder away")
    place = tmp_path / "runner"
    place.mkdir(0o700)

    made = make_private_folder({"RUNNER_TEMP": str(prepare(place))})

    assert made.parent == system


def test_a_shared_folder_in_which_nobody_renames_anothers_is_used(tmp_path: Path) -> None:
    """Fails when `_keeps_names` does not know the sticky bit, which /tmp has."""
    place = tmp_path / "shared"
    place.mkdir()
    place.chmod(0o1777)

    with private_folder({"RUNNER_TEMP": str(place)}) as folder:
        assert folder.parent == place
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(place.iterdir()) == []


def test_a_folder_inherits_no_access_list(tmp_path: Path) -> None:
    """Fails when `make_folder_in` leaves the inherited list, which counts as soon as the mode lets a group in."""
    place = tmp_path / "runner"
    place.mkdir(0o700)
    list_write_access(place, INHERITED_LIST)

    with private_folder({"RUNNER_TEMP": str(place)}) as folder:
        assert folder.parent == place
        assert not {ACCESS_LIST, INHERITED_LIST} & set(os.listxattr(folder))


def test_each_folder_of_ours_is_made_by_the_one_rule() -> None:
    """Fails when a file makes a temporary folder by itself."""
    source = Path(freshness.__file__).parent
    makers = re.compile(r"\b(mkdtemp|TemporaryDirectory|mktemp)\b")
    assert [str(file) for file in sorted(source.rglob("*.py")) if makers.search(file.read_text())] == [
        private_folder_module.__file__
    ]


def test_a_link_in_the_folder_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails when the folder has a name that another user can foresee and prepare."""
    prepared = iter(("foreseen", "other"))
    monkeypatch.setattr("tempfile._get_candidate_names", lambda: prepared)
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / "freshness-foreseen").symlink_to(target)

    assert make_private_folder({"RUNNER_TEMP": str(tmp_path)}) == tmp_path / "freshness-other"


def test_where_no_folder_is_safe_it_says_so(tmp_path: Path, system: Path) -> None:
    """Fails when `make_private_folder` takes the last place unseen."""
    opened_to_all(system)

    with pytest.raises(PermissionError, match=f"is there a folder that others cannot replace.*{system}"):
        make_private_folder({"RUNNER_TEMP": str(opened_to_all(tmp_path))})
