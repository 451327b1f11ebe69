"""The documentation as a person opens it: from a folder, without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from labelnext import __version__
from tests.browser.chromium import running_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
PAGES = ("index", "which-function", "configuration", "python", "tutorials/mnist", "limits")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "-q", "-d", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        check=True,
    )
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.mark.parametrize("name", PAGES)
def test_page_opens_from_the_folder_and_asks_for_nothing_else(
    site: Path, browser: Browser, name: str
) -> None:
    page = browser.new_page()
    asked: list[str] = []
    broken: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: broken.append(request.url))
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.goto((site / f"{name}.html").as_uri())
    page.wait_for_load_state("networkidle")
    assert page.locator("article h1").count() == 1
    assert page.locator(".md-copyright").inner_text().startswith(f"labelnext {__version__} ")
    assert page.locator(".md-copyright a[href*=labelnext]").is_visible()
    assert page.locator(".md-header a.md-logo img").is_visible()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert broken == []
    empty = "images => images.filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    assert page.eval_on_selector_all("article img", empty) == []
    page.close()


@pytest.mark.parametrize("width", [1366, 390])
def test_nothing_is_cut(site: Path, browser: Browser, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    cut = "all => all.filter(o => o.scrollWidth > o.clientWidth + 1).map(o => o.innerText)"
    for file in sorted(site.rglob("*.html")):
        page.goto(file.as_uri(), wait_until="domcontentloaded")
        if width == 1366:
            assert page.eval_on_selector_all("pre > code", cut) == [], file.name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, file.name
    page.close()


def test_search_works_from_the_folder(site: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto((site / "tutorials" / "mnist.html").as_uri())
    page.click(".md-search__input")
    page.type(".md-search__input", "calibrate")
    found = page.locator(".md-search-result__item a").first
    found.wait_for(timeout=60_000)
    titles = page.locator(".md-search-result__item h1").all_inner_texts()
    assert "Configuration" in titles
    page.close()
