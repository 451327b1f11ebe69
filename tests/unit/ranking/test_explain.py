"""Explanations of a rank, on pools small enough to check by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from labelnext.cli import app
from labelnext.errors import NotFound
from labelnext.pool import Objects, Pool
from labelnext.ranking import rank
from labelnext.ranking.explain import explain_item
from labelnext.runs.run import explain

ROWS = [
    {"item_id": "a", "objects": [{"confidence": 0.5, "class": "cat"}]},
    {"item_id": "b", "objects": [{"confidence": 0.9, "class": "cat"}]},
    {
        "item_id": "c",
        "objects": [
            {"confidence": 0.6, "class": "dog"},
            {"confidence": 0.8, "class": "cat"},
            {"confidence": 0.1, "class": "dog"},
        ],
    },
    {"item_id": "d", "objects": None},
]
CONFIG = """
source: {adapter: files, path: pool.jsonl}
acquisition: {name: least_confidence, of: objects, reduce: sum, floor: 0.3, no_objects: last}
selection: {budget: 2}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    path = tmp_path / "labelnext.yaml"
    path.write_text(CONFIG)
    return path


def test_objects_are_listed_with_their_scores_and_whether_they_count(config: Path) -> None:
    why = explain(config, "c")
    assert (why.place, why.n_ranked, why.status) == (1, 3, "rank 1 of 3, in the batch")
    assert why.score == pytest.approx(0.4 + 0.2)
    assert [part["class"] for part in why.parts] == ["cat", "dog", "dog"]
    assert [part["score"] for part in why.parts] == pytest.approx([0.2, 0.4, 0.9])
    assert [part["counts"] for part in why.parts] == [True, True, False]
    assert "reduced by sum, floor 0.3, items without objects last" in why.rule


def test_changes_say_the_edge_of_the_batch_and_what_each_object_adds(config: Path) -> None:
    inside, beyond = explain(config, "c").changes, explain(config, "b").changes
    assert inside == [
        "a score below 0.1 (the first item beyond the batch) would take it out.",
        "without dog 0.60, the score would be 0.2, about rank 2.",
        "without cat 0.80, the score would be 0.4, about rank 2.",
    ]
    assert beyond == ["a score above 0.5 (the last item in the batch) would bring it in."]


LIMITED = "the batch has limits or wishes of its own: the score alone doesn't decide."


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("include: [b]", LIMITED),
        ("quota: {cat: 1}", LIMITED),
        ("exclude: [d]", "a score below 0.1 (the first item beyond the batch) would take it out."),
    ],
)
def test_where_the_batch_has_limits_the_score_alone_does_not_decide(
    config: Path, options: str, says: str
) -> None:
    config.write_text(CONFIG.replace("budget: 2", f"budget: 2, options: {{{options}}}"))
    assert explain(config, "c").changes[0] == says


@pytest.mark.parametrize("item", ["b", "c"])
def test_a_method_that_goes_by_more_than_scores_says_so(config: Path, item: str) -> None:
    config.write_text(CONFIG.replace("budget: 2", "method: stochastic, budget: 2"))
    assert explain(config, item).changes[0] == (
        "stochastic picks a random sample that favours good scores, for a more varied batch: the "
        "score alone doesn't decide."
    )


def test_item_without_a_prediction_says_so(config: Path) -> None:
    why = explain(config, "d")
    assert (why.place, why.score, why.status) == (None, None, "not ranked: no prediction")
    assert why.rule == "no score, as the item has no prediction"
    assert why.parts == []


def test_unknown_item_is_refused(config: Path) -> None:
    with pytest.raises(
        NotFound, match="no item is called 'z'.*the platform's own, or what source.key"
    ):
        explain(config, "z")


def test_labelled_and_unscored_items_say_why_they_are_not_ranked() -> None:
    pool = Pool(["a", "b"], probabilities=[[1, 0], [np.nan, 0]], labels=[0, -1])
    ranking = rank(pool, "margin")
    assert explain_item(pool, ranking, "a").status == "not ranked: already labelled"
    assert "prediction has NaN" in explain_item(pool, ranking, "b").status


