"""Take the documentation's pictures of the App: `python -m tests.browser.pictures docs/images`.

Streets are drawn by seed, and a detector's boxes with them; the App, the browser and Label Studio
are real.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.browser.test_fiftyone_app import PANEL, SERVE, execute, open_operator, opened_page

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

N = 2_000
COLOURS = {
    "car": "#3c78c8", "person": "#dc783c", "bicycle": "#3cb45a", "traffic light": "#c83232",
    "truck": "#7850aa", "bus": "#e6c83c", "dog": "#a06e3c",
}  # fmt: skip
SHARES = [0.45, 0.25, 0.08, 0.09, 0.05, 0.04, 0.04]
SKIES = {"sunny": "#c8dcf0", "rain": "#78828c", "fog": "#d2d2d2", "night": "#191c2d"}


def streets(folder: Path) -> Any:
    """Two thousand streets with a detector's boxes; a tenth of them is labelled."""
    import fiftyone as fo
    from PIL import Image, ImageDraw

    dataset = fo.Dataset("street", persistent=True)
    generator = np.random.default_rng(7)
    classes, samples = list(COLOURS), []
    for i in range(N):
        sky = int(generator.choice(4, p=[0.4, 0.3, 0.15, 0.15]))
        image = Image.new("RGB", (320, 240), list(SKIES.values())[sky])
        draw = ImageDraw.Draw(image)
        draw.polygon([(0, 240), (320, 240), (190, 110), (130, 110)], fill="#5a5a5f")
        boxes, truth = [], []
        for _ in range(int(generator.poisson(3))):
            label = str(generator.choice(classes, p=SHARES))
            left, top = generator.uniform(0, 0.75), generator.uniform(0.35, 0.75)
            wide, high = generator.uniform(0.08, 0.24), generator.uniform(0.1, 0.24)
            corners = [320 * left, 240 * top, 320 * (left + wide), 240 * (top + high)]
            draw.rectangle(corners, fill=COLOURS[label], outline="black")
            said = label if generator.random() < 0.88 else str(generator.choice(classes))
            sure = float(np.clip(generator.beta(4, 1.8 if sky < 2 else 3), 0.06, 0.99))
            place = [left, top, wide, high]
            boxes.append(fo.Detection(label=said, bounding_box=place, confidence=sure))
            truth.append(fo.Detection(label=label, bounding_box=place))
        path = folder / f"street-{i:04d}.jpg"
        image.save(path, quality=80)
        vector = generator.normal(size=32) * 0.6 + 3 * np.eye(4, 32)[sky]
        sample = fo.Sample(path, tags=[list(SKIES)[sky]], embedding=vector)
        sample["predictions"] = fo.Detections(detections=boxes)
        if i % 10 == 3:
            sample["ground_truth"] = fo.Detections(detections=truth)
        samples.append(sample)
    dataset.default_classes = classes
    dataset.add_samples(samples, validate=False, progress=False)
    return dataset


def save(what: Page | Locator, path: Path) -> None:
    """A picture of few colours, which is small."""
    from PIL import Image

    what.screenshot(path=path)
    picture = Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    picture.save(path, optimize=True)


def wait_until_checked(page: Page, form: Locator) -> None:
    """The form has been checked, and nothing lies below the mouse."""
    form.get_by_role("button", name="Execute").first.click(trial=True)
    page.mouse.move(0, 0)
    page.wait_for_timeout(1_000)


def take(page: Page, into: Path) -> None:
    """All pictures of a page that shows the App with its panel."""
    page.evaluate("localStorage.setItem('mui-mode', 'light')")
    page.reload()
    page.locator(PANEL).get_by_text("No rankings yet").wait_for()
    form = open_operator(page, "Rank samples to label")
    form.get_by_text("The batch: 100 of 1,800 samples.").wait_for()
    wait_until_checked(page, form)
    save(page, into / "app-form.png")
    form.get_by_text("More", exact=True).click()
    form.get_by_role("combobox").filter(has_text="auto").click()
    page.locator('li[data-value="bald"]').wait_for()
    page.wait_for_timeout(1_000)  # the menu grows
    save(form, into / "app-form-more.png")
    page.keyboard.press("Escape")
    execute(form)
    page.get_by_text("Batch: 100 of 1,800 ranked samples").wait_for()
    page.get_by_text("Done", exact=True).click()
    panel = page.locator(PANEL)
    panel.get_by_text("first dimension", exact=True).wait_for()
    page.wait_for_timeout(3_000)  # the grid loads its images
    save(page, into / "app-panel.png")
    panel.get_by_text("Next to label").scroll_into_view_if_needed()
    panel.get_by_role("row").nth(3).scroll_into_view_if_needed()
    page.wait_for_timeout(1_000)
    save(panel, into / "app-map.png")
    take_beside(page, into)
    form = open_operator(page, "Send batch to Label Studio")
    form.get_by_text("upload 100 images").wait_for(timeout=120_000)
    wait_until_checked(page, form)
    save(page, into / "app-send.png")


def take_beside(page: Page, into: Path) -> None:
    """Our panel from its top, and Brain's map of the same samples."""
    panel = page.locator(PANEL)
    panel.get_by_text("Ranking", exact=True).scroll_into_view_if_needed()
    save(panel, into / "beside-label-next.png")
    page.locator('[data-cy="new-panel-btn"]').last.dispatch_event("click")
    page.locator('[data-cy="new-panel-option-Embeddings"]').dispatch_event("click")
    panel = page.locator('[data-cy="panel-content-Embeddings"]')
    panel.get_by_text("Dismiss").click()  # an advertisement
    panel.get_by_text("map", exact=True).click()
    panel.get_by_text("None", exact=True).click()
    page.get_by_text("labelnext.score", exact=True).last.click()
    page.mouse.move(0, 0)
    page.wait_for_timeout(3_000)  # the points are drawn
    save(panel, into / "beside-embeddings.png")
    page.locator('[data-cy="panel-tab-label_next"]').dispatch_event("click")


def main(into: Path) -> None:
    """Start everything, and take the pictures."""
    import fiftyone as fo
    import fiftyone.brain

    from labelnext_adapters.fiftyone.app import install_plugin
    from tests.integration.label_studio_server import running_server
    from tests.integration.mongod import start_mongod

    start_mongod()
    with tempfile.TemporaryDirectory() as name, running_server(Path(name)) as server:
        folder = Path(name)
        os.environ |= {
            "FIFTYONE_PLUGINS_DIR": str(folder / "plugins"),
            "FIFTYONE_DEFAULT_DATASET_DIR": str(folder / "datasets"),
            "FIFTYONE_LABELSTUDIO_URL": server.url,
            "FIFTYONE_LABELSTUDIO_API_KEY": server.token,
            "FIFTYONE_ALLOW_LEGACY_ORCHESTRATORS": "true",
        }
        fo.config.plugins_dir = str(folder / "plugins")
        install_plugin()
        dataset = streets(folder)
        fiftyone.brain.compute_visualization(
            dataset, embeddings="embedding", method="tsne", pca_dims=None, brain_key="map"
        )
        with opened_page("-c", SERVE, "street", dataset="street", folder=folder) as page:
            take(page, into)
        fo.delete_dataset("street")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
