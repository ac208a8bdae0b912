"""The Compose files are an input of the image: each that lies in the checkout is the commit's, byte for byte."""

from pathlib import Path

import pytest

from freshness.errors import Refused
from freshness.git.same_files import require_same_files

TEXT = b"services: {}\n"


def both(folder: Path, checkout: bytes = TEXT, tree: bytes | None = TEXT) -> tuple[Path, Path, Path]:
    ours, theirs = folder / "checkout", folder / "tree"
    (ours / "deploy").mkdir(parents=True)
    (theirs / "deploy").mkdir(parents=True)
    (ours / "deploy/compose.yaml").write_bytes(checkout)
    if tree is not None:
        (theirs / "deploy/compose.yaml").write_bytes(tree)
    return ours / "deploy/compose.yaml", ours, theirs


def test_equal_files_are_counted_and_files_elsewhere_are_the_operators(tmp_path: Path) -> None:
    file, checkout, tree = both(tmp_path)
    (tmp_path / "link").symlink_to(checkout)

    assert require_same_files([file, Path("/dev/null")], checkout, tree) == 1
    assert require_same_files([file], tmp_path / "link", tree) == 1


@pytest.mark.parametrize(
    ("checkout", "tree", "said"),
    [
        (b"x", TEXT, "differs from the commit's"),
        (TEXT.replace(b"{}", b"[]"), TEXT, "differs"),
        (TEXT + b"\n", TEXT, "differs"),
        (TEXT, None, "is not in the commit"),
    ],
)
def test_a_file_that_is_not_the_commits_is_refused_by_its_name(
    checkout: bytes, tree: bytes | None, said: str, tmp_path: Path
) -> None:
    """I1. Breaks when anything but every byte is compared."""
    file, ours, theirs = both(tmp_path, checkout, tree)

    with pytest.raises(Refused, match=f"deploy/compose.yaml.*{said}|deploy/compose.yaml {said}"):
        require_same_files([file], ours, theirs)


def test_other_ends_of_lines_are_told_with_a_way_out(tmp_path: Path) -> None:
    """Fails when `git diff` is all that is named, which shows nothing of what `.gitattributes` makes."""
    file, ours, theirs = both(tmp_path, TEXT.replace(b"\n", b"\r\n"))

    with pytest.raises(Refused) as refused:
        require_same_files([file], ours, theirs)

    assert "commit `deploy/compose.yaml -text` in .gitattributes" in str(refused.value.remedy)


@pytest.mark.parametrize("way", ["elsewhere/../checkout/deploy", "link/deploy", "linked"])
def test_each_way_into_the_checkout_leads_to_the_commits_file(way: str, tmp_path: Path) -> None:
    """I1. Fails when the path is taken as it was written: a file outside may extend `../checkout/compose.yaml`."""
    _, ours, theirs = both(tmp_path, b"x")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(ours)
    (tmp_path / "linked").symlink_to(ours / "deploy")

    with pytest.raises(Refused, match="differs from the commit's"):
        require_same_files([tmp_path / way / "compose.yaml"], ours, theirs)


def test_a_way_out_of_the_checkout_leads_to_the_operators_file(tmp_path: Path) -> None:
    """Fails when a path counts as inside because it begins there."""
    _, ours, theirs = both(tmp_path)
    (tmp_path / "base.yaml").write_bytes(TEXT)

    assert require_same_files([ours / "deploy/../../base.yaml"], ours, theirs) == 0


def test_a_link_that_leads_out_of_the_tree_is_refused(tmp_path: Path) -> None:
    """I1. Breaks when the link is followed: it would compare the file with itself."""
    file, ours, theirs = both(tmp_path, tree=None)
    (theirs / "deploy/compose.yaml").symlink_to(file)

    with pytest.raises(Refused, match="is not in the commit"):
        require_same_files([file], ours, theirs)
