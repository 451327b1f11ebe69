"""Of several control tags, the newest prediction of the one that is read counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from labelnext_adapters.label_studio_format.columns import Columns, Said
from labelnext_adapters.label_studio_format.setup import find_setup
from labelnext_adapters.label_studio_format.xml import parse_config

SETUP = (
    '<View><Image name="image" value="$image"/>'
    '<Choices name="kind" toName="image"><Choice value="a"/><Choice value="b"/>'
    '<Choice value="c"/></Choices><RectangleLabels name="box" toName="image">'
    '<Label value="car"/></RectangleLabels></View>'
)
KIND = {
    "from_name": "kind",
    "to_name": "image",
    "type": "choices",
    "value": {"choices": ["a"], "probs": [0.5, 0.3, 0.2]},
}
BOX = {
    "from_name": "box",
    "to_name": "image",
    "type": "rectanglelabels",
    "score": 0.6,
    "value": {"x": 1, "y": 1, "width": 5, "height": 5, "rectanglelabels": ["car"]},
}
Rows = list[tuple[str, list[Any]]]


def taken(tag: str, tasks: dict[int, Rows]) -> Columns:
    """The predictions of tasks, oldest first, as read for a control tag."""
    project = {"parsed_label_config": parse_config(SETUP), "label_config": SETUP}
    columns = Columns(find_setup(project, tag))
    for task, rows in tasks.items():
        for number, (version, regions) in enumerate(rows):
            made = 100.0 * number
            result = json.dumps(regions).encode()
            columns.take(task, number, None, result, version=version, made=made)
    return columns


@pytest.mark.parametrize(
    ("tag", "versions"),
    [("kind", {"k1": [3], "k2": [1, 2]}), ("box", {"b1": [1, 3], "b2": [2]})],
)
def test_a_version_of_another_tag_is_not_the_newest(tag: str, versions: Any) -> None:
    columns = taken(
        tag,
        {
            1: [("b1", [BOX]), ("k1", [KIND]), ("k2", [KIND])],
            2: [("k1", [KIND]), ("k2", [KIND]), ("b2", [])],  # which found nothing
            3: [("k1", [KIND]), ("b1", [BOX]), ("b1", [BOX])],
            4: [("b2", [BOX])],
        },
    )
    assert columns.versions([1, 2, 3]) == versions


def test_what_was_there_before_the_label_is_of_the_tag_too() -> None:
    columns = taken("kind", {1: [("k1", [KIND]), ("b1", [BOX]), ("k2", [KIND]), ("b2", [BOX])]})
    columns.settle({1: Said(150.0, None, 0, False)})
    assert columns.versions([1]) == {"k1": [1]}


def test_a_version_of_both_tags_that_found_no_boxes_is_the_newest() -> None:
    both = [KIND, BOX]
    columns = taken("box", {1: [("m1", both), ("m2", [KIND])], 2: [("m1", both), ("m2", both)]})
    assert columns.versions([1, 2]) == {"m2": [1, 2]}


def test_of_two_records_of_a_version_the_one_of_the_tag_counts() -> None:
    columns = taken("box", {1: [("m1", [BOX]), ("m1", [KIND])]})
    assert columns.content([1], {1: "1"}, []).present.tolist() == [True]


def test_without_any_of_the_tag_the_prediction_is_counted_as_of_others() -> None:
    columns = taken("box", {1: [("k1", [KIND])], 2: [("k1", [KIND]), ("b1", [BOX])]})
    notices: Any = []
    content = columns.content([1, 2], {1: "1", 2: "2"}, notices)
    assert content.present.tolist() == [False, True]
    assert [(n.code, n.item_ids) for n in notices] == [("other_control", ("1",))]
