"""The main job on 1,797 handwritten digits, in a database of the demo's own.

150 digits are labelled; a classifier is trained on those and predicts the rest; labelnext says
which of the rest to label next.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console

from labelnext_adapters.demo.digits import Digits, digits, write_images
from labelnext_adapters.demo.shown import (
    again,
    ended_by_sigterm,
    own_folder,
    replay_step,
    show_next,
    show_ranking,
)
from labelnext_adapters.fiftyone.app.app import serve
from labelnext_adapters.fiftyone.app.plugin import install_plugin
from labelnext_adapters.fiftyone.database.mongod import disconnect, running_mongod, use_database
from labelnext_adapters.fiftyone.database.views import view_names

if TYPE_CHECKING:
    from labelnext.report.report import Report

DATASET = "labelnext-demo"

CONFIG = f"""\
# The demo for FiftyOne. Change it, and run the demo again.

source:
  adapter: fiftyone
  dataset: {DATASET}
  database: .                # a MongoDB in this folder, started and stopped by each command
  key: name                  # items go by their file names, in the report too
  pred_field: prediction     # Classification with logits
  gt_field: ground_truth     # samples that have one are labelled, so they are left out
  embeddings: embedding      # only image_diversity needs them

acquisition:
  name: margin               # others: labelnext acquisitions

selection:
  method: top_k              # others: labelnext selections
  budget: 100

write:
  run: labelnext             # field, custom run, and saved views labelnext-batch, labelnext-all

report:
  path: labelnext-report.html

replay:                      # 150 labels are few: the defaults need 366
  batch: 10
  rounds: 5
"""


def run_demo(folder: Path, *, app: bool = False, port: int = 5151) -> None:
    """Do the demo, or open the App on what it made.

    Args:
        folder: holds the database, the images, the configuration and the report.
        app: open the FiftyOne App on the next batch, and wait for Ctrl-C.
        port: of the App.

    Raises:
        NotFound: if there is no mongod on this machine.
        Unavailable: if mongod or the App does not start.
        WriteRefused: if FiftyOne is connected to another database in this process.
    """
    console = Console(emoji=False)
    started = time.perf_counter()
    if not app:
        console.print(
            f"Ranks 1,797 handwritten digits in FiftyOne: about 30 s, and 350 MB in {folder}, for "
            "a database of its own.",
            soft_wrap=True,
        )
    own_folder(folder)
    with ended_by_sigterm(), running_mongod(folder) as uri:
        use_database(uri, folder)
        try:
            _build(folder, console)
            config = _write_config(folder)
            report = None if app and _is_ranked(config) else _rank(config, console)
            if app:
                _serve(folder, config, port)
            elif report is not None:
                _show(report, config, console)
                console.print(f"Done in {time.perf_counter() - started:.0f} s.", style="dim")
        finally:
            disconnect()


def _rank(config: Path, console: Console) -> Report:
    import labelnext

    with console.status("Ranking the samples that are not labelled ..."):
        report: Report = labelnext.run(config)
    return report


def _write_config(folder: Path) -> Path:
    """The configuration; one that is there stays, because the user may have changed it."""
    path = folder / "labelnext.yaml"
    if not path.exists():
        path.write_text(CONFIG, "utf-8")
    return path


def _build(folder: Path, console: Console) -> None:
    """The dataset, unless an earlier demo finished it."""
    import fiftyone as fo

    fo.config.show_progress_bars = False
    if fo.dataset_exists(DATASET):
        # The paths of the images are absolute: a folder that was moved needs a new dataset.
        if fo.load_dataset(DATASET).info.get("made_in") == str(folder.resolve()):
            console.print(f"The dataset {DATASET} is there already.")
            return
        fo.delete_dataset(DATASET)
    with console.status("Writing the digits as PNG files, and training a classifier ..."):
        images = digits()
        paths = write_images(folder / "images", images)
    with console.status(f"Making the FiftyOne dataset {DATASET} ..."):
        dataset = fo.Dataset(DATASET, persistent=True)
        _fill(dataset, images, paths)
        dataset.info["made_in"] = str(folder.resolve())  # last: it says that all is there
        dataset.save()
    console.print(f"Made the dataset {DATASET}: {images.said()}", soft_wrap=True)


def _fill(dataset: Any, images: Digits, paths: Sequence[Path]) -> None:
    import fiftyone as fo

    dataset.default_classes = images.classes

    def samples() -> Iterator[Any]:
        for i, path in enumerate(paths):
            logits = images.logits[i]
            best = int(logits.argmax())
            fields: dict[str, Any] = {"ground_truth": None, "prediction": None}
            if images.labelled[i]:
                fields["ground_truth"] = fo.Classification(label=images.truth[i])
            else:
                fields["prediction"] = fo.Classification(
                    label=images.classes[best],
                    confidence=float(np.exp(logits[best])),
                    logits=logits,
                )
            yield fo.Sample(
                filepath=str(path),
                name=path.name,
                true_digit=images.truth[i],  # for looking behind the scenes; not read
                embedding=images.embeddings[i],
                **fields,
            )

    dataset.add_samples(samples(), validate=False, progress=False, num_samples=len(paths))


def _is_ranked(config: Path) -> bool:
    import fiftyone as fo

    return bool(fo.load_dataset(DATASET).has_saved_view(_batch_view(config)))


def _batch_view(config: Path) -> str:
    import labelnext

    return view_names(labelnext.load_config(config).write.run)[0]


def _show(report: Report, config: Path, console: Console) -> None:
    show_ranking(report, console)
    app = again("fiftyone", config.parent, "--app")
    step = ("open the App on the next batch", app)
    show_next(config, report, console, step, replay_step(config))


def _serve(folder: Path, config: Path, port: int) -> None:
    """The App on the saved view, our panel beside it, until Ctrl-C."""
    import fiftyone as fo

    plugins = str(folder.resolve() / "plugins")
    os.environ["FIFTYONE_PLUGINS_DIR"] = plugins  # for the App, which is a process of its own
    fo.config.plugins_dir = plugins
    install_plugin()
    name = _batch_view(config)
    view = fo.load_dataset(DATASET).load_saved_view(name)
    other = again("fiftyone", folder, "--app", "--port", str(port + 1))
    serve(view, port=port, said=f"the view {name}", hint=f"{other} takes another one.")
