"""Several model versions in plain files: a column each, or lists in one column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import labelnext
from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput
from labelnext.pool import Pool

COLUMNS = {"probabilities": ["probabilities_old", "new"]}
CAR = {"confidence": 0.5, "class": "car", "box": [0, 0, 1, 1]}
BUS = {"confidence": 0.25, "class": "bus", "box": [0, 0, 1, 0.5]}


def read(folder: Path, *rows: object, **source: Any) -> Pool:
    (folder / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return open_adapter("files", directory=folder, path="p.jsonl", **source).read()


def test_a_list_of_vector_columns_is_a_committee_with_the_names_of_the_columns(
    tmp_path: Path,
) -> None:
    pool = read(
        tmp_path,
        {"item_id": "a", "probabilities_old": [1, 0], "new": [0.5, 0.5]},
        {"item_id": "b", "probabilities_old": None, "new": [0.25, 0.75]},
        {"item_id": "c", "probabilities_old": None, "new": None},
        columns=COLUMNS,
    )
    assert pool.probabilities is not None
    assert pool.probabilities[:, 0].tolist() == [[1, 0], [0.5, 0.5]]
    assert np.isnan(pool.probabilities[0, 1:]).all()
    assert pool.versions == ("old", "new")
    assert pool.missing.tolist() == [False, False, True]
    assert [(n.code, n.item_ids) for n in pool.notices] == [("missing_members", ("b",))]


def test_versions_may_give_their_probabilities_by_class(tmp_path: Path) -> None:
    rows = [{"item_id": "a", "probabilities_old": {"x": 1, "y": 0}, "new": {"x": 0.5, "y": 0.5}}]
    pool = read(tmp_path, *rows, columns=COLUMNS)
    assert pool.classes == ("x", "y")
    assert pool.n_classes == 2
    other = {"item_id": "a", "probabilities_old": {"x": 1, "y": 0}, "new": {"x": 0.5, "z": 0.5}}
    with pytest.raises(InvalidInput, match="same classes in all model versions; got x, y and x, z"):
        read(tmp_path, other, columns=COLUMNS)


def test_versions_of_another_width_are_refused(tmp_path: Path) -> None:
    row = {"item_id": "a", "probabilities_old": [1, 0], "new": [0.5, 0.25, 0.25]}
    with pytest.raises(InvalidInput, match="same classes in all model versions; got 2 .*and 3 "):
        read(tmp_path, row, columns=COLUMNS)


def test_a_version_without_any_prediction_has_no_say(tmp_path: Path) -> None:
    row = {"item_id": "a", "probabilities_old": None, "new": [0.5, 0.5]}
    pool = read(tmp_path, row, columns=COLUMNS)
    assert pool.probabilities is not None
    assert pool.probabilities.shape == (2, 1, 2)
    assert np.isnan(pool.probabilities[0]).all()


def test_a_list_of_number_columns_is_still_one_vector(tmp_path: Path) -> None:
    columns = {"probabilities": ["yes", "no"]}
    pool = read(tmp_path, {"item_id": "a", "yes": 0.75, "no": 0.25}, columns=columns)
    assert pool.probabilities is not None
    assert pool.probabilities.tolist() == [[0.75, 0.25]]
    assert pool.versions is None


def test_lists_in_one_column_are_what_each_version_said(tmp_path: Path) -> None:
    pool = read(
        tmp_path,
        {"item_id": "a", "probabilities": [[1, 0], [0.5, 0.5]]},
        {"item_id": "b", "probabilities": [None, [0.25, 0.75]]},
        {"item_id": "c", "probabilities": None},
    )
    assert pool.probabilities is not None
    assert pool.probabilities[:, 0].tolist() == [[1, 0], [0.5, 0.5]]
    assert np.isnan(pool.probabilities[0, 1]).all()
    assert pool.version_names == ("1", "2")
    assert pool.missing.tolist() == [False, False, True]
    one = {"item_id": "a", "probabilities": [[1, 0]]}
    with pytest.raises(
        InvalidInput, match="the same number of model versions for all items; got 2 and 1 for"
    ):
        read(tmp_path, one, {"item_id": "b", "probabilities": [[1, 0], [1, 0]]})


@pytest.mark.parametrize("nested", [True, False])
def test_objects_of_versions_are_a_committee(tmp_path: Path, nested: bool) -> None:
    seen = [[[CAR], [CAR, BUS]], [[], [BUS]], [None, []], [None, None]]
    rows: list[dict[str, Any]] = []
    for name, (old, new) in zip("abcd", seen, strict=True):
        both = {"objects": [old, new]} if nested else {"old": old, "new": new}
        rows.append({"item_id": name, **both})
    rows[3] = {"item_id": "d"} if nested else rows[3]
    columns = {} if nested else {"objects": ["old", "new"]}
    pool = read(tmp_path, *rows, columns=columns, classes=["bus", "car"])
    assert isinstance(pool.objects, tuple)
    first, second = pool.objects
    assert first.counts.tolist() == [1, 0, 0, 0]
    assert second.counts.tolist() == [2, 1, 0, 0]
    assert second.class_ids is not None
    assert second.class_ids.tolist() == [1, 0, 0]
    assert first.missing is not None
    assert first.missing.tolist() == [False, False, True, True]
    assert pool.missing.tolist() == [False, False, False, True]
    assert pool.version_names == (("1", "2") if nested else ("old", "new"))


def test_a_committee_in_a_side_file_needs_no_columns(tmp_path: Path) -> None:
    # Both versions are sure of b; of a they are of two minds: ln 2 nats.
    (tmp_path / "items.csv").write_text("item_id\na\nb\n")
    rows = [[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [1.0, 0.0]]]
    pq.write_table(
        pa.table({"item_id": ["a", "b"], "probabilities": rows}), tmp_path / "side.parquet"
    )
    side = {"file": str(tmp_path / "side.parquet")}
    report = labelnext.run(
        {
            "source": {
                "adapter": "files",
                "path": str(tmp_path / "items.csv"),
                "predictions": side,
            },
            "acquisition": {"name": "bald"},
            "write": {"output": str(tmp_path / "ranking.csv")},
            "state": str(tmp_path / "state"),
            "report": {"path": None},
        }
    )
    assert report.ranking.item_ids.tolist() == ["a", "b"]
    assert report.ranking.scores == pytest.approx([np.log(2), 0])


def test_independent_classes_need_not_sum_to_one(tmp_path: Path) -> None:
    row = {"item_id": "a", "probabilities": [0.75, 0.75]}
    assert read(tmp_path, row, multilabel=True).multilabel
    with pytest.raises(InvalidInput, match="sum to 1"):
        read(tmp_path, row)


def test_a_column_that_is_one_is_not_given_as_a_list(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"columns\.label must be one name; got a, b"):
        read(tmp_path, {"item_id": "x", "a": 1, "b": 2}, columns={"label": ["a", "b"]})
    with pytest.raises(InvalidInput, match=r"columns\.objects must exist; got gone"):
        read(tmp_path, {"item_id": "x"}, columns={"objects": ["gone"]})
