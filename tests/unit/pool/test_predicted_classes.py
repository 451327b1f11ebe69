"""The report, quotas, the batch and the history agree on the class of an item."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import labelnext
from labelnext.config import load_config
from labelnext.quality.stopping import snapshots
from tests.unit.runs.large.test_job import settings, spread

CLASSES = ["cat", "dog"]
VECTORS = pa.list_(pa.float64())


def answers(
    tmp_path: Path,
    files: int,
    values: dict[str, Any],
    *,
    acquisition: str,
    quota: dict[str, int],
    budget: int,
    **source: Any,
) -> dict[str, Any]:
    """What a run of items a, b, c … says of their classes, in all places that say something.

    One file is read into memory, and several are ranked in parts.
    """
    n_items = len(next(iter(values.values())))
    names = [chr(ord("a") + row) for row in range(n_items)]
    table = pa.table({"item_id": names, "url": [f"http://h/{name}" for name in names], **values})
    path = spread(table, tmp_path / "data", files)
    if files == 1:
        (path,) = path.iterdir()
    read = {"adapter": "files", "path": str(path), "classes": CLASSES, **source}
    config = settings(
        tmp_path,
        path,
        source=read,
        acquisition={"name": acquisition},
        selection={"budget": budget, "options": {"quota": quota}},
        write={"output": str(tmp_path / ("ranking.parquet" if files == 1 else "ranking"))},
    )
    report = labelnext.run(config)
    adapter: Any = load_config(config).open_adapter()
    (seen,) = snapshots(tmp_path / "state" / "history")
    return {
        "report": {row["class"]: (row["pool"], row["batch"]) for row in report.classes or ()},
        "short": [n.message for n in report.notices if n.code == "quota"],
        "batch": {
            item.item_id: None if item.marks is None else [mark.label for mark in item.marks]
            for item in adapter.batch("labelnext").items
        },
        "history": dict(zip(seen.item_ids.tolist(), seen.predicted.tolist(), strict=True)),
    }


@pytest.mark.parametrize("files", [1, 2])
def test_an_item_that_one_version_lacks_is_of_the_class_that_the_other_says(
    tmp_path: Path, files: int
) -> None:
    values = {
        "v1": pa.array([[0.1, 0.9], [0.25, 0.75], [0.9, 0.1], None], VECTORS),
        "v2": pa.array([[0.3, 0.7], None, [0.7, 0.3], None], VECTORS),
    }
    assert answers(
        tmp_path,
        files,
        values,
        acquisition="consensus_entropy",
        quota={"dog": 2},
        budget=3,
        columns={"probabilities": ["v1", "v2"], "media": "url"},
    ) == {
        "report": {"cat": (1, 1), "dog": (2, 2)},
        "short": [],
        "batch": {"a": ["dog"], "b": ["dog"], "c": ["cat"]},
        "history": {"a": 1, "b": 1, "c": 0, "d": -1},
    }


@pytest.mark.parametrize("files", [1, 2])
def test_the_mean_of_two_members_of_three_decides(tmp_path: Path, files: int) -> None:
    # Of b: (0.2 + 0.6)/2 = 0.4 for cat, 0.6 for dog, though the newest member says cat.
    values = {
        "v1": pa.array([[0.2, 0.8], [0.2, 0.8], [0.9, 0.1]], VECTORS),
        "v2": pa.array([[0.3, 0.7], None, [0.7, 0.3]], VECTORS),
        "v3": pa.array([[0.4, 0.6], [0.6, 0.4], [0.8, 0.2]], VECTORS),
    }
    assert answers(
        tmp_path,
        files,
        values,
        acquisition="bald",
        quota={"dog": 2},
        budget=2,
        columns={"probabilities": ["v1", "v2", "v3"], "media": "url"},
    ) == {
        "report": {"cat": (1, 0), "dog": (2, 2)},
        "short": [],
        "batch": {"a": ["dog"], "b": ["dog"]},
        "history": {"a": 1, "b": 1, "c": 0},
    }


@pytest.mark.parametrize("files", [1, 2])
def test_independent_labels_are_counted_by_the_likeliest_and_are_no_class(
    tmp_path: Path, files: int
) -> None:
    values = {"probabilities": [[0.9, 0.8], [0.3, 0.6], [0.7, 0.1]]}
    assert answers(
        tmp_path,
        files,
        values,
        acquisition="entropy",
        quota={"dog": 1},
        budget=2,
        multilabel=True,
        columns={"media": "url"},
    ) == {
        "report": {"cat": (2, 1), "dog": (1, 1)},
        "short": [],
        # entropy 0.673 + 0.611 of b, 0.611 + 0.325 of c; shown are classes from 0.5 on
        "batch": {"b": ["dog"], "c": ["cat"]},
        "history": {"a": -1, "b": -1, "c": -1},
    }


@pytest.mark.parametrize("files", [1, 2])
def test_objects_are_those_of_the_newest_version_that_has_predicted_the_item(
    tmp_path: Path, files: int
) -> None:
    def box(name: str, confidence: float) -> dict[str, Any]:
        return {"confidence": confidence, "class": name, "box": [0.0, 0.0, 0.5, 1.0]}

    values = {
        "v1": [[box("dog", 0.9)], [box("cat", 0.5), box("dog", 0.75)], [box("cat", 0.75)], None],
        "v2": [[box("cat", 0.5)], None, [], None],
    }
    assert answers(
        tmp_path,
        files,
        values,
        acquisition="committee_certainty",
        quota={"cat": 1, "dog": 1},
        budget=3,
        columns={"objects": ["v1", "v2"], "media": "url"},
    ) == {
        "report": {"cat": (2, 2), "dog": (1, 1)},
        "short": [],
        "batch": {"a": ["cat"], "b": ["cat", "dog"], "c": []},
        "history": {"a": -1, "b": -1, "c": -1, "d": -1},
    }
