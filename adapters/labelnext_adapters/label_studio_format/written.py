"""A pool's predictions as regions, which this package reads back as they were."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.adapter.predicted import class_names
from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool
from labelnext.support.words import counted
from labelnext_adapters.label_studio_format.regions import Setup

_BOXES = "RectangleLabels"
_LIKELY = 0.5  # of independent classes, those that are chosen
_DIGITS = 9  # of numbers in single precision

#: How the regions of each control tag for whole items name a class.
_VALUES: Mapping[str, Callable[[Sequence[str], Setup], dict[str, Any]]] = {
    "Choices": lambda names, _: {"choices": list(names)},
    "Taxonomy": lambda names, setup: {"taxonomy": [n.split(setup.separator) for n in names]},
    "Pairwise": lambda names, _: {"selected": names[0]},
    "Rating": lambda names, _: {"rating": int(names[0])},
}

#: How those of the tags for numbers hold one; stars are whole, and at least one.
_NUMBERS: Mapping[str, Callable[[float, Setup], dict[str, Any]]] = {
    "Number": lambda number, _: {"number": float(f"{number:.4g}")},
    "Rating": lambda number, setup: {"rating": min(max(round(number), 1), len(setup.classes))},
}


@dataclass
class Written:
    """The predictions of some items as Label Studio stores them.

    Attributes:
        rows: positions of the items in the pool.
        results: of each, its regions, as JSON.
        scores: of each, the prediction's own score; None without any.
        left_out: what has no form there, one sentence each.
    """

    rows: list[int] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    scores: list[float | None] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def add(self, row: int, regions: Sequence[Mapping[str, Any]], score: float | None) -> None:
        """Take the regions of an item."""
        self.rows.append(row)
        self.results.append(json.dumps(regions, ensure_ascii=False, separators=(",", ":")))
        self.scores.append(score)


def written(pool: Pool, rows: NDArray[np.intp], setup: Setup, to_name: str) -> Written:
    """The predictions of some items of a pool of one model version.

    Args:
        pool: the predictions.
        rows: positions of the items.
        setup: the control tag that people label with.
        to_name: name of what it labels.

    Raises:
        InvalidInput: if the tag can't hold such predictions, or doesn't have the classes.
    """
    _check_tag(pool, setup)
    names = class_names(pool, [*setup.classes], f"control tag {setup.from_name!r}")
    region = {"from_name": setup.from_name, "to_name": to_name, "type": setup.tag.lower()}
    if pool.mean_probabilities is not None:
        return _distributions(pool, rows, setup, names, region)
    if pool.answer is not None:
        return _answers(pool, pool.answer, rows, setup, names, region)
    (objects,) = pool.object_sets
    return _boxes(pool, objects, rows, names, region)


def _check_tag(pool: Pool, setup: Setup) -> None:
    whole = not pool.object_sets
    one = f"control tag {setup.from_name!r}"
    if setup.others or setup.patterns or setup.per_region:
        raise InvalidInput(
            "source.from_name must be one control tag, outside a Repeater and of no region, for "
            f"predictions to be pushed to; got {listed([setup.from_name, *setup.others])}."
        )
    tags = _VALUES if pool.estimates is None else _NUMBERS
    if whole and setup.tag not in tags:
        what = "predictions of whole items" if tags is _VALUES else "predicted numbers"
        raise InvalidInput(
            f"{one} must be {', '.join(tags)} for {what}; got {setup.tag}.",
            hint="name another tag in source.from_name.",
        )
    if not whole and setup.tag != _BOXES:
        raise InvalidInput(
            f"{one} must be {_BOXES} for predicted boxes; got {setup.tag}.",
            hint="name another tag in source.from_name.",
        )
    if whole and pool.multilabel and not setup.multiple:
        raise InvalidInput(
            f"{one} must allow several choices for classes that are independent; it allows one.",
            hint='set choice="multiple" in the labelling setup.',
        )


def _distributions(
    pool: Pool,
    rows: NDArray[np.intp],
    setup: Setup,
    names: Sequence[str],
    region: Mapping[str, Any],
) -> Written:
    """Choices with the probabilities of all classes."""
    made = Written()
    probabilities = pool.mean_probabilities
    assert probabilities is not None
    unscored = []
    for row in rows.tolist():
        numbers = _numbers(probabilities[row])
        if any(p != p for p in numbers):
            unscored.append(str(pool.item_ids[row]))
            continue
        best = max(range(len(numbers)), key=numbers.__getitem__)
        likely = [i for i, p in enumerate(numbers) if p >= _LIKELY] if pool.multilabel else []
        value = _VALUES[setup.tag]([names[i] for i in likely or [best]], setup)
        value["probs"] = {
            name: p for name, p in zip(names, numbers, strict=True) if p or pool.multilabel
        }
        made.add(row, [{"id": "labelnext-0", **region, "value": value}], numbers[best])
    _note(made, unscored, "prediction", "that isn't a number for each class")
    return made


def _answers(
    pool: Pool,
    answer: Objects,
    rows: NDArray[np.intp],
    setup: Setup,
    names: Sequence[str],
    region: Mapping[str, Any],
) -> Written:
    """Choices with the confidence in the chosen class alone, or numbers."""
    made = Written()
    unnamed = []
    for row in rows.tolist():
        position = int(answer.offsets[row])
        number = -1 if answer.class_ids is None else int(answer.class_ids[position])
        (confidence,) = _numbers(answer.confidences[position : position + 1])
        if pool.estimates is not None:
            value = _NUMBERS[setup.tag](float(pool.estimates[row]), setup)
        elif number < 0 or confidence != confidence:
            unnamed.append(str(pool.item_ids[row]))
            continue
        else:
            value = _VALUES[setup.tag]([names[number]], setup)
        chosen = {"id": "labelnext-0", **region, "value": value, "score": confidence}
        made.add(row, [chosen], confidence)
    _note(made, unnamed, "prediction", "without a class")
    return made


def _boxes(
    pool: Pool,
    objects: Objects,
    rows: NDArray[np.intp],
    names: Sequence[str],
    region: Mapping[str, Any],
) -> Written:
    """Boxes with their confidences, and the probabilities of all classes where there are some."""
    made = Written()
    without: list[str] = []
    for row in rows.tolist():
        regions: list[dict[str, Any]] = []
        for position in range(int(objects.offsets[row]), int(objects.offsets[row + 1])):
            number = -1 if objects.class_ids is None else int(objects.class_ids[position])
            sides = [np.nan] if objects.boxes is None else objects.boxes[position].tolist()
            (confidence,) = _numbers(objects.confidences[position : position + 1])
            if number < 0 or any(x != x for x in (*sides, confidence)):
                without.append(str(pool.item_ids[row]))
                continue
            value: dict[str, Any] = {
                **_percent(sides),
                "rotation": 0,
                _BOXES.lower(): [names[number]],
            }
            if objects.probabilities is not None:
                vector = _numbers(objects.probabilities[position])
                value["probs"] = dict(zip(names, vector, strict=True))
            found = {"id": f"labelnext-{len(regions)}", **region, "value": value}
            regions.append({**found, "score": confidence})
        if not regions and objects.counts[row]:
            continue  # to say that there is nothing would be wrong
        scores = [part["score"] for part in regions]
        made.add(row, regions, sum(scores) / len(scores) if scores else None)
    _note(made, without, "object", "without a class, box or confidence")
    return made


def _note(made: Written, item_ids: Sequence[str], noun: str, what: str) -> None:
    if item_ids:
        named = listed(dict.fromkeys(item_ids))
        made.left_out.append(f"{counted(len(item_ids), noun)} {what}: {named}.")


def _numbers(row: NDArray[np.floating]) -> list[float]:
    """Numbers with the digits that they have: those of single precision aren't made longer."""
    values: list[float] = row.tolist()
    return values if row.dtype == np.float64 else [round(value, _DIGITS) for value in values]


def _percent(box: Sequence[float]) -> dict[str, float]:
    """In percent of the image, without the digits that only rounding made."""
    x1, y1, x2, y2 = box
    parts = {"x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1}
    return {name: round(100 * value, 10) for name, value in parts.items()}
