"""The FiftyOne App in a browser: rank from the form, look at the panel, delete the ranking."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import labelnext
from labelnext.adapter import open_adapter
from labelnext.ranking import rank
from tests.browser.chromium import running_chromium
from tests.ports import free_port
from tests.waiting import answered

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from playwright.sync_api import Page

    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.mongod", "tests.integration.label_studio_server")

# label-studio-sdk 2.1 exchanges a Personal Access Token by a call that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")

SERVE = (
    "import sys, fiftyone as fo; from labelnext_adapters.fiftyone.app.app import serve; "
    "serve(fo.load_dataset(sys.argv[1]).view(), port=int(sys.argv[-1]), said='it')"
)
N = 40
PANEL = '[data-cy="panel-content-label_next"]'
CLOSE = re.compile("^(Close|Done)$")
LOOKER = '[data-cy="looker"]'


@pytest.fixture
def digits(dataset: Any, tmp_path: Path) -> Any:
    """Forty handwritten digits; their seeded predictions have no ties."""
    import fiftyone as fo
    from PIL import Image
    from sklearn.datasets import load_digits

    images, targets = load_digits(return_X_y=True)
    dataset.default_classes = [str(digit) for digit in range(10)]
    generator = np.random.default_rng(0)
    samples = []
    for i in range(N):
        path = tmp_path / f"digit-{i:02d}.png"
        grey = np.kron(255 - images[i].reshape(8, 8) * 255 / 16, np.ones((8, 8)))
        Image.fromarray(grey.astype(np.uint8)).save(path)
        logits = generator.normal(size=10)
        logits[targets[i]] += 3
        label = str(logits.argmax())
        samples.append(fo.Sample(path, pred=fo.Classification(label=label, logits=logits)))
    dataset.add_samples(samples, progress=False)
    return dataset


@pytest.fixture
def server(label_studio: LabelStudio, monkeypatch: pytest.MonkeyPatch) -> LabelStudio:
    """A Label Studio that an App started after it knows."""
    monkeypatch.setenv("FIFTYONE_LABELSTUDIO_URL", label_studio.url)
    monkeypatch.setenv("FIFTYONE_LABELSTUDIO_API_KEY", label_studio.token)
    return label_studio


@pytest.fixture
def plugged(tmp_path: Path, mongod_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A FiftyOne that has the plugin, for this process and for the App's."""
    import fiftyone as fo

    from labelnext_adapters.fiftyone.app import install_plugin

    plugins, data = str(tmp_path / "plugins"), str(tmp_path / "data")
    monkeypatch.setattr(fo.config, "plugins_dir", plugins)
    monkeypatch.setenv("FIFTYONE_PLUGINS_DIR", plugins)
    monkeypatch.setenv("FIFTYONE_DEFAULT_DATASET_DIR", data)
    install_plugin()


