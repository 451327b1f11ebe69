"""Answers about parts of items: the kind of each box, the text of each line, each page's class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labelnext.ranking import rank
from tests.unit.label_studio_format.test_export import box, read, task

KINDS = "".join(f'<Choice value="k{i:02}"/>' for i in range(30))
CHOICES = f'<Choices name="kind" toName="i" {{}}="true">{KINDS}</Choices>'
PATHS = '<Taxonomy name="kind" toName="i" perRegion="true"><Choice value="k01"/></Taxonomy>'
TEXTS = '<TextArea name="kind" toName="i" perRegion="true"/>'
SCORES = [[0.4], [0.05], [0.9, 0.9], [0.95], [0.09]]  # of the parts of items 1 to 5


def setup(tag: str) -> str:
    boxes = '<RectangleLabels name="b" toName="i"><Label value="cell"/></RectangleLabels>'
    return f'<View><Image name="i" value="$text"/>{boxes}{tag}</View>'


def answers(scores: list[float], kind: str, value: dict[str, Any]) -> list[dict[str, Any]]:
    regions = []
    for number, score in enumerate(scores):
        of_box = box("cell", score=0.99, id=f"r{number}")
        place = {k: v for k, v in of_box["value"].items() if k != "rectanglelabels"}
        answer = {"from_name": "kind", "to_name": "i", "type": kind, "id": f"r{number}"}
        answer |= {"value": place | value, "score": score, "item_index": number}
        regions += [of_box, answer]
    return regions


@pytest.mark.parametrize(
    ("tag", "kind", "value"),
    [
        (CHOICES.format("perRegion"), "choices", {"choices": ["k01"]}),
        (CHOICES.format("perItem"), "choices", {"choices": ["k01"]}),
        (PATHS, "taxonomy", {"taxonomy": [["k01"]]}),
        (TEXTS, "textarea", {"text": ["x"]}),
    ],
)
def test_the_least_sure_answer_about_a_part_comes_first(
    tmp_path: Path, tag: str, kind: str, value: dict[str, Any]
) -> None:
    tasks = [task(i, answers(scores, kind, value)) for i, scores in enumerate(SCORES, 1)]
    pool = read(tmp_path, tasks, setup(tag), from_name="kind")
    # What may be wrong: 0.6, 0.95, 0.1 + 0.1, 0.05 and 0.91.
    assert list(rank(pool).item_ids) == ["2", "5", "1", "3", "4"]


def test_an_answer_of_many_even_probabilities_is_not_below_a_floor(tmp_path: Path) -> None:
    even = [1 / 30] * 30
    sure = [0.71] + [0.01] * 29
    tasks = [
        task(i, answers([max(row)], "choices", {"choices": ["k00"], "probs": row}))
        for i, row in enumerate([sure, even], 1)
    ]
    pool = read(tmp_path, tasks, setup(CHOICES.format("perRegion")), from_name="kind")
    ranking = rank(pool)
    assert (ranking.acquisition, list(ranking.item_ids)) == ("entropy", ["2", "1"])


def test_boxes_still_have_a_floor(tmp_path: Path) -> None:
    tasks = [task(1, [box("cell", score=0.05)]), task(2, [box("cell", score=0.9)])]
    tasks += [task(3, [box("cell", score=0.9), box("cell", score=0.9)])]
    pool = read(tmp_path, tasks, setup(TEXTS), from_name="b")
    assert list(rank(pool).item_ids) == ["3", "2", "1"]


def test_the_tag_whose_regions_have_scores_is_read(tmp_path: Path) -> None:
    # A text reader gives each line's text a score, but not its box and its kind.
    tasks = []
    for number, scores in enumerate([[0.97, 0.95], [0.97, 0.2], [0.7]], 1):
        regions = answers(scores, "textarea", {"text": ["x"]})
        bare = [r | {"score": None} if r["from_name"] == "b" else r for r in regions]
        tasks.append(task(number, bare))
    pool = read(tmp_path, tasks, setup(TEXTS))
    assert list(rank(pool).item_ids) == ["2", "3", "1"]
    (said,) = [n.message for n in pool.notices if n.code == "only_predicted"]
    assert said.startswith(
        "Reading control tag 'kind', because there are no scored predictions of b;"
    )


def test_answers_about_spans_of_a_text_go_by_their_mean(tmp_path: Path) -> None:
    # Twelve spans that are 0.97 sure sum to more doubt, 0.36, than two of 0.8 and 0.9.
    tag = f'<Choices name="kind" toName="t" perRegion="true">{KINDS}</Choices>'
    labels = '<Labels name="b" toName="t"><Label value="cell"/></Labels>'
    text = f'<View><Text name="t" value="$text"/>{labels}{tag}</View>'
    tasks = []
    for number, scores in enumerate([[0.97] * 12, [0.8, 0.9], [0.05]], 1):
        of_boxes = answers(scores, "choices", {"choices": ["k01"]})
        place = {"choices": ["k01"], "start": 0, "end": 2, "text": "xy"}
        spans = [r | {"to_name": "t", "value": place} for r in of_boxes if r["from_name"] == "kind"]
        tasks.append(task(number, spans))
    pool = read(tmp_path, tasks, text, from_name="kind")
    assert list(rank(pool).item_ids) == ["3", "2", "1"]
    assert list(rank(read(tmp_path, tasks, None)).item_ids) == ["3", "2", "1"]
