"""Real FiftyOne datasets in a real MongoDB come in as the Pools that they hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput, NotFound, Unavailable
from labelnext.pool import Pool
from tests.integration.cars import cars

pytest_plugins = ("tests.integration.mongod",)


def add(dataset: Any, *fields: dict[str, Any], classes: list[str] | None = None) -> list[str]:
    """One sample for each mapping of fields, without keeping them; returns their ids."""
    import fiftyone as fo

    samples = [
        fo.Sample(**{"filepath": f"/images/{i}.png", **columns}) for i, columns in enumerate(fields)
    ]
    ids = dataset.add_samples(samples, validate=False, progress=False)
    if classes:
        dataset.default_classes = classes
        dataset.save()
    return list(ids)


def read(dataset: Any, /, key: str | None = None, **source: Any) -> Pool:
    adapter = open_adapter("fiftyone", key=key, **{"dataset": dataset.name, **source})
    pool = adapter.read()
    adapter.close()
    return pool


def logits(*values: float, label: str = "a", **more: Any) -> Any:
    import fiftyone as fo

    return fo.Classification(label=label, logits=np.log(values), **more)


def codes(pool: Pool) -> dict[str, tuple[str, ...]]:
    return {notice.code: notice.item_ids for notice in pool.notices}


def box(label: str = "car", confidence: float | None = 0.5, **more: Any) -> Any:
    import fiftyone as fo

    where = more.pop("bounding_box", [0.1, 0.2, 0.3, 0.4])
    return fo.Detection(label=label, confidence=confidence, bounding_box=where, **more)


def boxes(*detections: Any) -> Any:
    import fiftyone as fo

    return fo.Detections(detections=list(detections))


def test_an_empty_dataset_is_an_empty_pool(dataset: Any) -> None:
    import fiftyone as fo

    dataset.add_sample_field("pred", fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification)
    assert len(read(dataset, pred_field="pred")) == 0


def test_logits_become_probabilities_in_the_order_of_the_classes(dataset: Any) -> None:
    ids = add(dataset, {"pred": logits(1, 3)}, {"pred": logits(1, 1)}, classes=["a", "b"])
    pool = read(dataset, pred_field="pred")
    assert pool.item_ids.tolist() == ids
    assert pool.classes == ("a", "b")
    np.testing.assert_allclose(pool.probabilities, [[0.25, 0.75], [0.5, 0.5]], atol=1e-12)
    assert not pool.missing.any()


def test_one_sample_is_an_ordinary_pool(dataset: Any) -> None:
    add(dataset, {"pred": logits(1, 3)}, classes=["a", "b"])
    assert read(dataset, pred_field="pred").probabilities.tolist() == [[0.25, 0.75]]


@pytest.mark.parametrize("stored", [[0.2, 0.8], np.array([0.2, 0.8])])
def test_a_probabilities_attribute_is_read_where_there_are_no_logits(
    dataset: Any, stored: Any
) -> None:
    import fiftyone as fo

    prediction = fo.Classification(label="b", probabilities=stored)
    add(dataset, {"pred": prediction}, {"pred": logits(1, 1)}, classes=["a", "b"])
    pool = read(dataset, pred_field="pred")
    np.testing.assert_allclose(pool.probabilities, [[0.2, 0.8], [0.5, 0.5]])


def test_confidence_of_two_classes_is_a_distribution(dataset: Any) -> None:
    import fiftyone as fo

    add(
        dataset,
        {"pred": fo.Classification(label="cat", confidence=0.75)},
        {"pred": fo.Classification(label="dog", confidence=0.75)},
        classes=["cat", "dog"],
    )
    pool = read(dataset, pred_field="pred")
    assert pool.probabilities.tolist() == [[0.75, 0.25], [0.25, 0.75]]


def test_confidence_of_more_classes_is_one_object_an_item(dataset: Any) -> None:
    import fiftyone as fo

    ids = add(
        dataset,
        {"pred": fo.Classification(label="b", confidence=0.75)},
        {"pred": None},
        {"pred": fo.Classification(label="z", confidence=0.5)},
        classes=["a", "b", "c"],
    )
    pool = read(dataset, pred_field="pred")
    assert pool.probabilities is None
    assert pool.objects.counts.tolist() == [1, 0, 1]
    assert pool.objects.confidences.tolist() == [0.75, 0.5]
    assert pool.objects.class_ids.tolist() == [1, -1]
    assert pool.missing.tolist() == [False, True, False]
    assert codes(pool)["unknown_class"] == (ids[2],)
    assert "confidence_only" in codes(pool)


def test_samples_without_a_prediction_are_missing(dataset: Any) -> None:
    add(dataset, {"pred": logits(1, 1)}, {}, classes=["a", "b"])
    assert read(dataset, pred_field="pred").missing.tolist() == [False, True]


def test_classes_are_named_by_the_likeliest_column_where_none_are_declared(dataset: Any) -> None:
    add(dataset, {"pred": logits(1, 3, label="zebra")}, {"pred": logits(3, 1, label="yak")})
    pool = read(dataset, pred_field="pred")
    assert pool.classes == ("yak", "zebra")
    assert "derived_classes" in codes(pool)


def test_a_vector_of_another_length_than_the_classes_is_refused(dataset: Any) -> None:
    add(dataset, {"pred": logits(1, 1, 1)}, classes=["a", "b"])
    with pytest.raises(InvalidInput, match="a number for each of its 2 classes"):
        read(dataset, pred_field="pred")


def test_ragged_logits_are_counted_and_get_no_score(dataset: Any) -> None:
    ids = add(dataset, {"pred": logits(1, 1)}, {"pred": logits(1, 1, 1)}, classes=["a", "b"])
    pool = read(dataset, pred_field="pred")
    assert codes(pool)["ragged"] == (ids[1],)
    assert np.isnan(pool.probabilities[1]).all()
    assert not pool.missing.any()


def test_logits_with_nan_are_counted(dataset: Any) -> None:
    ids = add(dataset, {"pred": logits(1, 1)}, {"pred": logits(1, np.nan)}, classes=["a", "b"])
    assert codes(read(dataset, pred_field="pred"))["nan"] == (ids[1],)


def test_distributions_stored_as_logits_are_doubted(dataset: Any) -> None:
    import fiftyone as fo

    prediction = fo.Classification(label="b", logits=np.array([0.2, 0.8]))
    add(dataset, {"pred": prediction}, classes=["a", "b"])
    assert "logits_are_probabilities" in codes(read(dataset, pred_field="pred"))


def test_classes_in_another_order_than_the_model_s_are_noticed(dataset: Any) -> None:
    ids = add(dataset, {"pred": logits(1, 3, label="a")}, classes=["a", "b"])
    assert codes(read(dataset, pred_field="pred"))["label_mismatch"] == (ids[0],)


def test_detections_become_objects_with_corners(dataset: Any) -> None:
    add(
        dataset,
        {"pred": boxes(box("car", 0.5), box("bus", 0.25, bounding_box=[0.5, 0.5, 0.5, 0.25]))},
        {"pred": boxes()},
        {},
        classes=["bus", "car"],
    )
    pool = read(dataset, pred_field="pred")
    assert pool.objects.offsets.tolist() == [0, 2, 2, 2]
    assert pool.objects.confidences.tolist() == [0.5, 0.25]
    assert pool.objects.class_ids.tolist() == [1, 0]
    np.testing.assert_allclose(pool.objects.boxes, [[0.1, 0.2, 0.4, 0.6], [0.5, 0.5, 1.0, 0.75]])
    assert pool.missing.tolist() == [False, False, True]


@pytest.mark.parametrize("declared", [False, True])
def test_vectors_of_detections_are_read_declared_in_the_schema_or_not(
    dataset: Any, declared: bool
) -> None:
    add(
        dataset,
        {"pred": boxes(box(probabilities=np.array([0.5, 0.25])))},
        {"pred": boxes(box(probabilities=[0.125, 0.5]))},
        classes=["bus", "car"],
    )
    if declared:
        import fiftyone as fo

        dataset.add_sample_field("pred.detections.probabilities", fo.VectorField)
    pool = read(dataset, pred_field="pred")
    assert pool.objects.probabilities.tolist() == [[0.5, 0.25], [0.125, 0.5]]


def test_detections_with_logits_get_a_softmax(dataset: Any) -> None:
    add(dataset, {"pred": boxes(box(logits=np.log([1.0, 3.0])))}, classes=["bus", "car"])
    np.testing.assert_allclose(
        read(dataset, pred_field="pred").objects.probabilities, [[0.25, 0.75]]
    )


def test_a_detection_without_confidence_leaves_its_item_unscored(dataset: Any) -> None:
    ids = add(dataset, {"pred": boxes(box(confidence=None))}, {"pred": boxes(box())})
    assert codes(read(dataset, pred_field="pred"))["nan"] == (ids[0],)


def test_a_detection_without_a_box_is_counted(dataset: Any) -> None:
    ids = add(dataset, {"pred": boxes(box(), box(bounding_box=None))}, {"pred": boxes(box())})
    pool = read(dataset, pred_field="pred")
    assert pool.objects.boxes is None
    assert codes(pool)["no_boxes"] == (ids[0],)


def test_a_label_field_gives_labels_and_labelled(dataset: Any) -> None:
    import fiftyone as fo

    add(
        dataset,
        {"pred": logits(1, 1), "truth": fo.Classification(label="b")},
        {"pred": logits(1, 1)},
        classes=["a", "b"],
    )
    pool = read(dataset, pred_field="pred", gt_field="truth")
    assert pool.labels.tolist() == [1, -1]
    assert pool.labelled.tolist() == [True, False]


def test_labelled_detections_are_the_truth_even_where_there_are_none(dataset: Any) -> None:
    add(dataset, {"truth": boxes(box(confidence=None))}, {"truth": boxes()}, {})
    pool = read(dataset, gt_field="truth")
    assert pool.truth.counts.tolist() == [1, 0, 0]
    assert pool.labelled.tolist() == [True, True, False]


def test_a_tag_marks_labelled_samples(dataset: Any) -> None:
    add(dataset, {"tags": ["done", "x"]}, {"tags": ["x"]}, {})
    assert read(dataset, label_tag="done").labelled.tolist() == [True, False, False]


def test_embeddings_come_as_rows(dataset: Any) -> None:
    ids = add(
        dataset,
        {"vector": np.array([1, 2], dtype=np.float32)},
        {},
        {"vector": np.array([3, 4], dtype=np.float32)},
    )
    pool = read(dataset, embeddings="vector")
    np.testing.assert_array_equal(pool.embeddings, [[1, 2], [np.nan, np.nan], [3, 4]])
    assert codes(pool)["no_embedding"] == (ids[1],)


def test_embeddings_of_several_lengths_are_refused(dataset: Any) -> None:
    add(dataset, {"vector": np.zeros(2)}, {"vector": np.zeros(2)}, {"vector": np.zeros(3)})
    with pytest.raises(InvalidInput, match="vectors of one length, 2"):
        read(dataset, embeddings="vector")


def test_a_saved_view_limits_what_is_read(dataset: Any) -> None:
    ids = add(dataset, {"tags": ["x"]}, {})
    dataset.save_view("only x", dataset.match_tags("x"))
    assert read(dataset, view="only x").item_ids.tolist() == ids[:1]


def test_a_view_can_be_handed_over(dataset: Any) -> None:
    ids = add(dataset, {}, {}, {})
    assert read(dataset, **{"dataset": dataset.limit(2)}).item_ids.tolist() == ids[:2]


def test_a_view_of_patches_is_refused(dataset: Any) -> None:
    add(dataset, {"pred": boxes(box())})
    with pytest.raises(InvalidInput, match="patches"):
        read(dataset, **{"dataset": dataset.to_patches("pred")})


def test_a_name_with_dots_and_blanks_is_an_ordinary_name(dataset: Any) -> None:
    dataset.name = f"{dataset.name}.v2 of mine"
    ids = add(dataset, {})
    assert read(dataset).item_ids.tolist() == ids


def test_the_key_field_gives_the_ids(dataset: Any) -> None:
    add(dataset, {"number": 7}, {"number": 5})
    assert read(dataset, key="number").item_ids.tolist() == ["7", "5"]
    assert read(dataset, key="filepath").item_ids.tolist() == ["/images/0.png", "/images/1.png"]


def test_a_key_that_repeats_or_is_missing_is_refused(dataset: Any) -> None:
    ids = add(dataset, {"number": 7, "other": 1}, {"number": 7})
    with pytest.raises(InvalidInput, match=r"must be distinct; got 1 value more than once: 7"):
        read(dataset, key="number")
    with pytest.raises(InvalidInput, match=rf"'other' must be set .* on 1: {ids[1]}"):
        read(dataset, key="other")


def test_a_missing_dataset_lists_those_that_exist(dataset: Any) -> None:
    with pytest.raises(NotFound, match=dataset.name):
        read(dataset, **{"dataset": "nope"})


def test_a_missing_view_lists_those_that_exist(dataset: Any) -> None:
    dataset.save_view("mine", dataset.limit(1))
    with pytest.raises(NotFound, match=r"mine.*'nope'"):
        read(dataset, view="nope")


@pytest.mark.parametrize("option", ["pred_field", "gt_field", "embeddings"])
def test_a_missing_field_lists_those_that_exist(dataset: Any, option: str) -> None:
    with pytest.raises(NotFound, match=rf"{option} must be a field of .*filepath.*'nope'"):
        read(dataset, **{option: "nope"})


def test_a_missing_key_field_lists_those_that_exist(dataset: Any) -> None:
    with pytest.raises(NotFound, match=r"source\.key must be a field of .*filepath"):
        read(dataset, key="nope")


def test_a_field_of_the_wrong_type_is_refused(dataset: Any) -> None:
    with pytest.raises(InvalidInput, match="got 'filepath' of StringField"):
        read(dataset, pred_field="filepath")
    with pytest.raises(InvalidInput, match="must be a vector field; got 'filepath'"):
        read(dataset, embeddings="filepath")


def test_reading_keeps_no_sample_alive(dataset: Any) -> None:
    import gc

    import fiftyone as fo

    add(dataset, {"pred": logits(1, 1)}, {"pred": logits(1, 2)}, classes=["a", "b"])
    read(dataset, pred_field="pred")
    gc.collect()
    kinds = (fo.Sample, fo.core.sample.SampleView)
    assert not [o for o in gc.get_objects() if type(o) in kinds]


def test_a_database_that_does_not_answer_is_told_within_seconds(
    dataset: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fiftyone as fo

    monkeypatch.setattr(fo.config, "database_uri", "mongodb://someone:secret@127.0.0.1:1/")
    adapter = open_adapter("fiftyone", dataset=dataset.name)
    with pytest.raises(Unavailable) as caught:
        adapter.read()
    assert "secret" not in str(caught.value)
    findings = adapter.check()
    assert findings[-1].level == "error"
    assert "secret" not in str(findings)


def test_the_cars_come_back_as_the_objects_they_were(dataset: Any) -> None:
    images, results = cars()
    sizes = {i["id"]: (i["width"], i["height"]) for i in images}
    predicted: dict[int, list[Any]] = {i["id"]: [] for i in images}
    for row in results:
        (x, y, w, h), (width, height) = row["bbox"], sizes[row["image_id"]]
        where = [x / width, y / height, w / width, h / height]
        predicted[row["image_id"]].append(box("Car", row["score"], bounding_box=where))
    fields = [{"pred": boxes(*predicted[i["id"]]), "name": i["file_name"]} for i in images]
    add(dataset, *fields, classes=["Car"])
    pool = read(dataset, key="name", pred_field="pred")
    assert pool.item_ids.tolist() == [i["file_name"] for i in images]
    order = [row for i in images for row in results if row["image_id"] == i["id"]]
    assert pool.objects.confidences.tolist() == [row["score"] for row in order]
    assert pool.objects.counts.tolist() == [len(predicted[i["id"]]) for i in images]
    assert set(pool.objects.class_ids.tolist()) == {0}
    wanted = [
        np.array([x, y, x + w, y + h]) / np.tile(sizes[r["image_id"]], 2)
        for r in order
        for x, y, w, h in [r["bbox"]]
    ]
    np.testing.assert_allclose(pool.objects.boxes, np.clip(wanted, 0, 1), atol=1e-9)


def test_samples_in_memory_are_counted_because_they_slow_writes_down(dataset: Any) -> None:
    import gc

    add(dataset, *[{"pred": logits(1, 3)} for _ in range(101)], classes=["a", "b"])
    gc.collect()
    assert "live_samples" not in codes(read(dataset, pred_field="pred"))
    alive = list(dataset)
    notice = next(n for n in read(dataset, pred_field="pred").notices if n.code == "live_samples")
    assert notice.message.startswith("101 fo.Sample objects")
    assert len(alive) == 101
