"""Debian's headless Chromium, as `make test-browser` has unpacked it."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.engines import ROOT

UNPACKED = ROOT / ".cache/chromium"
WIDTH, HEIGHT = 1280, 1000


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    libraries = UNPACKED / "usr/lib/x86_64-linux-gnu"
    env: dict[str, str | float | bool] = {
        **os.environ,
        "LD_LIBRARY_PATH": f"{libraries}:{libraries}/pulseaudio",
        "XDG_DATA_HOME": str(UNPACKED / "usr/share"),  # fonts
    }
    program = UNPACKED / "usr/lib/chromium/chromium-headless-shell"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, env=env, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Of a visitor who is not logged in."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    yield page
    page.close()
