"""Which Compose files Compose reads: Compose itself takes them apart, and what cannot be told is refused."""

import os
from pathlib import Path

import pytest

from freshness.engine.compose_file import NO_ENV_FILE, ComposeFile
from freshness.engine.compose_reads import find_compose_files
from freshness.errors import Refused

SERVICE = "services: {web: {image: x}}\n"


def reads(folder: Path, files: dict[str, str], *first: str, **variables: str) -> list[str]:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    paths = tuple(folder / name for name in first or ("compose.yaml",))
    file = ComposeFile(
        paths=paths, folder=folder, env_files=(NO_ENV_FILE,), project="shop", variables=variables, only_inputs=True
    )
    return [str(path.relative_to(folder)) for path in find_compose_files(file, dict(os.environ))]


def test_every_file_that_is_named_in_some_way_is_found_once(tmp_path: Path) -> None:
    """I1. Breaks when one way is left out, or a path starts at another folder than Compose has it."""
    files = {
        "compose.yaml": "---\n# with anchors, tags and text of several lines\n"
        "x-common: &common\n  image: x\n  command: |\n    include:\n      - nothing\n"
        "include:\n  - parts/db.yaml\n  - {path: [parts/a.yaml, '${WHERE:-parts}/b.yaml'], project_directory: other}\n"
        "services:\n  web:\n    <<: *common\n    ports: !override [80]\n"
        "    extends: {file: base/web.yaml, service: web}\n  two: {extends: {service: web}}\n",
        "compose.override.yaml": SERVICE,
        "parts/db.yaml": "include: [deep.yaml]\n" + SERVICE,
        "parts/deep.yaml": SERVICE,
        "parts/a.yaml": "include: [c.yaml]\n",
        "parts/b.yaml": SERVICE,
        "other/c.yaml": SERVICE,
        "base/web.yaml": "services: {web: {image: x, extends: {file: common.yaml, service: web}}}\n",
        "base/common.yaml": '{"services": {"web": {"\\u0065xtends": {"file": "last.yaml", "service": "web"}}}}',
        "base/last.yaml": SERVICE,
        "never.yaml": SERVICE,
    }

    found = reads(tmp_path, files, "compose.yaml", "compose.override.yaml")

    assert found[:2] == ["compose.yaml", "compose.override.yaml"]
    assert len(found) == len(set(found))
    assert set(found) == set(files) - {"never.yaml"}


def test_a_variable_in_a_path_counts_as_compose_has_it(tmp_path: Path) -> None:
    files = {"compose.yaml": "include: ['${WHERE}/a.yaml']\n", "one/a.yaml": SERVICE, "two/a.yaml": SERVICE}

    assert reads(tmp_path, files, WHERE="two") == ["compose.yaml", "two/a.yaml"]


def test_a_file_whose_variables_an_env_file_of_its_own_has_is_read(tmp_path: Path) -> None:
    """Fails where it is only read with the variables of all: it may need one that these lack."""
    one = "services: {web: {image: '${ONLY_HERE:?}', extends: {file: base.yaml, service: web}}}\n"
    files = {"compose.yaml": "include: [{path: a.yaml, env_file: a.env}]\n", "a.yaml": one, "base.yaml": SERVICE}

    assert reads(tmp_path, files) == ["compose.yaml", "a.yaml", "base.yaml"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("include: ['https://github.com/x/y.git']\n", "Compose may read it from elsewhere"),
        ("include: ['oci://registry/x']\n", "copy it into the repository"),
        ("include: [gone.yaml]\n", "there is no file"),
        ("include: ['${GONE:?}.yaml']\n", "there is no file"),
        ("services: {web: {extends: {file: gone.yaml, service: web}}}\n", "there is no file"),
        ("include: [\n", "Name them all in `compose-file`"),
        ("include: [compose.yaml, b.yaml]\nservices: [", "cannot be told"),
    ],
)
def test_what_cannot_be_told_is_refused(text: str, said: str, tmp_path: Path) -> None:
    """I1. Breaks when a file that Compose reads from elsewhere, or in an unknown way, is passed over."""
    with pytest.raises(Refused) as refused:
        reads(tmp_path, {"compose.yaml": text})

    assert said in f"{refused.value.args[0]} {refused.value.remedy}"


def test_files_in_a_circle_come_to_an_end(tmp_path: Path) -> None:
    assert reads(tmp_path, {"compose.yaml": "include: [b.yaml]", "b.yaml": "include: [compose.yaml]"}) == [
        "compose.yaml",
        "b.yaml",
    ]
