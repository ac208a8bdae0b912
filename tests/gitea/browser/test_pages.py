"""What a browser shows of a pull request, and of this repository's own pages, on a real Gitea 1.26."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.gitea.server import Gitea
from tests.gitea.shop import ACTION, CHECK, Shop
from tests.support.engines import ROOT

PHONE = 390
OUTPUT = ("</details> ```` @founder <img src=x> **bold** https://evil.example #1", "the card was charged 2 times")
PLAIN = ("two orders, one card", "the card was charged 2 times, expected 1")
DRAWN = ("README.md", "docs/architecture.md", "docs/kubernetes.md")


def failed_pull_request(shop: Shop, output: tuple[str, str]) -> str:
    """The address of a pull request whose staging check failed with these lines, with all that it shows."""
    shop.add_status_jobs()
    shop.commit("charge-once", {CHECK: f"print({output[0]!r}, flush=True)\nraise SystemExit({output[1]!r})\n"})
    numbers: list[int] = []
    shop.started_by(lambda: numbers.append(shop.pull("charge-once"))).end()
    return f"{shop.gitea.url}/{shop.name}/pulls/{numbers[0]}"


def comment_on(page: Page) -> Locator:
    return page.locator(".timeline-item.comment .comment-body", has=page.locator("details")).last


def test_the_author_sees_what_is_wrong_and_what_to_do(shop: Shop, page: Page) -> None:
    """Fails when the verdict is not first, checks are not folded away, or a check's output is taken for markup."""
    page.goto(failed_pull_request(shop, OUTPUT))
    comment = comment_on(page)

    lines = comment.inner_text().splitlines()
    assert lines[0] == "❌ Not deployable: the staging check failed"
    expect(comment.locator("pre")).to_have_text("\n".join(OUTPUT), use_inner_text=True)
    assert [line for line in lines if line.startswith("What to do: ")]
    expect(comment.locator("details table")).to_be_hidden()
    assert comment.locator("b, img:not(.emoji)").count() == 0
    links = [link.get_attribute("href") or "" for link in comment.locator("a").all()]
    assert [link for link in links if not re.search(r"^#|/(commit|actions/runs)/", link)] == []

    comment.locator("summary").click()
    expect(comment.locator("details table")).to_contain_text("staging check")
    status = page.locator(".commit-status-item", has_text="freshness/gate")
    expect(status).to_contain_text("check-failed: Staging check: exit status 1")


def test_the_comment_fits_a_phone(shop: Shop, page: Page, tmp_path: Path) -> None:
    """Fails when a long line or a wide table pushes the page aside. Leaves the picture of docs/pull-request.md."""
    page.goto(failed_pull_request(shop, PLAIN))
    page.screenshot(path=tmp_path / "pull-request.png", full_page=True)
    page.set_viewport_size({"width": PHONE, "height": 844})
    page.screenshot(path=tmp_path / "phone.png", full_page=True)
    comment_on(page).locator("summary").click()

    width = page.evaluate("document.documentElement.scrollWidth")

    assert width <= PHONE


@pytest.mark.parametrize("document", DRAWN)
def test_each_diagram_is_drawn(document: str, gitea: Gitea, pins: dict[str, str], page: Page) -> None:
    """Gitea takes the SVG as XML. Fails when a label has a line break: there is an error page in its place."""
    diagrams = re.findall(r"```mermaid\n(.*?)```", (ROOT / document).read_text(encoding="utf-8"), re.DOTALL)
    page.goto(f"{gitea.url}/{ACTION}/src/commit/{pins[ACTION]}/{document}")
    frames = page.locator("iframe.markup-content-iframe:not(.is-loading)")

    expect(frames).to_have_count(len(diagrams), timeout=60_000)
    for position, diagram in enumerate(diagrams):
        drawing = frames.nth(position).content_frame
        expect(drawing.locator("parsererror")).to_have_count(0)
        shown = re.sub(r"\s+", " ", drawing.locator("svg").last.text_content() or "")
        for label in re.findall(r'\["([^"]*)"\]', diagram):
            assert label.replace(" ", "") in shown.replace(" ", "")
