"""A walk over the form and the panel, dark, light and narrow.

What it finds there, texts and controls, is compared with `structure.json`; after a wanted change
LABELNEXT_STRUCTURE=1 writes it anew.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.browser.chromium import running_chromium
from tests.browser.test_fiftyone_app import (
    LOOKER,
    PANEL,
    SERVE,
    execute,
    open_operator,
    opened_page,
    picture,
)

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from playwright.sync_api import Page

pytest_plugins = ("tests.integration.mongod",)

N = 2_000
STRUCTURE = Path(__file__).with_name("structure.json")
MODAL = '[data-cy="operators-prompt-modal"]'
# Texts or controls that overlap, and elements that are wider than what holds them.
_FLAWS = """box => {
    const inner = box.getBoundingClientRect();
    const parts = 'button, input, [role=combobox], img, p, table, .js-plotly-plot';
    const shown = [...box.querySelectorAll(parts)].filter(
        e => e.offsetParent && e.getBoundingClientRect().width > 1);
    const wide = shown.filter(e => e.getBoundingClientRect().right > inner.right + 1);
    // What is scrolled out of its box is cut off there, and so lies over nothing.
    const seen = (rect, e) => {
        let {left, top, right, bottom} = rect;
        for (let frame = e.parentElement; frame; frame = frame.parentElement)
            if (/auto|scroll|hidden/.test(getComputedStyle(frame).overflowY)) {
                const box = frame.getBoundingClientRect();
                [top, bottom] = [Math.max(top, box.top), Math.min(bottom, box.bottom)];
                [left, right] = [Math.max(left, box.left), Math.min(right, box.right)];
            }
        return {left, top, right, bottom};
    };
    const overlaps = (found, apart) => {
        const rects = found.filter(({r}) => r.bottom - r.top > 2 && r.right - r.left > 2);
        return rects.flatMap(({e, r, text}, at) => rects.slice(at + 1).filter(b => apart(e, b.e)
            && r.left < b.r.right - 2 && b.r.left < r.right - 2
            && r.top < b.r.bottom - 2 && b.r.top < r.bottom - 2)
            .map(b => `${e.tagName} ${text} over ${b.e.tagName} ${b.text}`));
    };
    const solid = shown.filter(e => e.matches('button, [role=combobox], img')
        && !e.closest('.js-plotly-plot')).map(
        e => ({e, r: seen(e.getBoundingClientRect(), e), text: e.innerText}));
    const texts = [], walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const e = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
        if (!text || !e.checkVisibility({opacityProperty: true, visibilityProperty: true}))
            continue;
        const range = document.createRange();
        range.selectNodeContents(walker.currentNode);
        for (const rect of range.getClientRects()) texts.push({e, r: seen(rect, e), text});
    }
    return [...wide.map(e => `${e.tagName} ${e.innerText} is too wide`),
        ...overlaps(solid, (a, b) => !a.contains(b) && !b.contains(a)),
        ...overlaps(texts, (a, b) => a !== b)];
}"""

# Titles and legends of plots that lie over labels or buttons.
_IN_PLOTS = """box => [...box.querySelectorAll('.js-plotly-plot')].flatMap(plot => {
    const rects = what => [...plot.querySelectorAll(what)].map(e => e.getBoundingClientRect());
    const pairs = [['.g-ytitle', '.ytick text'], ['.g-xtitle', '.xtick text'],
        ['.legend', '.modebar-group'], ['.legend', '.g-xtitle']];
    return pairs.filter(([a, b]) => rects(a).some(p => rects(b).some(q => p.width && q.width
        && p.left < q.right - 2 && q.left < p.right - 2
        && p.top < q.bottom - 2 && q.top < p.bottom - 2)));
})"""


@pytest.fixture
def street(dataset: Any, tmp_path: Path) -> Any:
    """Two thousand samples of five clusters, of which two hundred are labelled."""
    import fiftyone as fo
    from PIL import Image

    Image.new("RGB", (64, 48), (90, 120, 150)).save(tmp_path / "street.png")
    dataset.default_classes = ["car", "person", "bicycle", "dog", "bus"]
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(N, 5)) * 1.5
    vectors = generator.normal(size=(N, 8)) + 4 * np.eye(5, 8)[np.arange(N) % 5]
    samples = []
    for i in range(N):
        label = dataset.default_classes[int(logits[i].argmax())]
        sample = fo.Sample(
            tmp_path / "street.png",
            tags=["night" if i % 3 else "day"],
            pred=fo.Classification(label=label, logits=logits[i]),
            embedding=vectors[i],
        )
        if i % 10 == 0:
            sample["truth"] = fo.Classification(label=label)
        samples.append(sample)
    dataset.add_samples(samples, validate=False, progress=False)
    return dataset


@pytest.fixture
def page(
    street: Any, tmp_path: Path, mongod_uri: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Page]:
    """The App on the dataset, with the plugin and its panel."""
    import fiftyone as fo

    from labelnext_adapters.fiftyone.app import install_plugin

    plugins, data = str(tmp_path / "plugins"), str(tmp_path / "data")
    monkeypatch.setattr(fo.config, "plugins_dir", plugins)
    monkeypatch.setenv("FIFTYONE_PLUGINS_DIR", plugins)
    monkeypatch.setenv("FIFTYONE_DEFAULT_DATASET_DIR", data)
    install_plugin()
    with opened_page("-c", SERVE, street.name, dataset=street.name, folder=tmp_path) as page:
        yield page


def structure(page: Page, where: str, dataset: str) -> list[str]:
    """Texts and controls, without what differs from run to run or with the width of a plot."""
    text = page.locator(where).aria_snapshot().replace(dataset, "DATASET")
    text = re.sub(r"id [0-9a-f]{24}", "id ID", text)
    text = re.sub(r"shows \d+% of", "shows N% of", text)  # a map goes by a sample of the ids
    lines = [line.strip() for line in text.splitlines()]
    # The form is checked again, or a plot has its bar of buttons, while somebody looks.
    bar = "Zoom|Pan|Box Select|Lasso Select|Reset axes"
    passing = re.compile(rf'- (img|progressbar:?|toolbar:|button "({bar})":)$')
    lines = [line.replace(" [disabled]", "") for line in lines if not passing.match(line)]
    ticks = re.compile(r"(- img: )(?:-?[\d.,]+ ?)+")  # how many there are depends on the width
    return [line for line in (ticks.sub(r"\1", line).strip() for line in lines) if line != "- img:"]


# Fields and texts that reach into the right margin of a form's dialog.
_CUT = """box => {
    const paper = box.closest('.MuiDialog-paper') || box.querySelector('.MuiDialog-paper');
    const edge = paper.getBoundingClientRect().right - 16;
    return [...box.querySelectorAll('input, p, code, [role=combobox], [role=tab]')].filter(
        e => e.offsetParent && e.getBoundingClientRect().right > edge).map(e => e.outerHTML);
}"""


def check_narrow(page: Page) -> None:
    """An open form is whole in a window of 400 pixels, too."""
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_timeout(500)
    assert page.locator(MODAL).evaluate(_CUT) == []
    picture(page, "form-narrow")
    page.set_viewport_size(size)


def check_structure(page: Page, where: str, dataset: str, name: str) -> None:
    """Compare what stands there with what is stored under that name."""
    check_shape(page, where)
    found = structure(page, where, dataset)
    stored = json.loads(STRUCTURE.read_text("utf-8")) if STRUCTURE.exists() else {}
    if os.environ.get("LABELNEXT_STRUCTURE"):
        stored[name] = found
        STRUCTURE.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", "utf-8")
    assert found == stored[name]


def check_form(page: Page, dataset: str) -> Any:
    """All levels and tabs of the form that ranks; it stays open, as it was at first."""
    form = open_operator(page, "Rank samples to label")
    levels = {"Rank": "Size of the batch", "More": "Acquisition function", "Everything": "Seed"}
    for level, last in levels.items():
        form.get_by_text(level, exact=True).click()
        form.get_by_text(last, exact=True).wait_for()
        form.get_by_text("The batch: 100 of 1,800 samples.").wait_for()
        check_structure(page, MODAL, dataset, f"form: {level}")
        check_narrow(page)
    for tab, last in {"Review labels": "Checks 200 of", "Measure predictions": "Compares"}.items():
        form.get_by_role("tab", name=tab).click()
        form.get_by_text(last).wait_for()
        if tab == "Review labels":
            form.get_by_text("The batch: 100 of 200 labelled samples").wait_for()
        check_structure(page, MODAL, dataset, f"form: {tab}")
    form.get_by_role("tab", name="Rank samples").click()
    form.get_by_text("Recommended:").wait_for()
    form.get_by_role("button", name="Execute").first.click(trial=True)  # it has been checked
    return form


def check_shape(page: Page, where: str) -> None:
    flaws = page.locator(where).evaluate(_FLAWS)
    assert flaws == []
    assert page.locator(where).evaluate(_IN_PLOTS) == []


@pytest.mark.parametrize(
    ("shift", "flaws"), [(0, []), (-9, ["P Budget over P Size"])], ids=["apart", "overlapping"]
)
def test_texts_that_overlap_are_flaws(shift: int, flaws: list[str]) -> None:
    with running_chromium() as browser:  # its own: the walk opens another
        page = browser.new_page()
        page.set_content(
            "<div id='form'><p style='margin: 0'>Budget</p>"
            f"<p style='margin: {shift}px 0 0'>Size</p>"
            "<p style='margin: -9px 0 0; visibility: hidden'>unseen</p></div>"
        )
        assert page.locator("#form").evaluate(_FLAWS) == flaws


def test_the_form_and_the_panel_are_whole_in_both_themes(page: Page, street: Any) -> None:
    page.locator(PANEL).get_by_text("No rankings yet").wait_for()  # the grid is laid out by then
    check_structure(page, PANEL, street.name, "panel: empty")
    form = check_form(page, street.name)
    assert form.get_by_text("Required property").count() == 0
    page.keyboard.press("Escape")
    page.locator(MODAL).wait_for(state="hidden")

    # What is selected in the grid is what is ranked, or what the batch should be like.
    for at in (0, 1):
        sample = page.locator(LOOKER).nth(at)
        sample.hover()
        sample.locator('[data-cy="looker-checkbox-"]').click()
        sample.locator("input:checked").wait_for(state="attached")
    form = open_operator(page, "Rank samples to label")
    form.get_by_text("Ranks 1 of 2,000 samples").wait_for()
    form.get_by_text("More like the 2 selected samples").click()
    form.get_by_text("Recommended:").wait_for()
    form.get_by_text("Ranks 1,800 of 2,000 samples").wait_for()
    assert form.get_by_text("Required property").count() == 0
    check_shape(page, MODAL)
    picture(page, "form")
    form.get_by_text("More", exact=True).click()
    form.get_by_text("Acquisition function").wait_for()
    form.get_by_text("The batch: 100 of 1,800 samples.").wait_for()
    # What can't be chosen is grey.
    form.get_by_role("combobox").filter(has_text="auto (recommended)").click()
    option = page.locator('li[data-value="bald"]')
    assert option.evaluate("e => getComputedStyle(e).pointerEvents") == "none"
    picture(page, "form-more")
    page.keyboard.press("Escape")
    execute(form)
    page.get_by_text("Batch: 100 of 1,800 ranked samples").wait_for()
    page.get_by_text("Done", exact=True).click()

    # The panel: pictures, plots with named axes, a map, and a table.
    panel = page.locator(PANEL)
    for text in ("% of predictions", "% of samples", "first main axis", "why"):
        panel.get_by_text(text, exact=True).wait_for()
    assert panel.locator("img").count() == 6
    icon = page.locator('[data-cy="panel-tab-label_next"] img')
    assert icon.evaluate("e => e.naturalWidth") > 0  # 0 for what can't be drawn
    panel.get_by_text("The grid shows 100 of these 1,800").wait_for()
    check_structure(page, PANEL, street.name, "panel")
    picture(page, "panel")
    page.evaluate("localStorage.setItem('mui-mode', 'light')")
    page.set_viewport_size({"width": 960, "height": 900})
    page.reload()
    panel.get_by_text("first main axis", exact=True).wait_for()
    assert panel.evaluate("e => e.getBoundingClientRect().width") < 420
    panel.get_by_text("The grid shows 100 of these 1,800").wait_for()
    check_structure(page, PANEL, street.name, "panel")
    picture(page, "panel-narrow")
    panel.locator("img").first.click()
    page.locator('[data-cy="modal"]').wait_for()
