"""Regions of stored predictions: what a parser makes of each, by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pycocotools import mask as coco

from labelnext_adapters.label_studio_format.regions import (
    BrokenRegion,
    Found,
    Parsed,
    Setup,
    UnknownLabel,
    parse_result,
    true_labels,
)

TWO = {"a": 0, "b": 1}
THREE = {"a": 0, "b": 1, "c": 2}


def choices(result: Any, score: float | None = None, **setup: Any) -> Parsed | None:
    known = {"from_name": "kind", "tag": "Choices", "classes": THREE, **setup}
    return parse_result(json.dumps(result).encode(), score, Setup(**known))


def boxes(result: Any, score: float | None = None) -> Parsed | None:
    setup = Setup("kind", "RectangleLabels", TWO)
    return parse_result(json.dumps(result).encode(), score, setup)


def region(*labels: str, name: str = "kind", **more: Any) -> dict[str, Any]:
    return {"from_name": name, "value": {"choices": labels, **more.pop("value", {})}, **more}


def box(label: str = "a", **more: Any) -> dict[str, Any]:
    place = {"x": 25, "y": 50, "width": 50, "height": 25, "rectanglelabels": [label]}
    return {"from_name": "kind", "value": {**place, **more.pop("value", {})}, **more}


def test_no_region_is_no_object() -> None:
    assert choices([]) == Parsed(objects=[])
    assert boxes([], 0.5) == Parsed(objects=[], whole=Found(0.5, -1))
    assert boxes([]) == Parsed(objects=[])


def test_regions_of_another_tag_alone_say_nothing() -> None:
    assert choices([region("a", name="other", score=0.5)]) is None


def test_regions_of_another_tag_are_passed_over() -> None:
    result = [region("x", name="other"), region("a", value={"probs": [0.5, 0.25, 0.25]})]
    assert choices(result) == Parsed(vector=[0.5, 0.25, 0.25])


def test_probs_of_the_value_come_before_those_of_meta() -> None:
    result = [region("a", value={"probs": [1, 0, 0]}, meta={"probs": [0, 1, 0]})]
    assert choices(result) == Parsed(vector=[1, 0, 0])


def test_meta_without_probs_is_no_distribution() -> None:
    result = [region("a", score=0.5, meta={"text": ["a note"]})]
    assert choices(result) == Parsed(objects=[Found(0.5, 0)], whole=Found(0.5, 0))


def test_a_class_without_a_name_in_probs_has_none() -> None:
    assert choices([region("a", value={"probs": {"c": 1.0}})]) == Parsed(vector=[0, 0, 1])


def test_scored_choices_that_reach_1_are_a_distribution() -> None:
    result = [region("c", score=0.75), region("a", score=0.25)]
    assert choices(result) == Parsed(vector=[0.25, 0, 0.75])


def test_scored_choices_above_a_threshold_are_objects() -> None:
    result = [region("c", score=0.75), region("a", score=0.5)]
    assert choices(result) == Parsed(objects=[Found(0.75, 2), Found(0.5, 0)])


def test_the_likeliest_choices_leave_the_rest_to_the_others() -> None:
    result = [region("c", score=0.6), region("a", score=0.25)]
    parsed = choices(result)
    assert parsed is not None
    assert parsed.vector == pytest.approx([0.25, 0.15, 0.6])
    several = choices(result, multiple=True)
    assert several == Parsed(objects=[Found(0.6, 2), Found(0.25, 0)])


def test_one_score_of_a_prediction_is_one_confidence_for_all_its_boxes() -> None:
    same, mixed = boxes([box("b"), box("b")], 0.5), boxes([box("a"), box("b")], 0.5)
    assert same is not None
    assert mixed is not None
    assert (same.whole, mixed.whole) == (Found(0.5, 1), Found(0.5, -1))
    assert len(same.objects or ()) == 2
    own = boxes([box("b", score=0.75), box("b")], 0.5)
    assert own is not None
    assert own.whole is None


def test_choices_that_share_a_score_are_objects() -> None:
    assert choices([region("c", "a", score=0.5)]) == Parsed(
        objects=[Found(0.5, 2), Found(0.5, 0)], whole=Found(0.5, -1)
    )


def test_one_choice_of_two_is_a_distribution_unless_several_can_be_chosen() -> None:
    assert choices([region("b")], 0.75, classes=TWO) == Parsed(vector=[0.25, 0.75])
    several = choices([region("b")], 0.75, classes=TWO, multiple=True)
    assert several == Parsed(objects=[Found(0.75, 1)], whole=Found(0.75, 1))


def test_a_choice_without_any_score_has_neither() -> None:
    assert choices([region("a")]) == Parsed()


def test_a_box_is_in_fractions_of_the_image() -> None:
    found = Found(0.5, 1, (0.25, 0.5, 0.75, 0.75))
    assert boxes([box("b", score=0.5)]) == Parsed(objects=[found])


def test_a_box_turned_by_half_lies_left_of_and_above_its_corner() -> None:
    parsed = boxes([box(score=0.5, value={"rotation": 180, "x": 75, "y": 75})])
    assert parsed is not None
    assert parsed.objects is not None
    assert parsed.objects[0].box == pytest.approx((0.25, 0.5, 0.75, 0.75))


def test_a_box_without_a_label_is_of_no_class() -> None:
    parsed = boxes([box(score=0.5, value={"rectanglelabels": []})])
    assert parsed is not None
    assert parsed.objects is not None
    assert parsed.objects[0].class_id == -1


def test_a_box_without_a_label_takes_no_class_from_its_probs() -> None:
    bare = box(value={"rectanglelabels": [], "probs": [0.25, 0.75]})
    assert boxes([bare]) == Parsed()


def test_an_unknown_label_is_named() -> None:
    with pytest.raises(UnknownLabel) as caught:
        boxes([box("z", score=0.5)])
    assert caught.value.label == "z"


@pytest.mark.parametrize(
    "result",
    [
        {},
        ["a"],
        [{"from_name": "kind", "score": 0.5, "value": {}}],
        [box(score="high")],
        [box(score=0.5, value={"x": None})],
        [box(score=0.5, value={"probs": [1.0]})],
        [box(score=0.5, value={"probs": "many"})],
        [box(score=0.5, meta=[1])],
    ],
)
def test_a_region_that_is_not_what_the_tag_makes_is_broken(result: Any) -> None:
    with pytest.raises(BrokenRegion):
        boxes(result)


def test_polygon_is_a_mask_where_the_size_of_the_image_is_known() -> None:
    # The left half of 8 × 4 pixels; then without the size, and a line that encloses nothing.
    half = {"points": [[0, 0], [50, 0], [50, 100], [0, 100]], "polygonlabels": ["a"]}
    size = {"original_width": 8, "original_height": 4}
    line = {**half, "points": half["points"][:2]}
    setup = Setup("kind", "PolygonLabels", TWO)
    results = [
        [{"from_name": "kind", "score": 0.5, "value": value, **more}]
        for value, more in ((half, size), (half, {}), (line, size))
    ]
    found = [parse_result(json.dumps(r).encode(), None, setup).objects[0] for r in results]
    assert coco.area(found[0].mask) == 16
    assert found[0].box == (0, 0, 0.5, 1)
    assert [f.mask for f in found[1:]] == [None, None]
    (true,) = true_labels(json.dumps(results[0]).encode(), setup)
    assert true == found[0]._replace(confidence=1.0)
