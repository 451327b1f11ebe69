"""Every small file of tests/formats is ranked as independent lines say; the count is checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.formats import make_tables, told, told_tools
from tests.formats.independent import FIXTURES, read
from tests.formats.tally import compared
from tests.unit.files.test_mutations import READERS as VISION
from tests.unit.files.test_text_mutations import MORE
from tests.unit.files.test_text_mutations import READERS as TEXTS

Reader = Callable[[Path], told.Told]


def told_items(place: Path) -> told.Told:
    """What the script that made the file put in: the probabilities of each item's best class."""
    known = enumerate(make_tables.ITEMS.items())
    numbered = place.name == "choices.json"
    return {str(n + 1) if numbered else item: [max(p)] for n, (item, p) in known}


def told_images(place: Path) -> told.Told:
    return dict(make_tables.IMAGES)


def told_records(place: Path) -> told.Told:
    images = place.stem in ("objects", "kaggle", "kaggle-without-class", "yolov5")
    there = told_images(place) if images else told_items(place)
    return {item: c for item, c in there.items() if c or place.stem != "yolov5"}


#: Fixtures of which other tests say why they are refused, or that hold several labels each.
REFUSED = {
    "cloud/azure-tags.json", "cloud/google-labels.jsonl", "cloud/moderation.jsonl",
    "cloud/perspective.jsonl", "cloud/rekognition-labels.jsonl", "cvat/labels.xml",
    "cvat/video.xml", "labelme/labels", "megadetector/failed.json", "roboflow/multilabel.json",
    "supervision/labels.json", "supervision/nameless.csv", "voc/labels", "yolo/ground_truth",
    "yolo/ids_without_confidence",
    "yolo/pose_without_confidence", "yolo/segment_without_confidence",
}  # fmt: skip
#: Fixtures with one image, and one whose sums are mended.
SINGLE = {
    "roboflow/one.json",
    "ultralytics/fractions.json",
    "ultralytics/one_image.json",
    "ultralytics/oriented.json",
    "yolo/classify",
}
SOURCES: dict[str, dict[str, Any]] = {
    **MORE,
    "supervision/own_column.csv": {"key": "photo"},
    "records/trainer.npz": {"logits": "softmax"},
    "records/trainer.pkl": {"logits": "softmax"},
    "tables/logits.csv": {"logits": "softmax"},
    "tables/percent.csv": {"scale": "percent"},
    "tables/scores.npy": {"ids": FIXTURES / "tables" / "scores.txt"},
    **{f"coco/{name}.json": {"images": FIXTURES / "coco" / "instances.json"} for name in
       ("boxes", "polygons", "keypoints", "text_ids")},
}  # fmt: skip


def _corpus() -> dict[str, Reader]:
    places: dict[str, Reader] = {}
    for kind, reader in VISION.items():
        inner = {"detect": "detect/predict", "classify": "classify", "dataset": "dataset/run"}
        for place in sorted((FIXTURES / kind).iterdir()):
            name = inner.get(place.name, place.name) if kind == "yolo" else place.name
            places[f"{kind}/{name}"] = reader
    places.update(TEXTS)
    for kind, tool in told_tools.READERS.items():
        places |= {f"{kind}/{place.name}": tool for place in sorted((FIXTURES / kind).iterdir())}
    for kind, made in (("tables", told_items), ("coco", told_images), ("records", told_records)):
        for place in sorted((FIXTURES / kind).iterdir()):
            places[f"{kind}/{place.name}"] = made
    places["label_studio/boxes.json"] = told_images
    places["label_studio/choices.json"] = told_items
    aside = REFUSED | SINGLE | {"tables/scores.txt", "coco/instances.json"}
    return {name: reader for name, reader in places.items() if name not in aside}


CORPUS = _corpus()


def test_the_corpus_has_at_least_sixty_files_that_rank() -> None:
    assert len(CORPUS) >= 60


@pytest.mark.parametrize("name", CORPUS)
def test_a_file_is_ranked_as_independent_lines_say(name: str) -> None:
    pool = read(name, **SOURCES.get(name, {}))
    expected = CORPUS[name](FIXTURES / name)
    assert compared(pool, expected) == len(expected) > 1
