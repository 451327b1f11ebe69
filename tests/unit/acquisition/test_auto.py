"""What auto scores a pool by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import labelnext
from labelnext.acquisition import auto_acquisition
from labelnext.errors import InvalidInput
from labelnext.pool import Objects, Pool
from labelnext.ranking import rank

ROWS = [[0.9, 0.1], [0.4, 0.6]]
OF_PARTS = {"reduce": "sum", "floor": 0.0, "no_objects": "last"}
BOXES = Objects([0, 1, 3], [0.9, 0.5, 0.05], class_ids=[0, 0, 1])
ANSWERS = Objects([0, 1, 2], [0.9, 0.05], class_ids=[0, 1], whole_items=True)
TRUTH = Objects([0, 1, 1], [1.0], class_ids=[0])


@pytest.mark.parametrize(
    ("columns", "name", "of", "options"),
    [
        ({"probabilities": ROWS}, "margin", "items", {}),
        ({"probabilities": ROWS, "objects": BOXES}, "margin", "items", {}),
        ({"probabilities": ROWS, "multilabel": True}, "entropy", "items", {"reduce": "sum"}),
        ({"probabilities": [ROWS, ROWS]}, "bald", "items", {}),
        ({"objects": ANSWERS}, "least_confidence", "items", {}),
        ({"objects": (ANSWERS, ANSWERS)}, "least_confidence", "items", {}),
        (
            {"objects": BOXES},
            "entropy",
            "objects",
            {"reduce": "sum", "floor": 0.1, "no_objects": "last"},
        ),
        (
            {"objects": BOXES, "truth": TRUTH, "labelled": [True, False]},
            "entropy",
            "objects",
            {"reduce": "weighted_sum", "floor": 0.1, "no_objects": "last"},
        ),
        (
            {"objects": (BOXES, BOXES)},
            "committee_certainty",
            "objects",
            {"reduce": "min", "no_objects": "last"},
        ),
        (
            {"objects": Objects([0, 1, 3], [0.9, 0.5, 0.05], class_ids=[0, 0, 1], answers=True)},
            "least_confidence",
            "objects",
            OF_PARTS,
        ),
        (
            {"objects": Objects([0, 1, 1], [0.9], probabilities=[[0.9, 0.1]], answers=True)},
            "entropy",
            "objects",
            OF_PARTS,
        ),
        ({"embeddings": np.eye(2)}, None, None, {}),
    ],
)
def test_auto_takes_what_suits_the_pool(
    columns: dict[str, Any], name: str | None, of: str | None, options: dict[str, Any]
) -> None:
    choice = auto_acquisition(Pool(["a", "b"], **columns))
    assert (choice.name, choice.of, choice.options) == (name, of, options)


def test_answers_about_parts_are_doubtful_over_the_whole_range() -> None:
    # Of 30 kinds, 0.05 is the least sure answer: what may be wrong is 0.95, 0.2, 0.1 + 0.1, 0.05.
    found = Objects([0, 1, 2, 4, 5], [0.05, 0.8, 0.9, 0.9, 0.95], answers=True)
    pool = Pool(["odd", "fair", "two", "sure"], objects=found)
    assert list(rank(pool).item_ids) == ["odd", "fair", "two", "sure"]
    part = found.where(np.array([True, False, True, False, True])).take(np.array([3, 0]))
    assert list(rank(Pool(["sure", "odd"], objects=part)).item_ids) == ["odd", "sure"]


def test_auto_scores_objects_where_they_are_asked_for() -> None:
    both = Pool(["a", "b"], probabilities=ROWS, objects=BOXES)
    assert rank(both, of="objects").acquisition == "entropy"
    assert rank(both).acquisition == "margin"


def test_auto_weighs_boxes_by_the_labels_of_their_classes() -> None:
    # One labelled box of class 0, none of class 1: weights (1 + 2)/2 and (1 + 2)/1. Binary
    # entropies: of 0.5 ln 2, of 0.8 and 0.2 both 0.5004; the box of 0.05 is below the floor.
    found = Objects([0, 0, 1, 3, 4], [0.5, 0.8, 0.05, 0.2], class_ids=[0, 0, 1, 1])
    truth = Objects([0, 1, 1, 1, 1], [1.0], class_ids=[0])
    pool = Pool(
        ["labelled", "half", "sure", "rare"],
        objects=found,
        truth=truth,
        labelled=[True, False, False, False],
        classes=["often", "rare"],
    )
    ranking = rank(pool)
    assert ranking.item_ids.tolist() == ["rare", "half", "sure"]
    assert ranking.scores == pytest.approx([3 * 0.50040, 1.5 * 0.69315, 1.5 * 0.50040], abs=1e-4)


def test_auto_says_in_a_notice_what_it_chose() -> None:
    notices = rank(Pool(["a", "b"], objects=BOXES)).notices
    assert [notice.message for notice in notices] == [
        "auto chose entropy of objects (reduce sum, floor 0.1, no_objects last): "
        "items with many uncertain objects teach most."
    ]
    assert rank(Pool(["a", "b"], probabilities=ROWS)).notices == ()


def test_options_beside_auto_count() -> None:
    empty = Pool(["a", "b"], objects=Objects([0, 0, 1], [0.5], class_ids=[0]))
    assert rank(empty).item_ids.tolist() == ["b", "a"]
    assert rank(empty, no_objects="first").item_ids.tolist() == ["a", "b"]


def test_nothing_to_score_is_refused_where_a_score_is_needed() -> None:
    pool = Pool(["a", "b"], embeddings=np.eye(2))
    with pytest.raises(InvalidInput, match="top_k needs predictions, but the pool has neither"):
        rank(pool)
    ranking = rank(pool, selection="k_center")
    assert ranking.acquisition is None
    assert "auto chose no acquisition function" in ranking.notices[0].message


def boxes(folder: Path) -> Path:
    rows = [
        {"item_id": "mean", "objects": [{"confidence": 0.5, "class": "car"}]},
        {"item_id": "sum", "objects": [{"confidence": 0.7, "class": "car"}] * 2},
        {"item_id": "faint", "objects": [{"confidence": 0.09, "class": "car"}] * 9},
        {"item_id": "none", "objects": []},
    ]
    (folder / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "labelnext.yaml"


def test_a_configuration_without_acquisition_ranks_boxes(tmp_path: Path) -> None:
    config = boxes(tmp_path)
    source = "source: {adapter: files, path: p.jsonl}\nreport: {path: null}\n"
    config.write_text(source)
    report = labelnext.run(config)
    assert report.ranking.item_ids.tolist() == ["sum", "mean", "faint", "none"]
    assert report.counts["below the floor"] == 1
    config.write_text(f"{source}acquisition: {{floor: 0, no_objects: first}}\n")
    assert labelnext.run(config).ranking.item_ids.tolist() == ["none", "faint", "sum", "mean"]


def test_a_named_function_keeps_the_mean_of_the_founding_document(tmp_path: Path) -> None:
    config = boxes(tmp_path)
    config.write_text(
        "source: {adapter: files, path: p.jsonl}\nacquisition: {name: entropy, of: objects}\n"
    )
    report = labelnext.run(config)
    assert report.ranking.item_ids.tolist() == ["none", "mean", "sum", "faint"]
    assert report.ranking.scores[1:] == pytest.approx([0.69315, 0.61086, 0.30254], abs=1e-4)


def test_explain_speaks_of_what_auto_chose(tmp_path: Path) -> None:
    config = boxes(tmp_path)
    config.write_text("source: {adapter: files, path: p.jsonl}\n")
    why = labelnext.runs.run.explain(config, "faint")
    assert "objects reduced by sum, floor 0.1, items without objects last" in why.rule
    assert not any(part["counts"] for part in why.parts)
