"""Every kind of prediction that FiftyOne holds comes in as what it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext import probe, run
from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput, NotFound
from tests.integration.test_fiftyone_read import add, box, boxes, codes, logits, read

pytest_plugins = ("tests.integration.mongod",)


def test_several_labels_of_a_sample_are_objects_without_a_place(dataset: Any) -> None:
    import fiftyone as fo

    found = [fo.Classification(label=x, confidence=c) for x, c in (("b", 0.75), ("a", 0.5))]
    labels = fo.Classifications(classifications=found)
    add(dataset, {"pred": labels}, {"pred": fo.Classifications()}, {}, classes=["a", "b"])
    pool = read(dataset, pred_field="pred")
    assert pool.objects.counts.tolist() == [2, 0, 0]
    assert pool.objects.confidences.tolist() == [0.75, 0.5]
    assert pool.objects.class_ids.tolist() == [1, 0]
    assert pool.objects.boxes is None
    assert pool.missing.tolist() == [False, False, True]
    assert "no_boxes" not in codes(pool)


def test_several_given_classes_are_learned_each_on_its_own(dataset: Any) -> None:
    import fiftyone as fo

    def given(*names: str) -> Any:
        return fo.Classifications(classifications=[fo.Classification(label=n) for n in names])

    # Two samples in each corner of a square, and one that nobody labelled.
    corners = [(x, y) for x in (0.0, 10.0) for y in (0.0, 10.0) for _ in range(2)]
    rows = [
        {"gt": given(*[n for n, far in zip(("a", "b"), corner, strict=True) if far]), "v": corner}
        for corner in corners
    ]
    add(dataset, *rows, {"v": (10.0, 10.0)}, classes=["a", "b"])
    pool = read(dataset, pred_field=None, gt_field="gt", embeddings="v")
    assert pool.truth.missing.tolist() == [False] * 8 + [True]
    assert (probe(pool).probabilities[8] > 0.5).tolist() == [True, True]


def test_tags_are_the_classes_where_nothing_else_names_any(dataset: Any) -> None:
    import fiftyone as fo

    add(dataset, {"tags": ["dog"]}, {"tags": ["cat", "blurred"]}, {})
    found = read(dataset, pred_field=None, label_tag=["cat", "dog"])
    assert (found.classes, found.labels.tolist()) == (("cat", "dog"), [1, 0, -1])
    # A single tag says only that a sample is done, and so do tags beside labels with a class.
    assert read(dataset, pred_field=None, label_tag="cat").classes is None
    dataset.set_values("gt", [fo.Classification(label="bird"), None, None])
    beside = read(dataset, pred_field=None, gt_field="gt", label_tag=["cat", "dog"])
    assert (beside.classes, beside.labels.tolist()) == (("bird",), [0, -1, -1])


def test_a_keypoint_s_confidence_is_the_mean_of_its_points(dataset: Any) -> None:
    import fiftyone as fo

    pose = fo.Keypoint(
        label="person",
        points=[(0.25, 0.5), (0.75, 0.25), (float("nan"), float("nan"))],
        confidence=[0.5, 1.0, float("nan")],
    )
    add(dataset, {"pred": fo.Keypoints(keypoints=[pose])}, classes=["person"])
    pool = read(dataset, pred_field="pred")
    assert pool.objects.confidences.tolist() == [0.75]
    assert pool.objects.boxes.tolist() == [[0.25, 0.25, 0.75, 0.5]]


def test_polylines_have_the_box_around_all_their_points(dataset: Any) -> None:
    import fiftyone as fo

    lane = fo.Polyline(
        label="lane", points=[[(0.25, 0.5), (0.75, 1.0)], [(0.5, 0.25)]], confidence=0.5
    )
    add(dataset, {"pred": fo.Polylines(polylines=[lane])}, classes=["lane"])
    pool = read(dataset, pred_field="pred")
    assert pool.objects.confidences.tolist() == [0.5]
    assert pool.objects.boxes.tolist() == [[0.25, 0.25, 0.75, 1.0]]


def test_temporal_detections_of_a_video_are_its_objects(dataset: Any) -> None:
    import fiftyone as fo

    event = fo.TemporalDetection(label="goal", support=[1, 5], confidence=0.25)
    video = {"filepath": "/videos/a.mp4", "pred": fo.TemporalDetections(detections=[event])}
    add(dataset, video, {"filepath": "/videos/b.mp4"})
    pool = read(dataset, pred_field="pred")
    assert dataset.media_type == "video"
    assert pool.objects.confidences.tolist() == [0.25]
    assert pool.missing.tolist() == [False, True]


@pytest.mark.parametrize(("says", "expected"), [("confidence", 0.375), ("uncertainty", 0.625)])
def test_a_heatmap_is_one_object_of_its_mean(dataset: Any, says: str, expected: float) -> None:
    import fiftyone as fo

    heat = fo.Heatmap(map=np.array([[0.25, 0.5], [0.25, 0.5]]))
    add(dataset, {"pred": heat}, {})
    pool = read(dataset, pred_field="pred", pred_values=says)
    assert pool.objects.confidences.tolist() == [expected]
    assert pool.objects.counts.tolist() == [1, 0]
    assert pool.missing.tolist() == [False, True]


def test_an_uncertainty_beside_a_regression_counts_as_one(dataset: Any) -> None:
    import fiftyone as fo

    add(dataset, {"pred": fo.Regression(value=7.0, confidence=0.25)})
    pool = read(dataset, pred_field="pred", pred_values="uncertainty")
    assert pool.objects.confidences.tolist() == [0.75]


def test_labels_hold_confidences_not_uncertainties(dataset: Any) -> None:
    import fiftyone as fo

    add(dataset, {"pred": fo.Classification(label="a", confidence=0.25)})
    with pytest.raises(InvalidInput, match=r"pred_values must be confidence .* as in pred; got"):
        read(dataset, pred_field="pred", pred_values="uncertainty")


def test_a_heatmap_in_a_file_counts_in_its_range(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo
    from PIL import Image

    path = tmp_path / "heat.png"
    Image.fromarray(np.array([[0, 255], [255, 0]], dtype=np.uint8)).save(path)
    halved = fo.Heatmap(map=np.array([[0.0, 1.0]]), range=[0, 2])
    add(dataset, {"pred": fo.Heatmap(map_path=str(path))}, {"pred": halved})
    assert read(dataset, pred_field="pred").objects.confidences.tolist() == [0.5, 0.25]


def test_a_heatmap_that_cannot_be_read_is_no_prediction(dataset: Any) -> None:
    import fiftyone as fo

    lost = {"pred": fo.Heatmap(map_path="/nowhere/heat.png")}
    ids = add(dataset, lost, {"pred": fo.Heatmap(map=np.array([[0.5, 0.25]]))})
    pool = read(dataset, pred_field="pred")
    assert pool.missing.tolist() == [True, False]
    (notice,) = [n for n in pool.notices if n.code == "unreadable_map"]
    assert notice.item_ids == (ids[0],)
    assert notice.message == "1 item has a heatmap in pred that can't be read."


def test_a_number_field_is_a_confidence_or_an_uncertainty(dataset: Any) -> None:
    ids = add(dataset, {"sure": 0.25}, {"sure": None}, {"sure": 1.0})
    pool = read(dataset, pred_field="sure")
    assert pool.objects.confidences.tolist() == [0.25, 1.0]
    assert pool.missing.tolist() == [False, True, False]
    pool = read(dataset, pred_field="sure", pred_values="uncertainty")
    assert pool.objects.confidences.tolist() == [0.75, 0.0]
    add(dataset, {"sure": 1.5})
    with pytest.raises(InvalidInput, match=r"sure must hold numbers in \[0, 1\].* 1 sample:"):
        read(dataset, pred_field="sure")
    assert len(ids) == 3


def test_a_segmentation_is_refused_with_what_to_do(dataset: Any) -> None:
    import fiftyone as fo

    add(dataset, {"pred": fo.Segmentation(mask=np.zeros((2, 2), dtype=np.uint8))})
    with pytest.raises(InvalidInput, match="Segmentation") as caught:
        read(dataset, pred_field="pred")
    assert "Heatmap" in str(caught.value.hint)


def test_a_segmentation_of_the_truth_says_that_a_sample_is_labelled(dataset: Any) -> None:
    import fiftyone as fo

    add(dataset, {"truth": fo.Segmentation(mask=np.zeros((2, 2), dtype=np.uint8))}, {})
    pool = read(dataset, gt_field="truth")
    assert pool.labelled.tolist() == [True, False]
    assert pool.labels is None
    assert pool.truth is None


def test_several_classification_fields_are_a_committee(dataset: Any) -> None:
    ids = add(
        dataset,
        {"one": logits(1, 3), "two": logits(1, 1)},
        {"one": logits(3, 1)},
        {},
        classes=["a", "b"],
    )
    pool = read(dataset, pred_field=["one", "two"])
    np.testing.assert_allclose(pool.probabilities[:, 0], [[0.25, 0.75], [0.5, 0.5]])
    np.testing.assert_allclose(pool.probabilities[0, 1], [0.75, 0.25])
    assert np.isnan(pool.probabilities[1, 1]).all()
    assert pool.versions == ("one", "two")
    assert pool.missing.tolist() == [False, False, True]
    assert codes(pool)["missing_members"] == (ids[1],)


def test_several_fields_of_boxes_are_one_set_for_each_model(dataset: Any) -> None:
    ids = add(
        dataset,
        {"one": boxes(box("car", 0.5), box("car", 0.25)), "two": boxes(box("car", 0.75))},
        {"one": boxes()},
        {},
    )
    pool = read(dataset, pred_field=["one", "two"])
    assert [part.counts.tolist() for part in pool.objects] == [[2, 0, 0], [1, 0, 0]]
    assert [part.confidences.tolist() for part in pool.objects] == [[0.5, 0.25], [0.75]]
    assert pool.missing.tolist() == [False, False, True]
    assert [part.missing.tolist() for part in pool.objects] == [
        [False, False, True],
        [False, True, True],
    ]
    assert codes(pool)["missing_members"] == (ids[1],)


def test_a_committee_of_different_things_is_refused(dataset: Any) -> None:
    add(dataset, {"one": logits(1, 3), "two": boxes(box())}, classes=["a", "b"])
    with pytest.raises(
        InvalidInput, match="committee must all hold objects, or all prob.*one, two"
    ):
        read(dataset, pred_field=["one", "two"])


def test_embeddings_come_from_a_similarity_index(dataset: Any) -> None:
    import fiftyone.brain as fob

    ids = add(dataset, {}, {}, {})
    vectors = np.array([[1.0, 2.0], [3.0, 4.0]])
    fob.compute_similarity(dataset.select(ids[1:]), embeddings=vectors, brain_key="near")
    pool = read(dataset, embeddings="near")
    np.testing.assert_array_equal(pool.embeddings, [[np.nan, np.nan], [1, 2], [3, 4]])
    assert codes(pool)["no_embedding"] == (ids[0],)


def test_a_brain_run_without_vectors_of_samples_is_refused(dataset: Any) -> None:
    import fiftyone.brain as fob

    add(dataset, {"pred": boxes(box())}, {"pred": boxes(box())})
    vectors = {i: np.ones((1, 2)) for i in dataset.values("id")}
    fob.compute_similarity(dataset, patches_field="pred", embeddings=vectors, brain_key="parts")
    with pytest.raises(InvalidInput, match="similarity index of whole samples; got 'parts'"):
        read(dataset, embeddings="parts")
    with pytest.raises(NotFound, match="'nothing'"):
        read(dataset, embeddings="nothing")


def test_tags_named_as_classes_are_labels(dataset: Any) -> None:
    ids = add(
        dataset,
        {"pred": logits(1, 1), "tags": ["b", "night"]},
        {"pred": logits(1, 1), "tags": ["done"]},
        {"pred": logits(1, 1), "tags": ["a", "b"]},
        {"pred": logits(1, 1), "tags": ["night"]},
        classes=["a", "b"],
    )
    pool = read(dataset, pred_field="pred", label_tag=["a", "b", "done"])
    assert pool.labels.tolist() == [1, -1, -1, -1]
    assert pool.labelled.tolist() == [True, True, True, False]
    assert codes(pool)["several_labels"] == (ids[2],)


def test_frames_of_two_videos_are_items_of_their_own(dataset: Any) -> None:
    import fiftyone as fo

    for video in "ab":
        sample = fo.Sample(f"/{video}.mp4")
        for number, confidence in ((1, 0.25), (2, 0.75)):
            frame = fo.Frame(filepath=f"/{video}{number}.png", pred=boxes(box("car", confidence)))
            sample.frames[number] = frame
        dataset.add_samples([sample], progress=False)
    frames = dataset.to_frames().clone(f"{dataset.name}-frames")
    try:
        pool = read(frames, pred_field="pred")
    finally:
        frames.delete()
    assert len(set(pool.item_ids.tolist())) == 4
    assert pool.objects.confidences.tolist() == [0.25, 0.75, 0.25, 0.75]


@pytest.fixture
def grouped(dataset: Any) -> Any:
    """Two groups of a left and a right image."""
    import fiftyone as fo

    dataset.add_group_field("group", default="left")
    samples = []
    for number in range(2):
        group = fo.Group()
        samples += [
            fo.Sample(f"/{side}{number}.png", group=group.element(side), name=f"{side}{number}")
            for side in ("left", "right")
        ]
    dataset.add_samples(samples, progress=False)
    return dataset


def test_a_slice_of_a_grouped_dataset_is_chosen(grouped: Any) -> None:
    assert read(grouped, key="name").item_ids.tolist() == ["left0", "left1"]
    assert read(grouped, key="name", slice="right").item_ids.tolist() == ["right0", "right1"]
    with pytest.raises(NotFound, match="slice must be one of left, right; got 'top'"):
        read(grouped, slice="top")


def test_a_slice_of_samples_that_are_not_grouped_is_refused(dataset: Any) -> None:
    add(dataset, {})
    with pytest.raises(InvalidInput, match="slice must be left out"):
        read(dataset, slice="left")


@pytest.mark.parametrize("name", ["a.b", "$where", "naïve Ä", "x" * 1000])
def test_hostile_names_of_fields_are_not_found(dataset: Any, name: str) -> None:
    add(dataset, {"pred": logits(1, 3)})
    for option in ("pred_field", "gt_field", "embeddings"):
        with pytest.raises(NotFound, match=f"{option} must be"):
            read(dataset, **{option: name})
    with pytest.raises(NotFound, match=r"source\.key must be"):
        read(dataset, key=name)


@pytest.mark.parametrize("name", ["a.b $ c", "Nächte 夜 one", "v" * 300])
def test_hostile_names_of_saved_views_work(dataset: Any, name: str) -> None:
    ids = add(dataset, {"tags": ["x"]}, {})
    dataset.save_view(name, dataset.match_tags("x"))
    assert read(dataset, view=name).item_ids.tolist() == ids[:1]


def test_one_detection_of_a_sample_is_its_only_object(dataset: Any) -> None:
    import fiftyone as fo

    add(
        dataset,
        {"pred": box("car", 0.75, bounding_box=[0.25, 0.5, 0.25, 0.5]), "truth": box("bus", None)},
        {"pred": None},
        {"pred": fo.Detection(label="bus", bounding_box=[0, 0, 1, 1])},
        classes=["car", "bus"],
    )
    pool = read(dataset, pred_field="pred", gt_field="truth")
    assert pool.objects.offsets.tolist() == [0, 1, 1, 2]
    assert pool.objects.boxes.tolist() == [[0.25, 0.5, 0.5, 1.0], [0, 0, 1, 1]]
    assert pool.objects.confidences.tolist()[0] == 0.75
    assert np.isnan(pool.objects.confidences[1])
    assert pool.missing.tolist() == [False, True, False]
    assert pool.labelled.tolist() == [True, False, False]
    assert (pool.truth.class_ids.tolist(), pool.truth.offsets.tolist()) == ([1], [0, 1, 1, 1])


def test_one_keypoint_polyline_or_event_of_a_sample_is_its_only_object(dataset: Any) -> None:
    import fiftyone as fo

    dataset.add_sample(
        fo.Sample(
            "/a.png",
            point=fo.Keypoint(label="a", points=[(0.5, 0.5)], confidence=[0.5]),
            line=fo.Polyline(label="a", points=[[(0, 0), (0.5, 1)]], confidence=0.25),
        )
    )
    for field, confidence in (("point", 0.5), ("line", 0.25)):
        pool = read(dataset, pred_field=field)
        assert pool.objects.confidences.tolist() == [confidence]
        assert pool.objects.boxes is not None


def test_boxes_that_nothing_uses_are_left_out_and_nothing_else_is(dataset: Any) -> None:
    import fiftyone as fo

    point = fo.Keypoint(label="car", points=[(0.5, 0.5)], confidence=[0.25])
    fields = {name: boxes(box("car", 0.75)) for name in ("pred", "other", "truth")}
    add(dataset, {**fields, "point": point})

    def left_out(**source: Any) -> bool:
        adapter = open_adapter("fiftyone", dataset=dataset.name, **source)
        whole, bare = adapter.read(), adapter.read_without_boxes()
        for known, found in zip(whole.object_sets, bare.object_sets, strict=True):
            assert found.confidences.tolist() == known.confidences.tolist()
            assert found.class_ids.tolist() == known.class_ids.tolist()
        return bare.object_sets[0].boxes is None

    assert left_out(pred_field="pred")
    assert not left_out(pred_field="point")  # each point has a confidence
    assert not left_out(pred_field=["pred", "other"])  # a committee compares them
    assert not left_out(pred_field="pred", gt_field="truth")


def test_a_run_without_a_page_ranks_as_one_with_a_page(dataset: Any, tmp_path: Path) -> None:
    add(dataset, *({"pred": boxes(*[box("car", c / 8)] * c)} for c in (3, 1, 4)))
    source = {"adapter": "fiftyone", "dataset": dataset.name, "pred_field": "pred"}
    given = {"source": source, "state": tmp_path / "state"}
    pages = (None, tmp_path / "page.html")
    bare, shown = (run({**given, "report": {"path": page}}).ranking for page in pages)
    assert bare.item_ids.tolist() == shown.item_ids.tolist()
    assert bare.scores.tolist() == shown.scores.tolist()
