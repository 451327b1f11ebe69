"""Exports with anything anywhere: a pool, or an error that names what is wrong."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labelnext_adapters.label_studio_format.export import read_exports
from tests.formats.tally import Tally
from tests.formats.told import Odd, Told, distribution, each, sure
from tests.unit.label_studio_format.test_export import SETUP, box, choice, task
from tests.unit.label_studio_format.test_kinds import CARS, SPECIES, versions

_ODD = st.sampled_from(
    [
        *(None, True, False, 0, -1, 1, 0.5, 93, 1e308, -1e308, 10**400, 2**70, 1e-320),
        *("", "0.5", "car", "good", "m1", "2026-01-01", "nan", "inf", "x" * 300, "\ud83d\udc22"),
        *([], {}, [[]], [None], [1, 2], ["car", "bus"], [["a", 1]], {"a": 1}, {"probs": {"a": 2}}),
        *([0.5, 0.5], [0.5, 0.25, 0.25], {"good": 0.5}, {"id": "me"}, [{"x": 1, "y": {}}]),
    ]
)


def _region(kind: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"from_name": "x", "to_name": "i", "type": kind, "value": value, **more}


POLYGON = {"points": [[0, 0], [50, 0], [50, 90]], "polygonlabels": ["car"]}
SIZED = {"original_width": 8, "original_height": 4, "image_rotation": 0, "score": 0.5}
TAXONOMY = {"taxonomy": [["A", "B"]], "probs": {"A": 0.5, "A / B": 0.5}}
ELLIPSE = {"x": 9, "y": 9, "radiusX": 1, "radiusY": 2, "rotation": 3, "ellipselabels": ["a"]}

EXPORTS: list[tuple[str | None, list[Any], dict[str, Any]]] = [
    (SETUP, [task(1, [choice("good", value={"probs": [0.5, 0.25, 0.25]})]), task(2, [])], {}),
    (SETUP, [task(1, [choice("bad", score=0.5)], said=[choice("good")]), task(2)], {}),
    (None, [task(1, [choice("bad", score=0.5), choice("odd", score=0.25)])], {}),
    (CARS, [task(1, [box("car", score=0.5, item_index=1), box("bus")], said=[box("bus")])], {}),
    (CARS, [versions(n, m1=[box("car", score=0.5)], m2=[box("bus")]) for n in (1, 2)], {}),
    (
        CARS,
        [versions(1, m1=[box("car", score=0.5)], m2=[box("bus", score=1)])],
        {"merge": "regions"},
    ),
    (
        CARS,
        [versions(1, m1=[box("car", score=0.5)], m2=[box("bus", score=1)])],
        {"model_version": ["m1", "m2"]},
    ),
    (SPECIES, [task(1, [choice("bad", score=0.5), choice("good")])], {"from_name": "kind"}),
    (None, [task(1, [_region("polygonlabels", POLYGON, **SIZED)])], {}),
    (None, [task(1, [_region("taxonomy", TAXONOMY)]), task(2)], {}),
    (None, [task(1, [_region("ellipselabels", ELLIPSE, **SIZED)])], {"key": "text"}),
    (None, [task(1, [_region("textarea", {"text": ["a"]}, score=0.5)])], {}),
]

BOXES = [task(n, [box("car", score=p), box("bus", score=1 - p * p)]) for n, p in
         enumerate((0.5, 0.25, 0.75, 0.125, 0.875, 1.0), 1)]  # fmt: skip
CHOICES = [task(n, [choice("good", value={"probs": [p, 1 - p, 0]})]) for n, p in
           enumerate((0.5, 0.25, 0.625, 0.125, 0.9375, 1.0), 1)]  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to all values inside a value."""
    inside: list[Any] = []
    if isinstance(value, dict):
        inside = [*value.items()]
    elif isinstance(value, list):
        inside = [*enumerate(value)]
    return [p for key, part in inside for p in [(*path, key), *_places(part, (*path, key))]]


def _changed(export: Any, place: tuple[Any, ...], odd: Any, how: str) -> None:
    for step in place[:-1]:
        export = export[step]
    last = place[-1]
    if how == "leave out":
        del export[last]
    elif how == "twice" and isinstance(export, list):
        export.append(copy.deepcopy(export[last]))
    elif how == "nest":
        export[last] = [export[last]] if isinstance(last, str) else {"a": export[last]}
    else:
        export[last] = copy.deepcopy(odd)


def _told(export: Any) -> Told:
    """Of each task the scores of the regions of its only prediction, or its probabilities."""

    def read(one: Any) -> list[float]:
        (prediction,) = one["predictions"]
        regions = prediction["result"]
        if any(region["from_name"] not in ("b", "kind") for region in regions):
            raise Odd
        if any("probs" in region["value"] for region in regions):
            ((probs,),) = ([region["value"]["probs"]] for region in regions)
            return distribution([sure(value) for value in probs])
        return [sure(region["score"]) for region in regions]

    return each((str(one["id"]), lambda one=one: read(one)) for one in export)


@pytest.mark.parametrize("which", ["mixed", "boxes", "choices"])
def test_a_changed_export_is_ranked_right_or_refused_in_words(which: str) -> None:
    tally = Tally()
    chosen = {"mixed": EXPORTS, "boxes": [(CARS, BOXES, {})], "choices": [(SETUP, CHOICES, {})]}

    @settings(
        max_examples=150,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.data())
    def check(data: st.DataObject) -> None:
        setup, tasks, options = data.draw(st.sampled_from(chosen[which]))
        export = copy.deepcopy(tasks)
        for _ in range(data.draw(st.integers(1, 3))):
            places = _places(export)
            if places:
                how = data.draw(
                    st.sampled_from(["odd", "odd", "odd", "leave out", "twice", "nest"])
                )
                _changed(export, data.draw(st.sampled_from(places)), data.draw(_ODD), how)
        body = json.dumps(export).encode()
        tally.try_(
            f"label studio, {which}",
            lambda: read_exports({"e.json": body}, setup, **options),
            None if which == "mixed" else lambda: _told(export),
        )

    check()
    tally.tell(tried=150, compared=0 if which == "mixed" else 20)


def test_changed_bytes_are_read_or_refused_in_words() -> None:
    tally = Tally()
    body = json.dumps(EXPORTS[3][1]).encode()

    @settings(
        max_examples=100,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.binary(max_size=60), st.integers(0, 400), st.integers(0, 400))
    def check(noise: bytes, begin: int, length: int) -> None:
        content = body[:begin] + noise + body[begin + length :]
        tally.try_("label studio, bytes", lambda: read_exports({"e.json": content}, CARS))

    check()
    tally.tell(tried=100, compared=0)
