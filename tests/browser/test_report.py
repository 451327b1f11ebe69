"""The report of a run in a browser: its width, its filters, its colours and its print."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

import labelnext

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytest_plugins = ("tests.browser.shared",)

NAMES = ("car", "dog", "person")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a report of 24 images, the last with a long id."""
    folder = tmp_path_factory.mktemp("report")
    rng = np.random.default_rng(0)
    rows = []
    for n in range(24):
        name = f"street-{n:02d}" if n < 23 else "a-long-id-without-any-space-" * 8
        objects: list[dict[str, Any]] = []
        image = Image.new("RGB", (320, 240), tuple(rng.integers(90, 200, 3).tolist()))
        for k in range(n % 4 + 1):
            x, y, w, h = (*rng.uniform(0, 0.6, 2), *rng.uniform(0.1, 0.35, 2))
            box = [x, y, x + w, y + h]
            sides = [320 * x, 240 * y, 320 * (x + w), 240 * (y + h)]
            fill = tuple(rng.integers(0, 255, 3).tolist())
            ImageDraw.Draw(image).ellipse(sides, fill=fill)
            kind = NAMES[(n + k) % 3] if k else NAMES[n % 3]
            objects.append({"class": kind, "confidence": float(rng.random()), "box": box})
        image.save(folder / f"{name[:200]}.jpg")
        vector = rng.normal(size=4) + 3 * np.eye(4)[n % 3]
        rows.append({"item_id": name, "objects": objects, "embedding": vector.tolist()})
    (folder / "pool.jsonl").write_text("\n".join(map(json.dumps, rows)))
    done = labelnext.run(
        {
            "source": {"adapter": "files", "path": str(folder / "pool.jsonl")},
            "write": {"output": str(folder / "ranking.csv")},
            "state": str(folder / "state"),
            "report": {"path": str(folder / "report.html")},
        }
    )
    assert done.path is not None
    return done.path.as_uri()


def opened(browser: Browser, address: str, width: int, scheme: Any = "light") -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    assert faults == []
    assert [url for url in asked if not url.startswith(("data:", address))] == []
    if folder := os.environ.get("LABELNEXT_PICTURES"):  # for the docs, when asked for
        name = f"{Path(address).stem}-{scheme if width > 390 else 'phone'}.png"
        lead = "ranking.csv · run labelnext · 2026-11-28"  # not this machine's folder and clock
        page.locator(".lead").evaluate("(e, text) => { e.textContent = text }", lead)
        page.screenshot(path=Path(folder) / name)
    return page


def ranks(page: Page) -> list[int]:
    """Of the cards that are shown, in their order."""
    cards = page.locator("article:visible").all()
    return [int(card.get_attribute("data-rank") or 0) for card in cards]


@pytest.mark.parametrize("width", [390, 1366])
def test_nothing_is_wider_than_the_screen(browser: Browser, report: str, width: int) -> None:
    page = opened(browser, report, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = page.evaluate(
        "() => [...document.querySelectorAll('body *')]"
        ".filter(e => !e.closest('.wide') && e.getBoundingClientRect().right > innerWidth + 1)"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    assert wide == []
    page.close()


def test_cards_are_found_filtered_and_sorted(browser: Browser, report: str) -> None:
    page = opened(browser, report, 1366)
    assert ranks(page) == list(range(1, 25))
    page.fill("#find", "STREET-07")
    (found,) = page.locator("article:visible").all()
    assert "street-07" in found.inner_text()
    assert page.locator("#shown").inner_text() == "1 of 24 shown"
    page.fill("#find", "")
    page.select_option("#class", "dog")
    dogs = page.locator("article:visible").all()
    assert 0 < len(dogs) < 24
    assert all("dog" in json.loads(d.get_attribute("data-classes") or "[]") for d in dogs)
    page.select_option("#class", "")
    page.select_option("#sort", "score")
    cards = page.locator("article").all()
    scores = [float(card.get_attribute("data-score") or "nan") for card in cards]
    assert scores == sorted(scores)
    page.select_option("#sort", "class")
    firsts = [json.loads(c.get_attribute("data-classes") or "[]")[0] for c in cards]
    assert firsts == sorted(firsts)
    page.select_option("#sort", "rank")
    assert ranks(page) == list(range(1, 25))
    page.close()


def test_dark_mode_is_dark_and_all_text_can_be_read(browser: Browser, report: str) -> None:
    page = opened(browser, report, 1366, "dark")

    def light(selector: str, name: str) -> float:
        code = f"e => getComputedStyle(e).{name}.match(/[0-9.]+/g).slice(0, 3).map(Number)"
        channels = page.locator(selector).first.evaluate(code)
        return float(np.mean(channels))

    assert light("body", "backgroundColor") < 50
    for selector, name in (("body", "color"), ("h2", "color"), ("svg text", "fill")):
        assert light(selector, name) > 180, selector
    page.close()


def test_print_is_on_white_without_controls(browser: Browser, report: str) -> None:
    page = opened(browser, report, 800, "dark")
    page.emulate_media(media="print", color_scheme="dark")
    white = page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
    assert white == "rgb(255, 255, 255)"
    assert not page.locator("#controls").is_visible()
    page.close()


def test_tables_of_a_replay_fit_the_paper_and_break_no_name_on_a_phone(
    browser: Browser, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    rows = [
        {"item_id": str(n), "label": f"class {n % 9}", "embedding": rng.normal(size=3).tolist()}
        for n in range(180)
    ]
    (tmp_path / "pool.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "c.yaml").write_text(
        "source: {adapter: files, path: pool.jsonl}\n"
        "replay: {rounds: 2, batch: 10, seeds: 2, workers: 1, path: replay.html}\n"
    )
    labelnext.replay(tmp_path / "c.yaml")
    page = opened(browser, (tmp_path / "replay.html").as_uri(), 718)  # A4 within its margins
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 718
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    heights = page.locator("td.name").evaluate_all("cells => cells.map(c => c.clientHeight)")
    assert len(set(heights)) == 1
    page.close()
