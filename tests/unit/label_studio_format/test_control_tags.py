"""Which control tag counts where the labelling setup has several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labelnext.errors import InvalidInput
from labelnext_adapters.label_studio_format.setup import find_setup, only_predicted_notice
from tests.unit.label_studio_format.test_export import box, choice, read, task
from tests.unit.label_studio_format.test_kinds import CARS

TEXTS = CARS.replace("</View>", '<TextArea name="t" toName="i"/></View>')
KINDS = '<Choices name="kind" toName="i"><Choice value="a"/></Choices>'
ONE_OF_TWO = CARS.replace("</View>", KINDS)


@pytest.mark.parametrize(
    ("setup", "regions", "tag"),
    [
        (f"{ONE_OF_TWO}</View>", [box("car", score=0.5)], "b"),
        (f"{ONE_OF_TWO}</View>", [{**choice("a", score=0.5), "to_name": "i"}], "kind"),
        (TEXTS, [text_answer := {"from_name": "t", "to_name": "i", "type": "textarea"}], "t"),
        (TEXTS, [box("car", score=0.5), text_answer], None),  # the boxes, as ever
    ],
)
def test_the_only_control_tag_with_predictions_is_read(
    tmp_path: Path, setup: str, regions: list[dict[str, Any]], tag: str | None
) -> None:
    filled = [{"value": {"text": ["x"]}, "score": 0.5, **region} for region in regions]
    pool = read(tmp_path, [task(1, filled), task(2, [])], setup)
    assert not pool.missing[0]
    said = [n.message for n in pool.notices if n.code == "only_predicted"]
    assert [f"control tag {tag!r}" in text for text in said] == ([] if tag is None else [True])


def test_a_tag_that_has_predictions_is_not_said_to_have_none(tmp_path: Path) -> None:
    setup = TEXTS.replace("</View>", f"{KINDS}</View>")
    text = {"from_name": "t", "to_name": "i", "type": "textarea", "value": {"text": ["x"]}}
    pool = read(tmp_path, [task(1, [box("car", score=0.5), text])], setup)
    (said,) = [n.message for n in pool.notices if n.code == "only_predicted"]
    assert said.startswith(
        "Reading control tag 'b', because there are no scored predictions of kind; "
    )


def test_where_only_the_first_tasks_are_looked_at_the_notice_says_so() -> None:
    tags = {name: {"type": "RectangleLabels", "to_name": ["i"]} for name in "xy"}
    said = only_predicted_notice({"parsed_label_config": tags}, "y", 100).message
    assert "no scored predictions of x in the first 100 tasks that have any; set" in said


def test_predictions_of_a_tag_that_is_not_read_are_named(tmp_path: Path) -> None:
    said = {"from_name": "chat", "to_name": "chat", "type": "chatmessage", "value": {}}
    with pytest.raises(InvalidInput, match=r"can be read; got chat \(chatmessage\)\..* b, kind\."):
        read(tmp_path, [task(1, [said])], f"{ONE_OF_TWO}</View>")


def test_of_two_control_tags_with_predictions_one_must_be_named(tmp_path: Path) -> None:
    both = [box("car", score=0.5), {**choice("a", score=0.5), "to_name": "i"}]
    with pytest.raises(InvalidInput, match=r"source\.from_name must be one of .* b, kind"):
        read(tmp_path, [task(1, both)], f"{ONE_OF_TWO}</View>")


@pytest.mark.parametrize(
    ("dynamic", "why", "cure"),
    [
        (True, "; they come from each task's data.", "can be ranked, but not written or fetched"),
        (False, "; it has none.", "add them in the project's Settings"),
    ],
)
def test_a_tag_without_labels_is_refused_with_its_cure(dynamic: bool, why: str, cure: str) -> None:
    tag = {"type": "Choices", "to_name": ["i"], "labels": [], "dynamic_labels": dynamic}
    with pytest.raises(InvalidInput, match="must list its labels") as caught:
        find_setup({"parsed_label_config": {"c": tag}, "label_config": ""}, None)
    assert caught.value.message.endswith(why)
    assert cure in (caught.value.hint or "")
