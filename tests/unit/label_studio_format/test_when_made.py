"""A label is compared with the prediction that was there when it was made."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

import labelnext
from labelnext.pool import Pool
from labelnext_adapters.label_studio_format.columns import Columns, Said
from labelnext_adapters.label_studio_format.setup import find_setup
from labelnext_adapters.label_studio_format.xml import derived_tags
from tests.unit.label_studio_format.test_export import choice, read, task

BEFORE, AFTER, LABELLED = "2026-01-01T08:00:00Z", "2026-01-03T08:00:00Z", "2026-01-02T08:00:00Z"
DOUBTED = [choice("good", value={"probs": [0.5, 0.25, 0.25]})]
LEARNED = [choice("good", value={"probs": [1.0, 0.0, 0.0]})]


def labelled(number: int, *dates: str, said: Any = None, **more: Any) -> dict[str, Any]:
    """A task with a label; predictions from before it are in doubt, later ones have learned it."""
    found = task(number)
    found["predictions"] = [
        {
            "id": 10 * number + i,
            "model_version": f"m{i}",
            "created_at": date,
            "result": DOUBTED if date < LABELLED else LEARNED,
        }
        for i, date in enumerate(dates)
    ]
    said = [choice("good")] if said is None else said
    found["annotations"] = [{"id": number, "result": said, "created_at": LABELLED, **more}]
    return found


def told(pool: Pool) -> dict[str, tuple[str, ...]]:
    notices = {n.code: n.item_ids for n in pool.notices if n.code.endswith("_predictions")}
    notices.pop("old_predictions", None)  # compares the newest of all with the newest label
    return notices


@pytest.mark.parametrize("dates", [(BEFORE, AFTER), (AFTER, BEFORE)])
def test_the_prediction_from_before_the_label_counts(tmp_path: Path, dates: Any) -> None:
    new = {**labelled(2, BEFORE, AFTER), "annotations": []}
    pool: Any = read(tmp_path, [labelled(1, *dates), new])
    assert pool.probabilities.tolist() == [[0.5, 0.25, 0.25], [1, 0, 0]]
    assert told(pool) == {"earlier_predictions": ("1",)}


def test_a_label_without_an_earlier_prediction_is_said(tmp_path: Path) -> None:
    pool: Any = read(tmp_path, [labelled(1, AFTER), labelled(2, BEFORE)])
    assert pool.probabilities[:, 0].tolist() == [1, 0.5]
    assert told(pool) == {"in_sample_predictions": ("1",)}
    assert told(read(tmp_path, [labelled(1, BEFORE, AFTER)], model_version="m1")) == {
        "in_sample_predictions": ("1",)
    }


def test_what_was_imported_together_has_no_order(tmp_path: Path) -> None:
    together = labelled(1, LABELLED.replace("08:00:00", "08:00:05"))
    assert told(read(tmp_path, [together])) == {}


def test_rounds_that_take_seconds_have_an_order(tmp_path: Path) -> None:
    shortly = [LABELLED.replace("T08:00:00", at) for at in ("T07:59:55", "T08:00:05")]
    pool: Any = read(tmp_path, [labelled(1, *shortly)])
    assert pool.probabilities.tolist() == [[0.5, 0.25, 0.25]]
    assert told(pool) == {"earlier_predictions": ("1",)}


def test_labels_without_a_date_leave_the_newest(tmp_path: Path) -> None:
    undated = labelled(1, BEFORE, AFTER, created_at=None)
    pool: Any = read(tmp_path, [undated])
    assert pool.probabilities[0, 0] == 1
    assert told(pool) == {}


def test_accepted_predictions_are_told_from_labels_made_afresh(tmp_path: Path) -> None:
    untouched = [choice("good", origin="prediction")]
    pool = read(
        tmp_path,
        [
            labelled(1, BEFORE, said=untouched, parent_prediction=10),
            labelled(2, BEFORE, said=DOUBTED, parent_prediction=20),
            labelled(3, BEFORE, said=[choice("bad")], parent_prediction=30),
            labelled(4, BEFORE, said=DOUBTED),
        ],
    )
    assert told(pool) == {"accepted_predictions": ("1", "2")}


def test_the_figures_of_a_report_say_so(tmp_path: Path) -> None:
    late = [labelled(n, AFTER) for n in range(1, 61)]
    read(tmp_path, [*late, labelled(61, BEFORE), task(62, LEARNED)])
    config = {
        "source": {
            "adapter": "files",
            "path": str(tmp_path / "export.json"),
            "label_config": str(tmp_path / "setup.xml"),
        },
        "write": {"output": str(tmp_path / "ranking.csv")},
        "report": {"path": None},
        "state": str(tmp_path / "state"),
    }
    report = labelnext.run(config, dry_run=True)
    assert "better than it is: 60 labels came before their prediction, or from it" in str(report)
    assert "better than they are: 60 labels came before" in report.to_html()


def test_columns_settle_anew_when_labels_and_predictions_change() -> None:
    tags, _ = derived_tags([json.dumps([choice(c)]).encode() for c in ("good", "bad", "odd")])
    columns = Columns(find_setup({"parsed_label_config": tags, "label_config": ""}, None))
    take = functools.partial(columns.take, score=None)
    for number, (made, regions) in enumerate([(1.0, DOUBTED), (200.0, LEARNED)]):
        take(7, number, result=json.dumps(regions).encode(), version=f"m{number}", made=made)
    take(8, 2, result=json.dumps(LEARNED).encode(), version="m1", made=300.0)
    assert columns.tally() == {"m0": (1, 1.0), "m1": (2, 300.0)}

    def used() -> Any:
        return columns.versions([7, 8])

    assert used() == {"m1": [7, 8]}
    columns.settle({7: Said(100.0, None, 0, False)})
    assert used() == {"m0": [7], "m1": [8]}
    columns.settle({7: Said(300.0, None, 0, False)})  # labelled again, after both
    assert used() == {"m1": [7, 8]}
    columns.settle({})  # the label was deleted
    assert used() == {"m1": [7, 8]}
    columns.forget(7)
    assert (columns.tally(), used()) == ({"m1": (1, 300.0)}, {"m1": [8]})
    take(7, 5, result=json.dumps(DOUBTED).encode(), version="m0", made=50.0)
    columns.settle({7: Said(100.0, None, 0, False)})
    assert used() == {"m0": [7], "m1": [8]}
