"""FiftyOne's samples.json, as FiftyOneDataset and to_json() write it: one predicted field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from labelnext.errors import InvalidInput, listed
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.content.values import real
from labelnext_adapters.files.tables.vectors import from_logits
from labelnext_adapters.files.vision.boxes import of_four
from labelnext_adapters.files.vision.findings import Finding, Said, Tool, inside, rows_of

#: The lists of objects by their class, and how a list is called there.
_LISTS = {"Detections": "detections", "Polylines": "polylines", "Keypoints": "keypoints"}
_CLASSES = ("Classification", "Classifications")
_FIELDS = "_predicted"  # our key beside the sample's own


def samples_of(value: Any, field: str | None = None) -> Any:
    """The samples, each with the names of the fields that hold predictions in any of them.

    Args:
        value: of the file.
        field: that holds the predictions, if it is known.
    """
    samples = value.get("samples") if isinstance(value, Mapping) else value
    if not isinstance(samples, list):
        return value
    told = [one for one in samples if isinstance(one, Mapping)]
    if samples is value and not any(_has_labels(one) for one in told):
        return value
    found = {name for one in told for name, labels in one.items() if _is_predicted(labels)}
    names = sorted(found) if field is None else [field]
    return [{**one, _FIELDS: names} if isinstance(one, Mapping) else one for one in samples]


def _samples_read(value: Any, field: str | None) -> Any:
    """The samples, where it is clear which field holds predictions.

    Raises:
        InvalidInput: if several do, or the one that is named isn't there.
    """
    samples = samples_of(value, field)
    told = list(filter(_is_one, samples)) if isinstance(samples, list) else []
    names = told[0][_FIELDS] if told else []
    if len(names) > 1:
        raise InvalidInput(
            f"one field must hold the predictions; {listed(names)} do.",
            hint=f"set source.pred_field to one of them: {names[0]}.",
        )
    if field is not None and told and not any(field in one for one in told):
        raise InvalidInput(f"pred_field must be a field of the samples; got {field!r}.")
    return samples


def _labels(field: Any) -> list[Any]:
    """The labels of a field; none if it is something else."""
    if not isinstance(field, Mapping):
        return []
    kind = str(field.get("_cls"))
    if kind == "Classification":
        return [field]
    inside = field.get(_LISTS.get(kind, kind.lower()))
    return inside if isinstance(inside, list) else []


def _has_labels(sample: Mapping[str, Any]) -> bool:
    kinds = {str(one.get("_cls")) for one in sample.values() if isinstance(one, Mapping)}
    return "filepath" in sample and not kinds.isdisjoint({*_LISTS, *_CLASSES})


def _is_predicted(field: Any) -> bool:
    return any(
        isinstance(one, Mapping) and (one.get("confidence") is not None or _logits_of(one))
        for one in _labels(field)
    )


def _logits_of(label: Mapping[str, Any]) -> list[Any]:
    """The logits of a class that has no confidence; else none."""
    logits = label.get("logits")
    alone = label.get("_cls") == "Classification" and label.get("confidence") is None
    return logits if alone and isinstance(logits, list) else []


def _sure(label: Mapping[str, Any]) -> Any:
    """The confidence of a label, or the largest probability of a class that has logits alone.

    Example:
        >>> _sure({"_cls": "Classification", "label": "cat", "logits": [0.0, 0.0]})
        0.5
    """
    numbers = [real(one, "logits") for one in _logits_of(label)]
    if not numbers:
        return label.get("confidence")
    return float(from_logits(np.array(numbers), "softmax").max())


def _is_one(value: Any) -> bool:
    return isinstance(value, Mapping) and "filepath" in value and _FIELDS in value


def _said(sample: Mapping[str, Any]) -> Said:
    names, path = sample[_FIELDS], sample["filepath"]
    if isinstance(sample.get("frames"), Mapping) and not names:
        raise Unusable("frames of videos aren't read from a file; use adapter: fiftyone")
    if not names:
        raise Unusable("no field has labels with a confidence: these are labels, not predictions")
    field = sample.get(names[0])
    if field is None:
        return Said(objects=[], name=path, skipped=True)
    kind = inside(field, "_cls")
    if kind not in (*_LISTS, *_CLASSES):
        raise Unusable(f"{names[0]} must be labels of FiftyOne; got {field!r:.60}")
    labels = [field] if kind == "Classification" else field.get(_LISTS.get(kind, kind.lower()))
    rows = rows_of(labels, names[0])
    if kind in _CLASSES:
        beside = any(row.get("logits") and not _logits_of(row) for row in rows)
        logits = "Logits" if beside else ""
        found = [Finding(row.get("label"), _sure(row)) for row in rows]
        return Said(classes=found, name=path, skipped=not found, unread=logits)
    objects = [
        Finding(row.get("label"), row.get("confidence"), of_four(row.get("bounding_box")))
        for row in rows
    ]
    return Said(objects=objects, name=path)


TOOLS = (
    Tool(
        _is_one,
        _said,
        "its samples have a filepath, as of FiftyOne",
        several=samples_of,
        fractions=True,
    ),
)


def tool_of(field: str | None) -> Tool:
    """The tool that reads this field, or the only one that holds predictions."""
    return replace(TOOLS[0], several=lambda value: _samples_read(value, field))