def test_classes_of_an_item_are_listed_and_those_of_each_version() -> None:
    pool = Pool(["a"], probabilities=[[0.3, 0.7]], classes=["cat", "dog"])
    why = explain_item(pool, rank(pool, "margin"), "a")
    assert why.parts[0] == {"class": "dog", "probability": 0.7}
    pool = Pool(["a"], probabilities=[[[0.3, 0.7]], [[0.9, 0.1]]], classes=["cat", "dog"])
    why = explain_item(pool, rank(pool, "bald"), "a")
    assert why.parts[0] == {"class": "cat", "version 1": 0.3, "version 2": 0.9}
    assert why.reason == "cat 0.60, dog 0.40; votes: cat 1, dog 1"


def test_a_version_without_a_prediction_has_no_number(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text(
        '{"item_id": "a", "probabilities": [[0.5, 0.5], null]}\n'
        '{"item_id": "b", "probabilities": [[0.25, 0.75], [0.75, 0.25]]}\n'
    )
    config = tmp_path / "labelnext.yaml"
    config.write_text("source: {adapter: files, path: p.jsonl}\nacquisition: {name: bald}\n")
    shown = CliRunner().invoke(app, ["explain", str(config), "a"]).output
    assert "0.5000     -" in shown
    data = CliRunner().invoke(app, ["explain", str(config), "a", "--json"]).output
    assert json.loads(data)["parts"][0] == {"class": "0", "version 1": 0.5, "version 2": None}


def test_an_object_without_a_confidence_has_no_number() -> None:
    bare = Objects([0, 1], [np.nan], class_ids=[0])
    pool = Pool(["a"], objects=bare, classes=["cat"])
    (part,) = explain_item(pool, rank(pool), "a").parts
    assert part == {"class": "cat", "confidence": None, "score": None, "counts": True}
    answer = Pool(["a"], objects=replace(bare, whole_items=True), classes=["cat"])
    assert explain_item(answer, rank(answer), "a").parts == [{"class": "cat", "confidence": None}]


def test_multilabel_item_lists_its_labels() -> None:
    pool = Pool(["a"], probabilities=[[0.2, 0.5]], classes=["cat", "dog"], multilabel=True)
    why = explain_item(pool, rank(pool, "least_confidence"), "a")
    assert [(part["class"], part["probability"], part["score"]) for part in why.parts] == [
        ("dog", 0.5, 0.5),
        ("cat", 0.2, pytest.approx(0.2)),  # 0.8 sure that there is none
    ]


def test_clusters_of_a_committee_are_listed() -> None:
    box = [[0, 0, 0.5, 0.5]]
    first = Objects([0, 1], [1.0], class_ids=[0], boxes=box)
    pool = Pool(["a"], objects=(first, Objects([0, 0], [], class_ids=[], boxes=[])))
    why = explain_item(pool, rank(pool, "committee_certainty"), "a")
    assert why.parts == [
        {
            "class by version": "0, -",
            "semantic": 0.0,
            "spatial": 1.0,
            "occurrence": 0.5,
            "certainty": 0.0,
        }
    ]


def test_weights_stand_beside_the_scores() -> None:
    objects = Objects([0, 2], [0.5, 0.75], class_ids=[0, 1])
    pool = Pool(["a"], objects=objects, classes=["cat", "dog"])
    options = {"reduce": "weighted_sum", "class_weights": {"cat": 2, "dog": 4}}
    ranking = rank(pool, "least_confidence", of="objects", **options)
    why = explain_item(pool, ranking, "a")
    assert [(p["class"], p["score"], p["weight"]) for p in why.parts] == [
        ("dog", 0.25, 4.0),
        ("cat", 0.5, 2.0),
    ]
    assert why.changes[0] == "without cat 0.50, the score would be 1, about rank 1."


def test_command_prints_the_explanation_and_json(config: Path) -> None:
    shown = CliRunner().invoke(app, ["explain", str(config), "c"])
    assert shown.exit_code == 0
    assert "rank 1 of 3, in the batch" in shown.output
    assert "without dog 0.60" in shown.output
    data = CliRunner().invoke(app, ["explain", str(config), "c", "--json"])
    assert json.loads(data.output)["place"] == 1