@contextmanager
def running_app(*command: str, folder: Path) -> Iterator[str]:
    """The address of an App, in a process of its own; `--port` and the port end the command."""
    port = free_port()
    log = (folder / "app.log").open("w")
    process = subprocess.Popen(
        [sys.executable, *command, "--port", str(port)],
        env=os.environ,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        answered(f"http://127.0.0.1:{port}/fiftyone", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        _stop(process)
        log.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the App and its servers, which are a process group of their own.

    Not by SIGINT: a test run in the background of a shell passes on that it is ignored.
    """
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        try:
            process.wait(20)
            return
        except subprocess.TimeoutExpired:
            continue


@contextmanager
def opened_page(*command: str, dataset: str, folder: Path) -> Iterator[Page]:
    """The App that the command starts, in a browser, when its grid is there."""
    with running_app(*command, folder=folder) as url, running_chromium() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        # An advertisement covers the page until somebody has closed it.
        context.add_init_script("localStorage.setItem('fiftyone-enterprise-tooltip-seen', 'true')")
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.route("**/*", lambda r: r.continue_() if "127.0.0.1" in r.request.url else r.abort())
        page.goto(f"{url}/datasets/{dataset}")
        page.locator(LOOKER).first.wait_for()
        yield page
        picture(page, "end")


@pytest.fixture
def page(digits: Any, plugged: None, tmp_path: Path) -> Iterator[Page]:
    """The App on the dataset, before anything is ranked."""
    with opened_page("-c", SERVE, digits.name, dataset=digits.name, folder=tmp_path) as page:
        yield page


def picture(page: Page, name: str) -> None:
    """Take a picture, for the documentation, into the folder that LABELNEXT_PICTURES names."""
    folder = os.environ.get("LABELNEXT_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"app-{name}.png")


def open_operator(page: Page, label: str) -> Any:
    page.keyboard.press("`")
    page.get_by_placeholder("Search operations by name...").fill(label)
    page.keyboard.press("Enter")
    form = page.locator('[data-cy="operators-prompt-modal"]')
    form.get_by_text(label, exact=True).wait_for()
    return form


def execute(form: Any) -> None:
    """Press Execute, again where the App ignored it, as it may while it checks a form again."""
    from playwright.sync_api import TimeoutError as NotInTime

    button = form.get_by_role("button", name="Execute").first
    for _ in range(4):
        button.click()
        with suppress(NotInTime):
            button.wait_for(state="hidden", timeout=10_000)
            return
    button.wait_for(state="hidden")


def thumbnails(page: Page, n: int, count: int) -> list[str]:
    """The files of the first thumbnails, as they stand in the grid, when it shows so many."""
    counts = page.locator('[data-cy="entry-counts"]').filter(has_text=f"{count} sample")
    counts.wait_for()
    page.locator(LOOKER).nth(min(n, count) - 1).wait_for()
    places = page.locator(LOOKER).evaluate_all(
        """looks => looks.map(look => {
            const box = look.getBoundingClientRect();
            const tag = look.querySelector('[data-cy="tag-filepath"]');
            return [Math.round(box.y), Math.round(box.x), tag ? tag.innerText : ''];
        })"""
    )
    return [Path(text).name for _, _, text in sorted(places)[:n]]


def delete_ranking(page: Page) -> None:
    """As a person does who reads what goes."""
    page.locator(PANEL).get_by_text("Manage", exact=True).click()
    form = page.locator('[data-cy="operators-prompt-modal"]')
    form.get_by_text("Delete", exact=True).click()
    form.get_by_text("the field labelnext, set on 40 samples").wait_for()
    execute(form)
    page.get_by_text("Deleted the field labelnext").wait_for()
    page.get_by_text("Close", exact=True).click()


def test_ranking_in_the_app(page: Page, digits: Any) -> None:
    dataset = digits
    source = {"dataset": dataset.name, "pred_field": "pred"}
    expected = rank(open_adapter("fiftyone", **source).read(), "entropy", budget=12)

    # Nothing is ranked: the panel says so. The form, with another function than the first one.
    page.locator(PANEL).get_by_text("No rankings yet").wait_for()
    form = open_operator(page, "Rank samples to label")
    form.get_by_text("More", exact=True).click()
    form.get_by_text("Acquisition function").wait_for()
    form.get_by_role("combobox").filter(has_text="auto").click()
    page.get_by_role("option", name="entropy").first.click()
    budget = form.get_by_role("spinbutton").first
    budget.fill("12")
    form.get_by_role("button", name="Execute").first.click(trial=True)  # when the form is checked
    picture(page, "form")
    execute(form)
    page.get_by_text("Batch: 12 of 40 ranked samples").wait_for()
    page.get_by_text("Done", exact=True).click()

    panel = page.locator(PANEL)
    panel.get_by_text("of 40 ranked samples, by").wait_for()
    thumbnails(page, 12, 12)
    picture(page, "panel")

    # The grid shows the batch in its order.
    page.locator('[data-cy="checkbox-filepath"]').click()
    names = [
        Path(p).name for p in dataset.select(expected.item_ids, ordered=True).values("filepath")
    ]
    assert thumbnails(page, 10, 12) == names[:10]

    # The panel: a bar of the histogram leads to its samples.
    dataset.reload()
    scores = np.array(dataset.values("labelnext.score"))
    counts, edges = np.histogram(scores, bins=30)
    bars = panel.locator(".js-plotly-plot").first.locator(".trace.bars").first.locator(".point")
    bars.nth(29).click(force=True)
    last = dataset.match({"labelnext.score": {"$gte": edges[-2]}}).sort_by("labelnext.rank")
    assert last.count() == counts[-1]
    files = thumbnails(page, int(counts[-1]), int(counts[-1]))
    assert files == [Path(p).name for p in last.values("filepath")]

    # A row of the table opens its sample.
    panel.get_by_role("row").nth(1).get_by_role("button").click()
    page.locator('[data-cy="modal"]').wait_for()
    picture(page, "sample")
    page.keyboard.press("Escape")
    page.locator('[data-cy="modal"]').wait_for(state="detached")

    # Delete the ranking: its field goes, and the panel is empty again.
    delete_ranking(page)
    panel.get_by_text("No rankings yet").wait_for()
    dataset.reload()
    assert not dataset.has_sample_field("labelnext")
    assert dataset.list_saved_views() == []


@pytest.fixture
def ranked_page(server: LabelStudio, digits: Any, plugged: None, tmp_path: Path) -> Iterator[Page]:
    """The App as `labelnext app` opens it on a ranking."""
    config = tmp_path / "labelnext.yaml"
    source = f"{{adapter: fiftyone, dataset: {digits.name}, pred_field: pred}}"
    config.write_text(f"source: {source}\nselection: {{budget: 6}}\nreport: {{path: null}}\n")
    labelnext.run(config)
    command = ("-m", "labelnext.cli", "app", str(config))
    with opened_page(*command, dataset=digits.name, folder=tmp_path) as page:
        yield page


def test_sending_and_fetching_in_the_app(
    server: LabelStudio, ranked_page: Page, digits: Any
) -> None:
    page = ranked_page
    # `labelnext app` shows the batch, and the panel beside it.
    thumbnails(page, 6, 6)
    panel = page.locator(PANEL)
    panel.get_by_text("of 40 ranked samples, by").wait_for()

    # The form says what would be sent; the result leads to the tab.
    panel.get_by_text("Send to Label Studio", exact=True).click()
    form = page.locator('[data-cy="operators-prompt-modal"]')
    form.get_by_text("Create 6 tasks (6 with predictions) and upload 6 images").wait_for()
    form.get_by_role("button", name="Execute").first.click(trial=True)  # when the form is checked
    picture(page, "send")
    execute(form)
    link = page.get_by_role("link", name=f"{server.url}/projects/")
    link.wait_for(timeout=150_000)  # the server may be busy with other tests
    picture(page, "sent")
    project = int(str(link.get_attribute("href")).split("/")[4])
    page.get_by_text(CLOSE).click()

    # Somebody labels the first task of the tab; its label comes back, and the grid shows it.
    first = server.listing(project)[0]
    value = {"choices": ["3"]}
    region = {"from_name": "label", "to_name": "image", "type": "choices", "value": value}
    server.api("POST", f"/api/tasks/{first}/annotations/", {"result": [region]})
    panel.get_by_text("Fetch annotations", exact=True).click()
    form.get_by_text("Write labels on 1 sample").wait_for()
    form.get_by_role("button", name="Execute").first.click(trial=True)
    picture(page, "fetch")
    execute(form)
    page.get_by_text("1 labelled, 5 waiting, 1 changed").wait_for()
    page.get_by_text(CLOSE).click()
    thumbnails(page, 1, 1)
    panel.get_by_text("Labelled so far:").wait_for()
    digits.reload()
    (sample,) = digits.exists("labels")
    assert (sample.labels.label, sample["labelnext.rank"]) == ("3", 1)
