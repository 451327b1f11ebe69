"""One odd value among forty never decides how an object by item is read, whatever wrote it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labelnext import rank
from tests.unit.files.reading import read

N, ODD = 40, 7
BOX = [1, 1, 2, 2]


def sure(item: int) -> float:
    """How sure item n is of what it says; each is surer than the one before."""
    return round(0.5 + item / 100, 2)


def rekognition(p: float) -> Any:
    box = {"Left": 0.1, "Top": 0.1, "Width": 0.1, "Height": 0.1}
    label = {"Name": "a", "Confidence": 100 * p, "Geometry": {"BoundingBox": box}}
    return {"CustomLabels": [label]}


def mediapipe(p: float) -> Any:
    box = {"origin_x": 1, "origin_y": 1, "width": 2, "height": 2}
    kind = {"index": 0, "score": p, "category_name": "a"}
    return {"detections": [{"bounding_box": box, "categories": [kind]}]}


DETECTED: dict[str, Callable[[float], Any]] = {
    "Ultralytics": lambda p: [{"name": "a", "class": 0, "confidence": p, "box": {"x1": 1}}],
    "torchvision": lambda p: {"boxes": [BOX], "labels": [0], "scores": [p]},
    "MMDetection": lambda p: {"bboxes": [BOX], "labels": [0], "scores": [p]},
    "supervision": lambda p: {"xyxy": [BOX], "class_id": [0], "confidence": [p]},
    "Detectron2": lambda p: {"pred_boxes": [BOX], "pred_classes": [0], "scores": [p]},
    "Rekognition": rekognition,
    "MediaPipe": mediapipe,
    "rows of numbers": lambda p: [[1, 1, 20, 20, p, 0]],
    "records": lambda p: [{"bbox": BOX, "score": p, "label": "a"}],
}
CLASSIFIED: dict[str, Callable[[float], Any]] = {
    "probabilities by class": lambda p: {"cat": p, "dog": 1 - p},
    "lists of probabilities": lambda p: [p, 1 - p],
    "a class and its score": lambda p: {"label": "cat" if p < 0.7 else "dog", "score": p},
}
VALUES = [None, "broken", 3, {"error": "x"}, [1, 2], {}]


def check(folder: Path, told: dict[str, Any], acquisition: str) -> None:
    """All items but the odd one are ranked, in the order of their numbers."""
    pool = read(folder, "p.json", told)
    ranked = rank(pool, acquisition).pool_order.tolist()
    assert ranked == [f"{n}.jpg" for n in range(N) if n != ODD]
    left_out = " ".join(one.message for one in pool.notices if one.code == "left_out")
    unknown = f"{ODD}.jpg" in rank(pool, acquisition).unscored_ids
    assert unknown or f"record {ODD + 1}" in left_out or f"{ODD}.jpg" in left_out


@pytest.mark.parametrize("tool", DETECTED)
@pytest.mark.parametrize("value", VALUES)
def test_one_odd_image_leaves_the_others(tmp_path: Path, tool: str, value: Any) -> None:
    told = {f"{n}.jpg": value if n == ODD else DETECTED[tool](sure(n)) for n in range(N)}
    check(tmp_path, told, "mean_object_confidence")


@pytest.mark.parametrize("tool", DETECTED)
@pytest.mark.parametrize("score", ['"high"', "NaN"])
def test_an_image_whose_only_object_is_odd_is_not_empty(
    tmp_path: Path, tool: str, score: str
) -> None:
    text = json.dumps({f"{n}.jpg": DETECTED[tool](sure(n)) for n in range(N)})
    number = str(100 * sure(ODD)) if tool == "Rekognition" else str(sure(ODD))
    assert text.count(number) == 1
    check(tmp_path, json.loads(text.replace(number, score)), "mean_object_confidence")


@pytest.mark.parametrize("kind", CLASSIFIED)
@pytest.mark.parametrize("value", [*VALUES, {"cat": 0.9, "dog": 0.9}, [0.9, 0.9]])
def test_one_odd_item_leaves_the_others(tmp_path: Path, kind: str, value: Any) -> None:
    told = {f"{n}.jpg": value if n == ODD else CLASSIFIED[kind](sure(n)) for n in range(N)}
    check(tmp_path, told, "least_confidence")


def test_rows_of_an_image_whose_only_object_is_odd_are_not_empty(tmp_path: Path) -> None:
    rows = [f"{n}.jpg,car,{'nan' if n == ODD else sure(n)},1,1,2,2\n" for n in range(N)]
    (tmp_path / "p.csv").write_text("".join(["image,class,confidence,x1,y1,x2,y2\n", *rows]))
    pool = read(tmp_path, "p.csv")
    ranked = rank(pool, "mean_object_confidence").pool_order.tolist()
    assert ranked == [f"{n}.jpg" for n in range(N) if n != ODD]


def test_a_plain_text_among_completions_makes_no_class(tmp_path: Path) -> None:
    def completion(item: int) -> Any:
        token = {"token": "no" if item % 2 else "yes", "logprob": math.log(sure(item))}
        logprobs = {"content": [{**token, "top_logprobs": [token]}]}
        choice = {"message": {"content": token["token"]}, "logprobs": logprobs}
        return {"custom_id": str(item), "response": {"body": {"choices": [choice]}}}

    told = ["perhaps" if n == ODD else completion(n) for n in range(N)]
    (tmp_path / "p.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in told))
    pool = read(tmp_path, "p.jsonl")
    assert pool.classes == ("no", "yes")
    assert rank(pool).pool_order.tolist() == [str(n) for n in range(N) if n != ODD]
