"""`Pool.from_…` with odd objects: read right, or refused in plain words."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from labelnext import Pool, rank
from labelnext.errors import InvalidInput
from tests.unit.files.reading import order

ROWS = {"cat": [0.9, 0.5, 0.6], "dog": [0.1, 0.5, 0.4]}
FRAME = pd.DataFrame({"item_id": ["a", "b", "c"], **ROWS})
RECORD = {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}


class Detections:
    """What `from_supervision` looks at of supervision's class of this name."""

    def __init__(self, *scores: float) -> None:
        self.xyxy = np.tile([1.0, 1.0, 2.0, 2.0], (len(scores), 1))
        self.confidence, self.class_id = np.array(scores), np.zeros(len(scores), dtype=int)
        self.data: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("index", "ids"),
    [
        (pd.MultiIndex.from_tuples([("v", 1), ("v", 2), ("w", 1)]), ["v/1", "v/2", "w/1"]),
        (pd.Index([("v", 1), ("v", 2), ("w", 1)], tupleize_cols=False), ["v/1", "v/2", "w/1"]),
        ([b"a", b"\xc3\xa4", b"c"], ["a", "\xe4", "c"]),
        (pd.Index(["a", "b", "c"], dtype="string[pyarrow]"), ["a", "b", "c"]),
        (pd.CategoricalIndex(["a", "b", "c"]), ["a", "b", "c"]),
        ([Path("x/a"), Path("x/b"), Path("x/c")], ["x/a", "x/b", "x/c"]),
    ],
)
def test_an_index_of_any_type_holds_the_ids(index: Any, ids: list[str]) -> None:
    assert Pool.from_pandas(pd.DataFrame(ROWS, index=index)).item_ids.tolist() == ids


@pytest.mark.parametrize("name", ["Image ID", "imageId", "Item-Id", " ID "])
def test_a_column_of_ids_counts_however_its_words_are_parted(name: str) -> None:
    frame = FRAME.rename(columns={"item_id": name})
    assert Pool.from_pandas(frame).item_ids.tolist() == ["a", "b", "c"]


def test_a_column_that_is_said_to_be_another_holds_no_ids() -> None:
    frame = FRAME.set_index("item_id").assign(name="cat").rename_axis(None)
    pool = Pool.from_pandas(frame, columns={"label": "name"})
    assert pool.item_ids.tolist() == ["a", "b", "c"]
    assert pool.labels is not None
    assert pool.labels.tolist() == [0, 0, 0]


@pytest.mark.parametrize("missing", [pd.NA, None, np.nan])
def test_a_missing_label_of_an_index_is_one_odd_row(missing: Any) -> None:
    frame = pd.DataFrame({"cat": [0.5] * 20, "dog": [0.5] * 20})
    frame.index = pd.Index([*map(str, range(19)), missing], dtype=object)
    assert len(Pool.from_pandas(frame)) == 19
    with pytest.raises(InvalidInput, match=r"can't use 1 of 3 rows: row 3: item_id must be set"):
        Pool.from_pandas(FRAME.set_index(pd.Index([1, 2, missing], dtype=object))[["cat", "dog"]])


@pytest.mark.parametrize("kind", ["longdouble", "float16", pd.SparseDtype("float"), "Float64"])
def test_probabilities_may_be_floats_of_any_kind(kind: Any) -> None:
    pool = Pool.from_pandas(FRAME.astype({"cat": kind, "dog": kind}))
    np.testing.assert_allclose(pool.probabilities[:, 0], ROWS["cat"], atol=1e-3)


def test_values_that_are_missing_in_a_column_of_objects_are_null() -> None:
    frame = FRAME.assign(item_id=["a", 1, "c"], cat=[0.9, pd.NA, 0.6])
    pool = Pool.from_pandas(frame)
    assert pool.item_ids.tolist() == ["a", "1", "c"]
    assert rank(pool, "margin").item_ids.tolist() == ["c", "a"]


def test_columns_of_several_levels_have_one_name() -> None:
    columns = pd.MultiIndex.from_tuples([("p", "cat"), ("p", "dog")])
    frame = pd.DataFrame([[0.9, 0.1], [0.5, 0.5]], index=["a", "b"], columns=columns)
    assert Pool.from_pandas(frame).classes == ("cat", "dog")


def test_a_key_may_be_a_number_as_columns_are() -> None:
    frame = FRAME.rename(columns={"item_id": 7})
    assert Pool.from_pandas(frame, key=7).item_ids.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Pool.from_pandas(pd.concat([FRAME, FRAME[["cat"]]], axis=1)),
        lambda: Pool.from_pandas(FRAME.rename(columns={"dog": "cat"})),
        lambda: Pool.from_pandas(FRAME.rename_axis("cat"), key="cat"),
        lambda: Pool.from_arrow(pa.Table.from_arrays([pa.array([0.5])] * 2, names=["cat", "cat"])),
    ],
)
def test_columns_that_share_a_name_are_refused(make: Any) -> None:
    with pytest.raises(InvalidInput, match=r"columns must have distinct names; got cat more than"):
        make()


@pytest.mark.parametrize("given", [FRAME["cat"], [1, 2], {"item_id": ["a"]}, None])
def test_what_is_no_data_frame_is_called_so(given: Any) -> None:
    with pytest.raises(InvalidInput, match=r"from_pandas must get a data frame; got \w+\."):
        Pool.from_pandas(given)


