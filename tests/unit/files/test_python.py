"""Pool.from_…: objects in memory are read like files."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from labelnext import Pool, rank
from labelnext.errors import ConfigError, InvalidInput, NotFound

WIDE = {"cat": [0.9, 0.6], "dog": [0.1, 0.4]}


def test_from_pandas_takes_the_index_where_no_column_has_ids() -> None:
    pool = Pool.from_pandas(pd.DataFrame(WIDE, index=["007", "1e5"]))
    assert pool.item_ids.tolist() == ["007", "1e5"]
    assert pool.mean_probabilities.tolist() == [[0.9, 0.1], [0.6, 0.4]]
    assert Pool.from_pandas(pd.DataFrame(WIDE)).item_ids.tolist() == ["0", "1"]


def test_from_pandas_takes_columns_and_named_indices() -> None:
    frame = pd.DataFrame({"name": ["a", "b"], **WIDE})
    assert Pool.from_pandas(frame, key="name").item_ids.tolist() == ["a", "b"]
    assert Pool.from_pandas(frame.set_index("name"), key="name").item_ids.tolist() == ["a", "b"]
    wrong = pd.DataFrame({"item_id": ["a", "b"], "pred": pd.Categorical(["x", "y"]), "conf": 0.5})
    assert Pool.from_pandas(wrong).classes == ("x", "y")


def test_from_arrow_takes_tables_batches_and_the_stream_interface() -> None:
    table = pa.table({"item_id": [1, 2], **WIDE})
    stream = SimpleNamespace(__arrow_c_stream__=table.__arrow_c_stream__)
    frames = (table, table.to_batches()[0], stream, pd.DataFrame({"item_id": [1, 2], **WIDE}))
    for one in frames:
        assert Pool.from_arrow(one).item_ids.tolist() == ["1", "2"]


def test_from_polars_takes_eager_and_lazy_frames() -> None:
    eager = SimpleNamespace(to_arrow=lambda: pa.table({"item_id": ["a", "b"], **WIDE}))
    lazy = SimpleNamespace(collect=lambda: eager)
    for frame in (eager, lazy):
        assert rank(Pool.from_polars(frame)).item_ids.tolist() == ["b", "a"]


class FakeDataset:
    """What is read of `datasets.Dataset`."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.features = SimpleNamespace(arrow_schema=table.schema)

    def with_format(self, name: str) -> FakeDataset:
        assert name == "arrow"
        return self

    def __getitem__(self, rows: slice) -> pa.Table:
        return self.table[rows]


def dataset() -> FakeDataset:
    features = {"prediction": {"names": ["dog", "cat", "bird"], "_type": "ClassLabel"}}
    table = pa.table(
        {"file": ["a", "b", "c"], "prediction": [0, 2, 1], "confidence": [0.4, 0.2, 0.9]}
    )
    stored = json.dumps({"info": {"features": features}})
    return FakeDataset(table.replace_schema_metadata({"huggingface": stored}))


def test_from_huggingface_takes_data_sets_least_confident_first() -> None:
    pool = Pool.from_huggingface(dataset())
    assert rank(pool).item_ids.tolist() == ["b", "a", "c"]
    assert pool.classes == ("dog", "cat", "bird")
    assert pool.answer.class_ids.tolist() == [0, 2, 1]


def test_from_huggingface_wants_one_split() -> None:
    with pytest.raises(InvalidInput, match="must get one split; got train"):
        Pool.from_huggingface({"train": dataset()})


def test_from_huggingface_takes_outputs_with_numbers_of_numpy() -> None:
    outputs = [{"label": "x", "score": np.float32(0.25)}, {"label": "y", "score": np.float32(0.75)}]
    pool = Pool.from_huggingface([[one] for one in outputs], ids=["a", Path("b.png")])
    assert rank(pool).item_ids.tolist() == ["a", "b.png"]
    by_id = {"u": [{"label": "x", "score": 0.5}, {"label": "y", "score": 0.5}]}
    assert Pool.from_huggingface(by_id).item_ids.tolist() == ["u"]
    with pytest.raises(InvalidInput, match="ids must be one for each of the 1 output; got 2"):
        Pool.from_huggingface([[outputs[0]]], ids=["a", "b"])


def detections(scores: list[float] | None) -> SimpleNamespace:
    n = len(scores or [])
    return SimpleNamespace(
        xyxy=np.array([[0, 0, 5, 5]] * n, dtype=np.float32).reshape(n, 4),
        confidence=None if scores is None else np.array(scores, dtype=np.float32),
        class_id=np.zeros(n, dtype=int),
        data={"class_name": np.array(["car"] * n)},
    )


def test_from_supervision_takes_detections_by_id() -> None:
    found = {"a": detections([0.75, 0.5]), "b": detections([]), "c": detections([0.875])}
    pool = Pool.from_supervision(found, sizes=dict.fromkeys("abc", (10, 10)))
    assert rank(pool).item_ids.tolist() == ["a", "c", "b"]
    assert pool.objects.boxes[0].tolist() == [0, 0, 0.5, 0.5]
    codes = [notice.code for notice in Pool.from_supervision(found).notices]
    assert "no_boxes" in codes


