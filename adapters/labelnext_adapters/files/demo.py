"""The demo for plain files: digits, a table of predictions, a ranking and a report. No server."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path

import numpy as np
from rich.console import Console

from labelnext.support.files import write_atomically
from labelnext.support.started import from_here
from labelnext_adapters.demo.digits import Digits, digits, write_images
from labelnext_adapters.demo.shown import own_folder, replay_step, show_next, show_ranking

CONFIG = """\
# The demo for plain files. Change it, and run it again.

source:
  adapter: files
  path: predictions.csv      # a row per digit, with its class probabilities
  columns:
    item_id: name            # what names an item
    media: image             # its picture
    embedding: [{embedding}]

acquisition:
  name: margin               # or another one from the list of acquisitions

selection:
  method: top_k              # or another one from the list of selections
  budget: 100

write:
  output: ranking.csv        # the next item to label comes first

report:
  path: labelnext-report.html

replay:                      # 150 labels are few: the defaults need 366
  batch: 10
  rounds: 5
"""


def run_demo(folder: Path) -> None:
    """Do the demo.

    Args:
        folder: holds the images, the predictions, the configuration, the ranking and the report.
    """
    import labelnext

    console = Console(emoji=False)
    started = time.perf_counter()
    console.print(
        "Ranks 1,797 handwritten digits in plain files, without a server: about ten seconds, and "
        f"9 MB in {folder}.",
        soft_wrap=True,
    )
    own_folder(folder)
    table = folder / "predictions.csv"
    if not table.exists():
        with console.status("Training a classifier on 150 of them ..."):
            images = digits()
            console.print(f"Made {table}: {images.said()}", soft_wrap=True)
        with console.status("Writing the digits as PNG files ..."):
            write_images(folder / "images", images)
        _write_table(table, images)  # last: it says that all is there
    config = folder / "labelnext.yaml"
    if not config.exists():
        names = ", ".join(f"e_{n}" for n in range(16))
        config.write_text(CONFIG.format(embedding=names), "utf-8")
    with console.status("Ranking the digits that are not labelled ..."):
        report = labelnext.run(config)
    show_ranking(report, console)
    console.print(f"Ranking: {from_here(str(report.output))}", soft_wrap=True)
    show_next(config, report, console, replay_step(config))
    console.print(f"Done in {time.perf_counter() - started:.0f} s.", style="dim")


def _write_table(path: Path, images: Digits) -> None:
    """A row for each digit: its name, picture, label if it has one, probabilities, embedding."""
    text = io.StringIO()
    rows = csv.writer(text)
    p, e = [f"p_{name}" for name in images.classes], [f"e_{n}" for n in range(16)]
    rows.writerow(["name", "image", "label", *p, *e])
    probabilities = np.exp(images.logits.astype(np.float64))
    for i, name in enumerate(images.names()):
        label = images.truth[i] if images.labelled[i] else ""
        numbers = [f"{x:.6f}" for x in probabilities[i]] + [
            f"{x:.4f}" for x in images.embeddings[i]
        ]
        rows.writerow([name, f"images/{name}", label, *numbers])
    write_atomically(path, lambda file: file.write(text.getvalue().encode()))