def test_a_streamed_data_set_is_refused_with_the_cure() -> None:
    class IterableDataset:
        features = None

        def with_format(self, kind: str) -> IterableDataset:
            return self

        def __getitem__(self, name: str) -> Any:  # as the library has it since 5.0
            return name

        def __iter__(self) -> Any:
            return iter(FRAME.to_dict("records"))

    with pytest.raises(InvalidInput, match=r"a data set that is loaded.*load it without streaming"):
        Pool.from_huggingface(IterableDataset())


@pytest.mark.parametrize("given", [[Detections(0.5)], Detections(0.5), None, 7])
def test_detections_of_supervision_are_by_item(given: Any) -> None:
    with pytest.raises(InvalidInput, match=r"detections must be by item; got \w+\..*a.jpg"):
        Pool.from_supervision(given)


def test_what_is_no_detections_is_called_so() -> None:
    with pytest.raises(InvalidInput, match=r"detections must be of supervision; item 'a' has None"):
        Pool.from_supervision({"a": None})
    with pytest.raises(InvalidInput, match=r"sizes must be by item; got tuple"):
        Pool.from_supervision({"a": Detections(0.5)}, sizes=(640, 480))
    with pytest.raises(InvalidInput, match=r"sizes must be width and height in pixels; item 'a'"):
        Pool.from_supervision({"a": Detections(0.5)}, sizes={"a": 640})


def test_an_image_whose_only_detection_is_left_out_is_not_one_without_any() -> None:
    found = {**{str(n): Detections(0.5) for n in range(14)}, "x": Detections(np.nan)}
    pool = Pool.from_supervision({**found, "empty": Detections()})
    assert pool.item_ids[pool.missing].tolist() == ["x"]


def test_run_lengths_of_pycocotools_may_be_bytes() -> None:
    from pycocotools import mask

    shape = np.zeros((10, 10), dtype=np.uint8)
    shape[2:5, 3:7] = 1
    records = [{**RECORD, "segmentation": mask.encode(np.asfortranarray(shape))}]
    images = [{"id": 1, "width": 10, "height": 10}]
    pool = Pool.from_coco(records, images=images)
    assert pool.objects.masks is not None
    assert not {"bad_masks"} & {one.code for one in pool.notices}


@pytest.mark.parametrize(
    "given", [None, 7, (RECORD for _ in range(1)), pd.DataFrame([RECORD]), object()]
)
def test_coco_is_a_path_a_list_or_a_dictionary(given: Any) -> None:
    with pytest.raises(InvalidInput, match=r"from_coco must get a path; got \w+\..*list\(records"):
        Pool.from_coco(given)


@pytest.mark.parametrize("given", [None, 7, ["runs"]])
def test_yolo_is_a_path(given: Any) -> None:
    with pytest.raises(InvalidInput, match=r"from_yolo must get a path; got \w+"):
        Pool.from_yolo(given)


def test_classifications_of_supervision_are_class_scores() -> None:
    found = {
        item: SimpleNamespace(class_id=np.array([0, 1]), confidence=np.array([p, 1 - p]))
        for item, p in (("a", 0.75), ("b", 0.5), ("c", 0.625))
    }
    assert order(Pool.from_supervision(found)) == ["b", "c", "a"]
    found["d"] = SimpleNamespace(class_id=np.array([0]), confidence=None)
    with pytest.raises(InvalidInput, match=r"can't use 1 of 4 .*item d\): it has no confidence"):
        Pool.from_supervision(found)


def test_a_data_set_of_supervision_names_the_classes() -> None:
    annotations = {"a.jpg": Detections(0.9), "b.jpg": Detections(0.5)}
    pool = Pool.from_supervision(SimpleNamespace(classes=["cat"], annotations=annotations))
    assert pool.classes == ("cat",)
    assert rank(pool, "mean_object_confidence").item_ids.tolist() == ["b.jpg", "a.jpg"]


def test_what_is_no_frame_of_polars_is_called_so() -> None:
    with pytest.raises(InvalidInput, match="a data frame of polars; got DataFrame"):
        Pool.from_polars(FRAME)


TEXTS: dict[str, dict[str, list[Any]]] = {
    "numbers": {"cat": ["0.9", "0,5", "0.6"], "dog": ["0.1", ".5", "0.4"]},
    "lists": {"probabilities": ["[0.9, 0.1]", "[0.5, 0.5]", "[0.6 0.4]"]},
    "mappings": {"probs": ['{"cat": 0.9, "dog": 0.1}', "{'cat': 0.5, 'dog': 0.5}", '{"cat": 0.6}']},
    "percentages": {"prediction": ["cat"] * 3, "confidence": ["90%", 0.5, "60 %"]},
}


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("text", [pa.string(), pa.large_string(), pa.string_view()])
def test_texts_in_memory_are_read_as_those_of_a_file(kind: str, text: pa.DataType) -> None:
    frame = pd.DataFrame({"item_id": ["a", "b", "c"], **TEXTS[kind]})
    assert order(Pool.from_pandas(frame)) == ["b", "c", "a"]
    table = pa.table({n: pa.array(map(str, column), text) for n, column in frame.items()})
    assert order(Pool.from_arrow(table)) == ["b", "c", "a"]


def test_json_in_arrow_is_read() -> None:
    stored = pa.array(TEXTS["mappings"]["probs"], pa.string())
    column = pa.ExtensionArray.from_storage(pa.json_(), stored)
    table = pa.table({"item_id": ["a", "b", "c"], "probs": column})
    assert order(Pool.from_arrow(table)) == ["b", "c", "a"]
