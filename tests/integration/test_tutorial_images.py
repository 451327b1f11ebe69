"""The tutorial from unlabelled images to a classifier, people simulated by the true classes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv
import pytest
import yaml
from PIL import Image
from sklearn.datasets import load_digits

from labelnext import Pool, probe
from labelnext.cli.commands import app
from labelnext.config.config import load_config
from labelnext.config.opened import opened, read_pool
from labelnext.runs.undo import runs
from labelnext.runs.watch import watch

pytest_plugins = ("tests.integration.mongod",)

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "images.md"
DIGITS = (1, 3, 5, 8, 9)
N_IMAGES, N_LABELS = 300, 60


def images(folder: Path) -> dict[str, str]:
    """Digits as files of 32 × 32 pixels; the class of each, by its path."""
    digits = load_digits()
    rows = np.flatnonzero(np.isin(digits.target, DIGITS))[:N_IMAGES]
    classes = {}
    for row in rows.tolist():
        pixels = (digits.images[row] * 15.9).astype(np.uint8)
        path = folder / f"{row:04d}.png"
        Image.fromarray(np.kron(pixels, np.ones((4, 4), dtype=np.uint8))).save(path)
        classes[str(path)] = str(digits.target[row])
    return classes


def settings() -> dict[str, Any]:
    """The configuration of the page."""
    found = re.search(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    made: dict[str, Any] = yaml.safe_load(found[1])
    return made


def accuracy(pool: Pool, labelled: list[int], truth: np.ndarray[Any, Any]) -> float:
    """Of the probe with these labels, on the others."""
    labels = np.full(len(truth), -1)
    labels[labelled] = truth[labelled]
    fitted = probe(
        Pool(pool.item_ids, embeddings=pool.embeddings, labels=labels, classes=pool.classes)
    )
    assert fitted.top_classes is not None
    return float((fitted.top_classes == truth)[labels < 0].mean())


def labelled_in_rounds(
    dataset: Any, config: Path, known: dict[str, str], made: dict[str, Any]
) -> list[str]:
    """The samples that people tagged, round by round: all images of a class at once."""
    labelled: list[str] = []
    while len(labelled) < N_LABELS:
        assert watch(config, once=True).ok
        dataset.reload()
        batch = dataset.load_saved_view("labelnext-batch").values("id")
        assert len(batch) == made["watch"]["labels"]
        for name in made["source"]["label_tag"]:
            dataset.select([i for i in batch if known[i] == name]).tag_samples(name)
        labelled += batch
    return labelled


def test_images_become_a_classifier_that_is_better_than_with_random_labels(
    dataset: Any, tmp_path: Path
) -> None:
    import fiftyone as fo

    folder = tmp_path / "photos"
    folder.mkdir()
    classes = images(folder)
    dataset.add_dir(str(folder), fo.types.ImageDirectory, progress=False)
    made = settings()
    made["source"]["dataset"] = dataset.name
    made["report"] = {"path": None}
    config = tmp_path / "labelnext.yaml"
    config.write_text(yaml.safe_dump(made))
    known = {
        str(i): classes[path] for i, path in zip(*dataset.values(["id", "filepath"]), strict=True)
    }

    labelled = labelled_in_rounds(dataset, config, known, made)
    assert len(runs(config)) == 6
    assert dataset.count_sample_tags() == {
        name: sum(known[i] == name for i in labelled) for name in made["source"]["label_tag"]
    }
    assert "each without its own label" in (tmp_path / "status.html").read_text()

    out = tmp_path / "classes.csv"
    app(["predictions", str(config), str(out)], standalone_mode=False)
    said = {row["item_id"]: str(row["prediction"]) for row in pyarrow.csv.read_csv(out).to_pylist()}
    others = [i for i in known if i not in {*labelled}]
    active = float(np.mean([said[i] == known[i] for i in others]))

    with opened(load_config(config), None, None) as adapter:
        pool = read_pool(load_config(config), adapter)
    truth = np.array([made["source"]["label_tag"].index(known[i]) for i in pool.item_ids.tolist()])
    places = {item: row for row, item in enumerate(pool.item_ids.tolist())}
    assert accuracy(pool, [places[i] for i in labelled], truth) == pytest.approx(active)
    draws = [np.random.default_rng(seed).permutation(N_IMAGES)[:N_LABELS] for seed in range(20)]
    random = float(np.mean([accuracy(pool, draw.tolist(), truth) for draw in draws]))
    assert active > random
    shares = re.search(
        r"right on (\d+)% of the other.*right\s+on\s+(\d+)% on average",
        PAGE.read_text("utf-8"),
        re.DOTALL,
    )
    assert shares is not None
    measured = [100 * active, 100 * random]
    assert [float(share) for share in shares.groups()] == pytest.approx(measured, abs=2)

    push = ["push", str(config), str(out), "--version", "final", "--yes"]
    app(push, standalone_mode=False)
    dataset.reload()
    assert dataset.count("final") == N_IMAGES
    app(["undo", str(config), "--all", "--yes"], standalone_mode=False)
    dataset.reload()
    assert not {"final", "labelnext_prelabel"} & {*dataset.get_field_schema()}
    assert dataset.list_saved_views() == []
    assert sum(dataset.count_sample_tags().values()) == N_LABELS  # what people did stays