def test_from_coco_reads_the_file(tmp_path: Path) -> None:
    images = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 10, "height": 10}],
        "categories": [{"id": 1, "name": "car"}],
    }
    result = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 5, 5], "score": 0.5}
    (tmp_path / "i.json").write_text(json.dumps(images))
    (tmp_path / "r.json").write_text(json.dumps([result]))
    pool = Pool.from_coco(tmp_path / "r.json", images=tmp_path / "i.json", key="file_name")
    assert pool.item_ids.tolist() == ["a.jpg"]
    with pytest.raises(NotFound, match="does not exist"):
        Pool.from_coco(tmp_path / "gone.json", images=tmp_path / "i.json")


RESULTS = [
    {"image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4], "score": np.float32(0.75)},
    {"image_id": np.int64(2), "category_id": 7, "bbox": [1, 2, 3, 4], "score": 0.25},
]
IMAGES = [{"id": n, "file_name": f"{n}.jpg", "width": 10, "height": 10} for n in (1, 2)]
KINDS = [{"id": 7, "name": "car"}]


@pytest.mark.parametrize(
    ("source", "options", "classes"),
    [
        (RESULTS, {}, ["7"]),
        (tuple(RESULTS), {"images": {"images": IMAGES, "categories": KINDS}}, ["car"]),
        (RESULTS, {"images": IMAGES}, ["7"]),
        ({"annotations": RESULTS}, {}, ["7"]),
        ({"annotations": RESULTS, "categories": KINDS}, {}, ["car"]),
        ({"annotations": RESULTS, "categories": KINDS, "images": IMAGES}, {}, ["car"]),
    ],
)
def test_from_coco_reads_values(source: Any, options: dict[str, Any], classes: list[str]) -> None:
    pool = Pool.from_coco(source, **options)
    assert pool.item_ids.tolist() == ["1", "2"]
    assert pool.objects.confidences.tolist() == [0.75, 0.25]
    assert list(pool.classes or []) == classes
    if "images" in options or "images" in source:
        assert pool.objects.boxes[0].tolist() == pytest.approx([0.1, 0.2, 0.4, 0.6])


def test_from_coco_reads_values_of_older_versions() -> None:
    pool = Pool.from_coco(RESULTS, older=[RESULTS[:1]], images=IMAGES)
    assert [one.counts.tolist() for one in pool.object_sets] == [[1, 0], [1, 1]]


def test_from_coco_says_what_is_wrong_with_values() -> None:
    with pytest.raises(InvalidInput, match=r"^can't use 1 detection: record 1 .*score must be"):
        Pool.from_coco([{**RESULTS[0], "score": 7}], images=IMAGES)


def test_an_unknown_option_names_the_known_ones() -> None:
    with pytest.raises(
        ConfigError, match="option colour is wrong: .*the options are key, metadata, classes"
    ):
        Pool.from_pandas(pd.DataFrame(WIDE), colour="red")


@pytest.mark.parametrize("name", ["arrow", "pandas", "polars", "huggingface", "supervision"])
@pytest.mark.parametrize("source", [None, 3, [None], {"a": None}, object()])
def test_what_is_no_such_object_is_an_error_of_ours(name: str, source: object) -> None:
    with pytest.raises(InvalidInput):
        getattr(Pool, f"from_{name}")(source)


@pytest.mark.parametrize(
    "predictions",
    [
        [("cat", 0.9), ("dog", 0.5)],
        [[("cat", 0.9), ("dog", 0.1)], [("cat", 0.5), ("dog", 0.5)]],
        [[0.9, 0.1], (0.5, 0.5)],
    ],
)
@pytest.mark.parametrize("ids", [["007", 7], [Path("a"), Path("b")], [UUID(int=1), UUID(int=2)]])
def test_cells_of_pandas_may_be_tuples_and_ids_of_several_types(ids: Any, predictions: Any) -> None:
    pool = Pool.from_pandas(pd.DataFrame({"id": ids, "prediction": predictions}))
    assert rank(pool).item_ids.tolist() == [str(ids[1]), str(ids[0])]


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"id": [7, "7"], "confidence": [0.9, 0.5]}, "repeated ids: 7"),
        ({"id": [7.5, "7"], "confidence": [0.9, 0.5]}, r"row 1: id must be text or a whole number"),
        ({"id": ["a", "b"], "cat": [0.9, "x"], "dog": [0.1, 0.5]}, "row 2: cat must be a number"),
        ({"id": ["a", "b"], "confidence": [0.9, object()]}, "row 2: confidence must be a number"),
    ],
)
def test_cells_of_pandas_that_cannot_be_used_are_named_with_their_row(cells: Any, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        Pool.from_pandas(pd.DataFrame(cells))
