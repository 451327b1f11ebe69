"""Results of Ultralytics as JSON and tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext.adapter.formats import recognition
from labelnext.errors import InvalidInput
from tests.formats.independent import FIXTURES, by_least_confidence, by_mean, codes, ranked, read

HERE = FIXTURES / "ultralytics"


def told(name: str) -> dict[str, list[float]]:
    """By an independent loop: the confidences of each image."""
    images = json.loads((HERE / f"{name}.json").read_text())
    return {image: [r["confidence"] for r in records] for image, records in images.items()}


@pytest.mark.parametrize("text", ["[]", "{}", ""])
def test_an_empty_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(InvalidInput, match=r"r\.json"):
        read(tmp_path / "r.json", format="ultralytics")


@pytest.mark.parametrize(
    "name",
    ["folder", "list_of_lists", "list_of_texts", "by_name", "oriented", "flat", "classified"],
)
def test_it_is_recognised(name: str) -> None:
    place = HERE / name if name == "folder" else HERE / f"{name}.json"
    assert recognition(place).format.name == "ultralytics"
    assert recognition(HERE / "table.csv").format.name == "ultralytics"


def test_images_by_name_are_ranked_by_their_mean() -> None:
    pool = read("ultralytics/by_name.json")
    assert ranked(pool) == by_mean(told("by_name")) == ["empty.jpg", "zidane.jpg", "bus.jpg"]
    assert pool.classes == ("dog", "person")
    assert "boxes_without_size" in codes(pool)


def test_a_folder_has_the_names_of_its_files_as_ids() -> None:
    assert ranked(read("ultralytics/folder")) == ["empty", "zidane", "bus"]


@pytest.mark.parametrize("name", ["list_of_lists", "list_of_texts"])
def test_images_without_names_are_numbered_with_a_notice(name: str) -> None:
    pool = read(f"ultralytics/{name}.json")
    assert ranked(pool) == ["2", "1", "0"]
    assert "numbered" in codes(pool)


@pytest.mark.parametrize("name", ["flat.json", "table.csv"])
def test_rows_are_put_together_by_their_image(name: str) -> None:
    pool = read(f"ultralytics/{name}")
    assert ranked(pool) == ["zidane.jpg", "bus.jpg"]  # a table has no rows of empty images
    assert read(f"ultralytics/{name}", key="image").item_ids.tolist() == pool.item_ids.tolist()


def test_one_image_without_a_name_is_called_by_its_file(tmp_path: Path) -> None:
    pool = read("ultralytics/one_image.json")
    assert (ranked(pool), "named_by_file" in codes(pool)) == (["one_image"], True)
    assert pool.objects.confidences.tolist() == [0.9, 0.5]
    rows = "name,class,confidence,box\nperson,0,0.9,{}\ndog,16,0.5,{}\n"
    (tmp_path / "t.csv").write_text(rows)
    with pytest.raises(InvalidInput, match=r"which image a detection is from.*one file for each"):
        read(tmp_path / "t.csv", format="ultralytics")
    with pytest.raises(InvalidInput, match=r"which image a detection is from"):
        read("ultralytics/flat.json", key="photo")


def test_boxes_are_fractions_or_need_the_size_of_the_image() -> None:
    np.testing.assert_allclose(
        read("ultralytics/fractions.json").objects.boxes, [[0.1, 0.2, 0.5, 0.4]]
    )
    assert read("ultralytics/by_name.json").objects.boxes is None
    pool = read("ultralytics/by_name.json", image_size=[100, 200])
    np.testing.assert_allclose(pool.objects.boxes[0], [0.1, 0.1, 0.5, 0.2])
    pool = read("ultralytics/oriented.json", image_size=[10, 10])
    np.testing.assert_allclose(pool.objects.boxes[0], [0.1, 0, 0.9, 0.8])
    assert ranked(pool) == by_mean(told("oriented")) == ["b.png", "a.png"]


def test_classification_is_ranked_by_its_probabilities() -> None:
    pool = read("ultralytics/classified.json")
    expected = by_least_confidence(told("classified"))
    assert ranked(pool, "least_confidence") == expected == ["b.jpg", "a.jpg"]
    assert pool.classes == ("cat", "cow", "dog", "(other)")
    np.testing.assert_allclose(pool.mean_probabilities[0], [0.7, 0.05, 0.2, 0.05])


def test_one_class_an_image_is_ranked_by_its_confidence() -> None:
    expected = by_least_confidence(told("top1"))
    assert ranked(read("ultralytics/top1.json")) == expected == ["b.jpg", "c.jpg", "a.jpg"]


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (3, "it must have name, class and confidence; got 3"),
        ({"name": "cat", "class": 1}, "it must have name, class and confidence"),
        ({"name": "cat", "class": 1, "confidence": "high"}, "confidence must be a number"),
        ({"name": "cat", "class": 1, "confidence": 90}, r"confidence must be in \[0, 1\]; got 90"),
        ({"name": ["cat"], "class": 1, "confidence": 0.5}, "a class must be a name"),
    ],
)
def test_an_odd_detection_is_left_out_and_counted(tmp_path: Path, odd: Any, why: str) -> None:
    good = {
        "name": "cat",
        "class": 1,
        "confidence": 0.5,
        "box": {"x1": 1, "y1": 1, "x2": 2, "y2": 2},
    }
    images = {"a.jpg": [good] * 10, "b.jpg": [odd], "c.jpg": [good]}
    (tmp_path / "r.json").write_text(json.dumps(images))
    pool = read(tmp_path / "r.json")
    (notice,) = [n for n in pool.notices if n.code == "left_out"]
    assert f"record 'b.jpg', detection 1 (item b.jpg): {why}".replace("\\", "") in notice.message
    assert ranked(pool) == ["a.jpg", "c.jpg"]


def test_a_broken_file_of_a_folder_is_left_out(tmp_path: Path) -> None:
    good = [{"name": "cat", "class": 1, "confidence": 0.5, "box": {}}]
    for number in range(20):
        (tmp_path / f"{number:02}.json").write_text(json.dumps(good))
    (tmp_path / "07.json").write_text("[{")
    pool = read(tmp_path)
    assert len(ranked(pool)) == 19
    (notice,) = [n for n in pool.notices if n.code == "left_out"]
    assert "1 of 20 detections: 07.json (item 07): the file must be JSON" in notice.message
