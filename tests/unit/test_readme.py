"""The documents keep their promises: the workflow passes lint, links lead somewhere, sentences are the tool's."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from freshness.settings.table import GATE, PROMOTE, STATUS

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
DOCUMENTS = (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md")))
GUIDE = ROOT / "docs" / "getting-started.md"
PLACEHOLDER = "<full commit id of v1.0.0>"


def blocks(language: str) -> list[str]:
    """The code blocks of a language in the guide to a first deployment."""
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def headings(document: Path) -> set[str]:
    """The anchors that both forges make of a document's headings."""
    titles = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_no_label_of_a_diagram_has_a_line_break() -> None:
    """Gitea 1.26 parses Mermaid's SVG as XML, and shows "Unexpected closing tag: br" in its place."""
    for document in DOCUMENTS:
        for diagram in re.findall(r"```mermaid\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL):
            assert "<br" not in diagram, document
            assert all(line.count('"') % 2 == 0 for line in diagram.splitlines()), document


WORKFLOWS = [block for block in blocks("yaml") if PLACEHOLDER in block]
"""To copy: by hand, and on every push to main."""
PULL_REQUEST = (ROOT / "docs" / "pull-request.md").read_text(encoding="utf-8")
STATUS_JOBS = re.findall(r"```yaml\n(  pending:\n.*?)```", PULL_REQUEST, re.DOTALL)
"""To add to either, on Gitea."""


@pytest.fixture(
    params=[*WORKFLOWS, *(f"{WORKFLOWS[0]}\n{jobs}" for jobs in STATUS_JOBS)],
    ids=["by hand", "on every push", "with a status on Gitea"],
)
def workflow(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A workflow to copy, with a commit's id where a reader puts one."""
    text: str = request.param
    path = tmp_path / ".github" / "workflows" / "deploy.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text.replace(PLACEHOLDER, "0123456789abcdef" * 2 + "01234567"), encoding="utf-8")
    return path


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_mark_of_a_merge_is_left(document: Path) -> None:
    assert not re.findall(r"^(?:<{7}|={7}|>{7})(?: .*)?$", document.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    "tool",
    [
        ("zizmor", "--offline", "--no-progress", "--persona", "auditor"),
        ("check-jsonschema", "--builtin-schema", "vendor.github-workflows"),
    ],
    ids=lambda tool: tool[0],
)
def test_the_workflow_to_copy_has_no_findings(workflow: Path, tool: tuple[str, ...]) -> None:
    """Fails where an action is not pinned by commit, or an input is pasted into a script."""
    words = list(tool)
    if "auditor" in words and "\n  pending:\n" in workflow.read_text(encoding="utf-8"):
        words[-1] = "regular"  # the auditor wants `concurrency`, which on Gitea sends a waiting job away
    seen = subprocess.run(
        [TOOLS / words[0], *words[1:], workflow], capture_output=True, text=True, check=False, timeout=60
    )
    assert seen.returncode == 0, seen.stdout + seen.stderr


def test_the_workflow_to_copy_gives_inputs_that_there_are_and_opens_on_open_alone(workflow: Path) -> None:
    jobs = YAML(typ="safe").load(workflow)["jobs"]
    given = {name: job["steps"][-1]["with"].keys() for name, job in jobs.items()}
    assert given["gate"] <= {setting.name for setting in GATE}
    assert given["promote"] <= {setting.name for setting in PROMOTE}
    assert given.get("status", set()) | given.get("pending", set()) <= {setting.name for setting in STATUS}
    assert jobs["promote"]["needs"] == "gate"
    assert "needs.gate.outputs.gate == 'open'" in jobs["promote"]["if"]


def test_the_readme_is_short_and_its_workflow_has_the_same_condition() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) < 200
    (short,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    jobs = YAML(typ="safe").load(short)["jobs"]
    assert jobs["promote"]["if"] == YAML(typ="safe").load(WORKFLOWS[0])["jobs"]["promote"]["if"]
    assert jobs["gate"]["steps"][1]["with"].keys() <= {setting.name for setting in GATE}
    assert jobs["promote"]["steps"][1]["with"].keys() <= {setting.name for setting in PROMOTE}


def test_a_job_that_builds_has_no_token_that_may_push(workflow: Path) -> None:
    """Fails when `contents: write` is given to the workflow as a whole, or to the gate."""
    text = YAML(typ="safe").load(workflow)
    assert text["permissions"] == {"contents": "read"}
    assert text["jobs"]["gate"].get("permissions", {}).get("contents", "read") == "read"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_named_files_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", text):
        linked = (document.parent / target) if target else document
        assert linked.exists(), f"{target} is linked and not there"
        assert not anchor or anchor in headings(linked), f"{target}#{anchor} is no heading"
    for name in re.findall(r"`((?:tests|src|scripts|requirements)/[\w./-]+)`", text):
        assert (ROOT / name).exists() or name == "scripts/staging_check.py", f"{name} is named and not there"


def test_the_guide_explains_sentences_that_the_tool_says() -> None:
    guide = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?`[^|]*) \|", guide, re.MULTILINE)
    assert rows
    told = "".join(path.read_text(encoding="utf-8") for path in (*ROOT.glob("src/**/*.py"), ROOT / "install.sh"))
    for sentence in re.findall(r"`([^`]+)`", " ".join(rows)):
        for part in re.split("…|: ", sentence):
            assert part.strip() in told, f"{part!r} of {sentence!r} is not what the tool says"


def test_each_scenario_of_a_layout_is_there() -> None:
    """Fails when docs/layouts.md names a test that has another name now."""
    text = (ROOT / "docs/layouts.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert named
    for file, test in named:
        assert f"\ndef {test}(" in (ROOT / file).read_text(encoding="utf-8"), f"{file} has no {test}"
