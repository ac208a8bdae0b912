"""Which bind mounts would take their files from another path, and with which project folder they would not."""

import pytest

from freshness.core.mounts import Kind, Mount
from freshness.core.moved import Moved, bound_by, explain_moved, find_moved, folder_before

MOUNTS = (
    Mount(kind=Kind.BIND, target="/data", source="/b/data", path="/b/data"),
    Mount(kind=Kind.BIND, target="/same", source="/srv/same/", path="/srv/same/"),
    Mount(kind=Kind.BIND, target="/new", source="/b/new", path="/b/new"),
    Mount(kind=Kind.VOLUME, target="/named", source="v", volume="shop_v"),
    Mount(kind=Kind.SECRET, target="/run/secrets/s", source="s", path="/b/s"),
)


def moved(old: str, new: str) -> Moved:
    return Moved(target="/data", old=old, new=new)


def test_only_a_bind_mount_with_another_source_at_the_same_target_counts() -> None:
    """Fails when `find_moved` compares how a path is written, or takes a volume or a secret for a bind mount."""
    before = {"/data": "/a/data", "/same": "/srv/same", "/named": "/a/named", "/gone": "/a", "/run/secrets/s": "/a/s"}

    assert bound_by(MOUNTS) == {"/data": "/b/data", "/same": "/srv/same", "/new": "/b/new"}
    assert find_moved(MOUNTS, before) == (moved("/a/data", "/b/data"),)


@pytest.mark.parametrize(
    ("old", "new", "folder", "expected"),
    [
        ("/a/data", "/b/data", "/b", "/a"),
        ("/a/x/data", "/b/x/data", "/b/", "/a"),
        ("/a", "/b", "/b", "/a"),
        ("/a/files", "/b/data", "/b", ""),
        ("/a/mydata", "/b/data", "/b", ""),
        ("/a/data", "/data", "/b", ""),
    ],
)
def test_the_folder_is_named_with_which_a_relative_mount_is_what_it_was(
    old: str, new: str, folder: str, expected: str
) -> None:
    """Fails when `folder_before` names a folder for a mount that is not relative, or that is called otherwise now."""
    assert folder_before(moved(old, new), folder) == expected


def test_the_sentence_names_target_both_sources_and_the_folder_only_where_it_helps() -> None:
    """Fails when `explain_moved` leaves one of them out."""
    message, remedy = explain_moved("the container web", [moved("/a/data", "/b/data")], "/b")
    _, absolute = explain_moved("the container web", [moved("/srv/old", "/srv/new")], "/b")

    assert "mounts /a/data at /data" in message
    assert "/b/data, which has no files" in message
    assert remedy.startswith("Set `project-directory: /a`")
    assert absolute.startswith("Write /srv/old into the Compose file as an absolute path")
