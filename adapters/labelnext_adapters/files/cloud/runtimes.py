"""Results of programs that serve or run models: Triton and KServe, MediaPipe, Clarifai."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.vision.boxes import from_corner
from labelnext_adapters.files.vision.findings import Finding, Said, Tool, inside, rows_of

_ROW = "row of a tensor"
_TENSOR = {"name", "datatype", "shape", "data"}


def _tensors(value: Any) -> list[Mapping[str, Any]]:
    """The tensors of a response by the Open Inference Protocol; none if it is something else."""
    outputs = inside(value, "outputs")
    rows: list[Any] = outputs if isinstance(outputs, list) else []
    told = all(isinstance(row, Mapping) and row.keys() >= _TENSOR for row in rows)
    return rows if told else []


def _rows(value: Any) -> list[list[Any]]:
    """The rows of the only tensor of numbers or classes; empty if there is none of two axes."""
    tensors = _tensors(value)
    told = [one for one in tensors if str(one["datatype"]).startswith(("FP", "BF", "BYTES"))]
    if len(told) != 1 or not isinstance(told[0]["data"], list):
        return []
    data, shape = told[0]["data"], told[0]["shape"]
    if not isinstance(shape, list) or not all(type(one) is int and one > 0 for one in shape):
        return []
    if data and isinstance(data[0], list):
        data = [one for row in data for one in (row if isinstance(row, list) else [row])]
    width = shape[-1]
    if len(shape) > 2 or width < 2 or math.prod(shape) != len(data):
        return []
    return [data[start : start + width] for start in range(0, len(data), width)]


def _responses(value: Any) -> Any:
    """The rows of a response to several inputs, each as the response to one."""
    rows: list[Any] = [*_rows(value)] or [None]
    return [{_ROW: row} for row in rows] if _tensors(value) else value


def _is_served(value: Any) -> bool:
    return isinstance(value, Mapping) and (value.keys() == {_ROW} or bool(_tensors(value)))


def _served(value: Mapping[str, Any]) -> Said:
    rows = [value[_ROW]] if _ROW in value else _rows(value)
    if len(rows) != 1 or rows[0] is None:
        raise Unusable(
            "it must have one tensor of class scores, with a row for each input; write those of "
            "detectors as boxes, scores and classes of each image"
        )
    return Said(classes=[_class(number, one) for number, one in enumerate(rows[0])])


def _class(number: int, value: Any) -> Finding:
    """A class by its number, or as Triton's classification extension writes it."""
    if not isinstance(value, str):
        return Finding(number, value)
    score, *place = value.split(":", 2)
    return Finding(place[-1] if place else number, score)


def _camel(row: Any, *keys: str) -> Any:
    """The value of a key in snake case, as in Python, or in camel case, as in JavaScript."""
    for key in keys:
        head, *rest = key.split("_")
        names = (key, head + "".join(map(str.capitalize, rest)))
        found = [row[name] for name in names if row.get(name) not in (None, "")]
        if found:
            return found[0]
    return None


def _category(row: Mapping[str, Any]) -> Finding:
    kind = _camel(row, "category_name", "display_name")
    return Finding(row.get("index") if kind is None else kind, row.get("score"))


def _is_mediapipe(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    for key in ("detections", "classifications"):
        rows = value.get(key)
        if isinstance(rows, list) and rows and isinstance(rows[0], Mapping):
            categories = rows[0].get("categories")
            return isinstance(categories, list) and all("score" in one for one in categories)
    return value.keys() == {"detections"} and value["detections"] == []


def _mediapipe(value: Mapping[str, Any]) -> Said:
    if "classifications" in value:
        heads = rows_of(value["classifications"], "classifications")
        found = [_category(row) for row in rows_of(heads[0].get("categories"), "categories")]
        return Said(classes=found, unread="Further heads" if len(heads) > 1 else "")
    return Said(objects=[_detected(row) for row in rows_of(value["detections"], "detections")])


def _detected(row: Mapping[str, Any]) -> Finding:
    categories = rows_of(row.get("categories"), "categories")
    if not categories:
        raise Unusable("a detection must have a category")
    box, first = _camel(row, "bounding_box"), _category(categories[0])
    if not isinstance(box, Mapping):
        return first
    sides = [_camel(box, name) for name in ("origin_x", "origin_y", "width", "height")]
    return Finding(first.kind, first.confidence, from_corner(*sides))


def _outputs(value: Any) -> Any:
    told = inside(value, "outputs")
    return told if isinstance(told, list) and any(map(_is_clarifai, told)) else value


def _is_clarifai(value: Any) -> bool:
    data = inside(value, "data")
    if not isinstance(data, Mapping) or "model" not in value:
        return False
    known = [isinstance(data.get(key), list) for key in ("concepts", "regions")]
    return any(known) or "input" in value  # an image without anything


def _clarifai(value: Mapping[str, Any]) -> Said:
    data, name = value["data"], inside(value, "input", "id")
    if "concepts" in data and not data.get("regions"):
        return Said(classes=_concepts(data["concepts"]), name=name)
    regions = rows_of(data.get("regions") or [], "regions")
    return Said(objects=[_region(row) for row in regions], name=name)


def _concepts(value: Any) -> Sequence[Finding]:
    return [Finding(row.get("name"), row.get("value")) for row in rows_of(value, "concepts")]


def _region(row: Mapping[str, Any]) -> Finding:
    data, box = row.get("data"), inside(row, "region_info", "bounding_box")
    found = _concepts(data.get("concepts")) if isinstance(data, Mapping) else []
    if not found:
        raise Unusable("a region must have a concept")
    if not isinstance(box, Mapping):
        return found[0]
    corners = [box.get(side) for side in ("left_col", "top_row", "right_col", "bottom_row")]
    return Finding(found[0].kind, found[0].confidence, corners)


RUNTIMES = (
    Tool(_is_served, _served, "it has tensors with shape and data, as Triton's", _responses),
    Tool(_is_mediapipe, _mediapipe, "its results have categories with a score, as MediaPipe's"),
    Tool(
        _is_clarifai,
        _clarifai,
        "its outputs have concepts or regions, as Clarifai's",
        several=_outputs,
        fractions=True,
    ),
)
