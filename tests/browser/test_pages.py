"""The pages that labelnext writes, in a browser: their policy holds, whatever data are called."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import labelnext

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

pytest_plugins = ("tests.browser.shared",)

HOSTILE = (
    "<script>document.title='taken'</script>",
    '"><img src=x onerror="document.title=\'taken\'">',
    "</style></svg><style>h1{display:none}</style>",
    '\' style="}h1{display:none}"',
    "<svg onload=\"document.title='taken'\">\x01\x1b[31m",
    "&lt;iframe src=//evil.example&gt;{{ 7*7 }}",
)

#: Texts of plots that overlap another one of their plot, or stick out of it.
CROWDED = """plots => plots.flatMap(plot => {
    const inside = plot.getBoundingClientRect();
    const texts = [...plot.querySelectorAll('text:not(.note)')];
    const boxes = texts.map(text => text.getBoundingClientRect());
    const apart = (a, b) => a.right <= b.left || a.left >= b.right
        || a.bottom <= b.top || a.top >= b.bottom;
    return texts.map(text => text.textContent).filter((_, i) => {
        const box = boxes[i];
        return box.left < inside.left || box.right > inside.right || box.top < inside.top
            || box.bottom > inside.bottom
            || boxes.some((other, j) => j !== i && !apart(box, other));
    });
})"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of a run, of a replay, and of a replay of stored predictions."""
    folder = tmp_path_factory.mktemp("pages")
    names = [*HOSTILE]
    rows = [
        {
            "item_id": f"{HOSTILE[n % len(HOSTILE)]} {n}",
            "probabilities": {name: 0.5 if n % 6 == at else 0.1 for at, name in enumerate(names)},
            "label": names[n * n % 6] if n < 90 else None,
            "embedding": [n % 6 + n / 100, n % 5],
        }
        for n in range(120)
    ]
    (folder / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name, by in (("stored", "predictions"), ("trained", "embeddings")):
        (folder / f"{name}.yaml").write_text(
            "source: {adapter: files, path: p.jsonl}\nwrite: {output: r.csv}\n"
            f"replay: {{by: {by}, path: {name}.html, rounds: 2, batch: 10, seeds: 2, workers: 1}}\n"
        )
        labelnext.replay(folder / f"{name}.yaml")
    labelnext.run(folder / "stored.yaml")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def said_and_asked(page: Page) -> tuple[list[str], list[str]]:
    said: list[str] = []
    asked: list[str] = []

    def note(message: ConsoleMessage) -> None:
        said.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    return said, asked


@pytest.mark.parametrize("by_http", [False, True])
@pytest.mark.parametrize("name", ["labelnext-report", "trained", "stored"])
def test_a_page_of_hostile_names_breaks_no_policy_and_looks_as_it_should(
    folder: Path, server: str, browser: Browser, name: str, by_http: bool
) -> None:
    page = browser.new_page()
    said, asked = said_and_asked(page)
    url = f"{server}/{name}.html" if by_http else (folder / f"{name}.html").as_uri()
    page.goto(url)
    page.wait_for_load_state("networkidle")
    assert said == []
    assert asked == [url]
    assert page.title().startswith("labelnext: ")
    assert page.locator("h1").is_visible()
    assert page.locator("img, iframe, svg svg").count() == 0
    assert page.locator("script").count() == (name == "labelnext-report")  # ours
    # The page's sheet applies, and the attributes of the plots.
    assert page.eval_on_selector("h1", "one => getComputedStyle(one).fontSize") == "24px"
    fills = page.eval_on_selector_all("svg path", "all => all.map(o => getComputedStyle(o).fill)")
    assert len(set(fills)) > 1
    anchors = "all => all.map(o => getComputedStyle(o).textAnchor)"
    assert {"middle", "end"} & set(page.eval_on_selector_all("svg text", anchors))
    for width in (1366, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.eval_on_selector_all("svg.plot", CROWDED) == []
    page.close()


def test_the_policy_stops_what_an_injection_would_try(folder: Path, browser: Browser) -> None:
    text = (folder / "labelnext-report.html").read_text("utf-8")
    injected = (
        "<script>document.title='taken'</script><style>h1{display:none}</style>"
        "<img src='http://127.0.0.1:9/x.png'><b style='display:none'>b</b>"
    )
    (folder / "injected.html").write_text(text.replace("<h1>", f"{injected}<h1>"), "utf-8")
    page = browser.new_page()
    said, _ = said_and_asked(page)
    page.goto((folder / "injected.html").as_uri())
    page.wait_for_load_state("networkidle")
    assert page.title().startswith("labelnext: ")
    assert page.locator("h1").is_visible()
    assert page.locator("b").filter(has_text="b").first.is_visible()
    assert len([line for line in said if "Content Security Policy" in line]) == 4
    page.close()
