"""MegaDetector, Darknet, LabelMe, Detectron2, TensorFlow, Paddle, VIA, FiftyOne, text, clouds."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext import rank
from labelnext.adapter import open_adapter
from labelnext.adapter.formats import recognition
from labelnext.errors import InvalidInput
from tests.formats.broken import try_broken
from tests.formats.independent import FIXTURES, by_mean, codes, ranked, read
from tests.formats.make_vision import IMAGES
from tests.formats.told_tools import READERS
from tests.unit.files.reading import read as written

STEMS = by_mean(IMAGES)
NAMES = by_mean({f"{stem}.jpg": scores for stem, scores in IMAGES.items()})
BUCKET = [f"gs://bucket/{name}" for name in NAMES]
TENTHS = [0.1, 0.25, 0.5, 0.5]  # the box 10 20 50 40 in an image of 100 × 80 pixels

DETECTED = {
    "megadetector/batch.json": NAMES,
    "megadetector/failed.json": NAMES,
    "megadetector/wildlife.json": NAMES,
    "darknet/result.json": NAMES,
    "labelme/scores": NAMES,
    "detectron2/by_name.json": NAMES,
    "detectron2/instances.json": NAMES,
    "detectron2/records.json": STEMS,
    "tensorflow/by_name.json": NAMES,
    "tensorflow/served.json": NAMES,
    "tensorflow/batches.json": NAMES,
    "paddle/boxes": NAMES,
    "cloud/rekognition": STEMS,
    "cloud/rekognition-custom.json": NAMES,
    "cloud/google-objects.json": BUCKET,
    "cloud/azure": STEMS,
    "cloud/vertex-objects.jsonl": BUCKET,
    "cloud/azure-objects.json": NAMES,
    "cloud/sagemaker": NAMES,
    "cloud/ground-truth-boxes.manifest": [f"s3://bucket/{name}" for name in NAMES],
    "cloud/scale.json": [f"s3://bucket/{stem}.jpg" for stem in STEMS if IMAGES[stem]],
    "fiftyone/export": [f"data/{name}" for name in NAMES],
    "via/project.json": NAMES,
    "via/version1.json": NAMES,
    "datumaro/default.json": NAMES,
    "supervisely/ann": NAMES,
    "darwin/release": NAMES,
    "voc-text/mean_average_precision": STEMS,
    "voc-text/kitti": STEMS,
    "voc-text/middle": STEMS,
    "voc-text/boxes": STEMS,
    "voc-text/mot": ["2", "1"],  # frames of zidane and bus
    "voc-text/comp4": [stem for stem in STEMS if IMAGES[stem]],  # which lists no others
    "voc-text/Task1": [stem for stem in STEMS if IMAGES[stem]],
}
#: b.jpg has .55 and .45, a.jpg .7 and .3.
CLASSIFIED = {
    "paddle/classes.json": ["b.jpg", "a.jpg"],
    "cloud/azure-classes.json": ["b.jpg", "a.jpg"],
    "cloud/vertex-classes.jsonl": ["gs://bucket/b.jpg", "gs://bucket/a.jpg"],
    "cloud/comprehend-classes.jsonl": ["docs.csv:1", "docs.csv:0"],
    "cloud/comprehend-sentiment.jsonl": ["b.jpg", "a.jpg"],
    "cloud/azure-sentiment.json": ["b.jpg", "a.jpg"],
    "cloud/azure-tags.json": ["b.jpg", "a.jpg"],
    "cloud/google-categories.jsonl": ["b.jpg", "a.jpg"],
    "cloud/moderation.jsonl": ["b.jpg", "a.jpg"],
    "cloud/perspective.jsonl": ["b.jpg", "a.jpg"],
    "cloud/sagemaker-joined.jsonl.out": ["b.jpg", "a.jpg"],
    "cloud/ground-truth-classes.manifest": ["s3://bucket/b.jpg", "s3://bucket/a.jpg"],
    "cloud/rekognition-labels.jsonl": ["b.jpg", "a.jpg"],
    "cloud/google-labels.jsonl": ["b.jpg", "a.jpg"],
    "fiftyone/classes.json": ["data/zidane.jpg", "data/bus.jpg"],
}
IN_PIXELS = {
    "megadetector/wildlife.json", "paddle/boxes", "detectron2/records.json", "via/project.json",
    "via/version1.json", "voc-text/comp4", "voc-text/Task1", "voc-text/mean_average_precision",
    "voc-text/kitti", "voc-text/boxes", "voc-text/mot", "cloud/scale.json",
}  # fmt: skip


@pytest.mark.parametrize("place", DETECTED)
def test_objects_are_recognised_and_ranked(place: str) -> None:
    assert recognition(FIXTURES / place).format.name == place.partition("/")[0]
    pool = read(place)
    assert ranked(pool) == DETECTED[place]
    if place in IN_PIXELS:
        assert "boxes_without_size" in codes(pool)
        pool = read(place, image_size=[100, 80])
    np.testing.assert_allclose(pool.objects.boxes, [TENTHS] * 3)
    assert len(pool.classes or ()) == (0 if place.endswith("mot") else 2)


@pytest.mark.parametrize("place", CLASSIFIED)
def test_classes_are_recognised_and_ranked(place: str) -> None:
    assert recognition(FIXTURES / place).format.name == place.partition("/")[0]
    pool = read(place)
    assert rank(pool).item_ids.tolist() == CLASSIFIED[place]
    independent = ("labels", "tags", "moderation", "perspective")
    assert pool.multilabel == any(name in place for name in independent)


def test_classes_by_number_are_named_by_the_user() -> None:
    for place in ("detectron2/by_name.json", "tensorflow/by_name.json"):
        assert read(place).classes == ("0", "1")
        assert read(place, classes=["person", "dog"]).classes == ("person", "dog")


def test_labels_of_labelme_are_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="labels, not predictions"):
        read("labelme/labels")


def test_an_image_that_megadetector_could_not_open_is_missing() -> None:
    pool = read("megadetector/failed.json")
    assert pool.item_ids.tolist() == ["bus.jpg", "zidane.jpg", "empty.jpg", "broken.jpg"]
    assert pool.missing.tolist() == [False, False, False, True]


def test_classifications_inside_detections_are_told(tmp_path: Path) -> None:
    row = {"category": "1", "conf": 0.5, "bbox": [0, 0, 1, 1], "classifications": [["3", 0.9]]}
    head = {"detection_categories": {"1": "animal"}}
    pool = written(
        tmp_path, "told.json", {**head, "images": [{"file": "a.jpg", "detections": [row]}]}
    )
    assert pool.classes == ("animal",)
    (notice,) = [one for one in pool.notices if one.code == "not_read"]
    assert notice.message == "Classifications inside detections of 1 image were not read."


def test_scores_that_exceed_one_together_are_of_independent_classes(tmp_path: Path) -> None:
    def image(*scores: float) -> Any:
        rows = [{"tagName": f"t{n}", "probability": s} for n, s in enumerate(scores)]
        return {"iteration": "i", "predictions": rows}

    pool = written(tmp_path, "told.json", {"a.jpg": image(0.9, 0.8), "b.jpg": image(0.5)})
    assert pool.multilabel
    assert "independent" in codes(pool)
    assert pool.mean_probabilities.tolist() == [[0.9, 0.8], [0.5, 0.0]]
    pool = written(tmp_path, "told.json", {"a.jpg": image(0.9, 0.1), "b.jpg": image(0.5, 0.5)})
    assert not pool.multilabel


def test_objects_win_over_labels_of_whole_images(tmp_path: Path) -> None:
    box = {"BoundingBox": {"Left": 0, "Top": 0, "Width": 1, "Height": 1}, "Confidence": 60}
    labels = [{"Name": "Dog", "Confidence": 61, "Instances": [box]},
              {"Name": "Park", "Confidence": 99, "Instances": []}]  # fmt: skip
    pool = written(
        tmp_path, "told.json", {"a.jpg": {"Labels": labels}, "b.jpg": {"Labels": labels[1:]}}
    )
    assert rank(pool, "mean_object_confidence").item_ids.tolist() == ["b.jpg", "a.jpg"]
    assert pool.objects.confidences.tolist() == [0.6]
    (notice,) = [one for one in pool.notices if one.code == "not_read"]
    assert notice.message.startswith("The classes of 2 whole images were not read")


def test_corners_at_zero_are_left_out_by_google(tmp_path: Path) -> None:
    corners = [{}, {"x": 0.5}, {"x": 0.5, "y": 0.25}, {"y": 0.25}]
    row = {"name": "Dog", "score": 0.5, "boundingPoly": {"normalizedVertices": corners}}
    pool = written(tmp_path, "told.json", {"a.jpg": {"localizedObjectAnnotations": [row]}})
    assert pool.objects.boxes.tolist() == [[0, 0, 0.5, 0.25]]


def test_a_circle_of_labelme_has_the_box_around_it(tmp_path: Path) -> None:
    shape = {"label": "dog", "points": [[50, 40], [50, 60]], "shape_type": "circle", "score": 0.5}
    value = {"shapes": [shape], "imagePath": "a.jpg", "imageWidth": 100, "imageHeight": 80}
    assert written(tmp_path, "told.json", value).objects.boxes.tolist() == [[0.3, 0.25, 0.7, 0.75]]


def test_one_odd_detection_is_left_out_and_named(tmp_path: Path) -> None:
    rows = [{"category": "1", "conf": 0.5, "bbox": [0, 0, 1, 1]} for _ in range(19)]
    odd = {"category": "1", "conf": 70, "bbox": [0, 0, 1, 1]}
    pool = written(
        tmp_path, "told.json", {"images": [{"file": "a.jpg", "detections": [*rows, odd]}]}
    )
    (notice,) = [one for one in pool.notices if one.code == "left_out"]
    assert "record 1, detection 20 (item a.jpg): confidence must be in [0, 1]; got 70" in (
        notice.message
    )


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ([], "labels, not predictions"),
        (["v1", "v2"], "one field must hold the predictions; v1, v2 do"),
    ],
)
def test_samples_of_fiftyone_need_one_field_of_predictions(
    tmp_path: Path, names: list[str], why: str
) -> None:
    told = {"_cls": "Classification", "label": "dog", "confidence": 0.5}
    fields = {"truth": {**told, "confidence": None}} | dict.fromkeys(names, told)
    samples = [{"filepath": f"{stem}.jpg", **fields} for stem in "ab"]
    with pytest.raises(InvalidInput, match=why):
        written(tmp_path, "samples.json", {"samples": samples})


def test_what_is_not_read_of_samples_is_told(tmp_path: Path) -> None:
    told = {"_cls": "Classification", "label": "dog", "confidence": 0.5, "logits": [1, 2]}
    pool = written(
        tmp_path,
        "told.json",
        {"samples": [{"filepath": f"{stem}.jpg", "p": told} for stem in "ab"]},
    )
    (notice,) = [one for one in pool.notices if one.code == "not_read"]
    assert notice.message == "Logits of 2 images were not read."
    frames = {"1": {"p": {"_cls": "Detections", "detections": []}}}
    with pytest.raises(InvalidInput, match="frames of videos aren't read from a file"):
        written(tmp_path, "told.json", {"samples": [{"filepath": "a.mp4", "frames": frames}]})


SURE = {
    f"{item}.jpg": {"_cls": "Classification", "label": "dog", "confidence": sure}
    for item, sure in {"a": 0.9, "b": 0.5, "c": 0.7}.items()
}
SAMPLES = [{"filepath": path, "tags": [], "p": label} for path, label in SURE.items()]


@pytest.mark.parametrize("metadata", ["", "{}", "null", "[]", '{"name": "d"}', "no JSON"])
def test_a_folder_of_samples_is_read_whatever_metadata_lie_beside(
    tmp_path: Path, metadata: str
) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "metadata.json").write_text(metadata)
    (folder / "samples.json").write_text(json.dumps({"samples": SAMPLES}))
    pool = open_adapter("files", path="export", directory=tmp_path).read()  # type: ignore[attr-defined]
    assert rank(pool).item_ids.tolist() == ["b.jpg", "c.jpg", "a.jpg"]


def test_a_list_of_samples_is_read_as_that_of_an_export(tmp_path: Path) -> None:
    pool = written(tmp_path, "dump.json", SAMPLES)
    assert rank(pool).item_ids.tolist() == ["b.jpg", "c.jpg", "a.jpg"]


def test_logits_of_samples_without_a_confidence_tell_it(tmp_path: Path) -> None:
    logits = {"a.jpg": [2.0, 0.0], "b.jpg": [0.0, 0.5], "c.jpg": [1.0, 0.0]}
    samples = [
        {"filepath": path, "p": {"_cls": "Classification", "label": "dog", "logits": told}}
        for path, told in logits.items()
    ]
    pool = written(tmp_path, "samples.json", {"samples": samples})
    # of two classes, the larger has the probability 1 / (1 + exp(-difference))
    expected = [1 / (1 + math.exp(-gap)) for gap in (2.0, 0.5, 1.0)]
    assert pool.answer is not None
    assert pool.answer.confidences.tolist() == pytest.approx(expected)
    assert rank(pool).item_ids.tolist() == ["b.jpg", "c.jpg", "a.jpg"]
    assert not [one for one in pool.notices if one.code == "not_read"]


def test_regions_of_via_without_a_score_are_labels(tmp_path: Path) -> None:
    region = {"shape_attributes": {"name": "point"}, "region_attributes": {"label": "dog"}}
    image = {"filename": "a.jpg", "size": 1, "regions": [region], "file_attributes": {}}
    with pytest.raises(InvalidInput, match="labels, not predictions"):
        written(tmp_path, "told.json", {"a.jpg1": image})


def test_a_table_of_via_is_refused_by_name(tmp_path: Path) -> None:
    row = 'a.jpg,1,"{}",1,0,"{""name"":""point""}","{""label"":""car"",""score"":""0.9""}"'
    head = "filename,file_size,file_attributes,region_count,region_id"
    (tmp_path / "via.csv").write_text(f"#{head},region_shape_attributes,region_attributes\n{row}\n")
    pool: Any = open_adapter("files", path="via.csv", directory=tmp_path).read()
    (notice,) = [one for one in pool.notices if one.code == "no_predictions"]
    assert "this is VIA's table. Save the project as JSON" in notice.message


def test_boxes_around_the_shapes_of_via(tmp_path: Path) -> None:
    shapes = [
        {"name": "circle", "cx": 30, "cy": 40, "r": 20},
        {"name": "ellipse", "cx": 30, "cy": 40, "rx": 20, "ry": 8},
        {"name": "polygon", "all_points_x": [10, 50, 30], "all_points_y": [20, 40, 60]},
    ]
    told = {"label": "dog", "confidence": 0.5}
    regions = [{"shape_attributes": one, "region_attributes": told} for one in shapes]
    value = {"a.jpg1": {"filename": "a.jpg", "size": 1, "regions": regions}}
    (tmp_path / "told.json").write_text(json.dumps(value))
    source: Any = {"directory": tmp_path, "path": "told.json", "image_size": [100, 80]}
    pool: Any = open_adapter("files", **source).read()
    np.testing.assert_allclose(
        pool.objects.boxes,
        [[0.1, 0.25, 0.5, 0.75], [0.1, 0.4, 0.5, 0.6], [0.1, 0.25, 0.5, 0.75]],
    )


def _files() -> dict[str, list[tuple[Path, Path]]]:
    return {
        kind: [
            (place, path)
            for place in sorted((FIXTURES / kind).iterdir())
            if place.name != "labels"  # which never rank
            for path in ([place] if place.is_file() else sorted(place.rglob("*")))
        ]
        for kind in READERS
    }


FILES = _files()


def test_a_broken_file_is_ranked_right_or_refused() -> None:
    try_broken(READERS, FILES, tries=800, compared=1)


def test_spans_of_comprehend_are_objects_without_boxes() -> None:
    pool = read("cloud/comprehend-entities.jsonl")
    assert ranked(pool) == NAMES
    assert pool.objects.boxes is None


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([{"score": 0.9, "predicted_label": 1.0}, {"score": 0.45, "predicted_label": 0.0}], "10"),
        ([{"score": [p, 1 - p], "predicted_label": 0} for p in (0.9, 0.6)], "10"),
        ([{"label": ["__label__a", "__label__b"], "prob": [p, 1 - p]} for p in (0.9, 0.6)], "10"),
        ([{"prediction": [0.9, 0.1]}, {"prediction": [0.4, 0.6]}], "10"),
    ],
    ids=["Linear Learner", "several classes", "BlazingText", "images"],
)  # fmt: skip
def test_outputs_of_sagemaker_without_ids_are_numbered(
    tmp_path: Path, outputs: list[Any], expected: str
) -> None:
    pool = written(tmp_path, "told.json", {"predictions": outputs})
    assert rank(pool).item_ids.tolist() == list(expected)
    assert "numbered" in codes(pool)


def test_what_people_annotated_in_a_manifest_is_no_prediction(tmp_path: Path) -> None:
    told = [("no", 0.9), ("yes", 0.5), ("no", 0.6)]
    rows = [
        {"source-ref": f"s3://{n}.jpg", "k": 0,
         "k-metadata": {"class-name": "cat", "confidence": c, "human-annotated": who}}
        for n, (who, c) in enumerate(told)
    ]  # fmt: skip
    pool = written(tmp_path, "told.json", rows)
    assert rank(pool).item_ids.tolist() == ["s3://2.jpg", "s3://0.jpg"]
    assert pool.missing.tolist() == [False, True, False]


def test_a_field_of_several_predictions_is_asked_for(tmp_path: Path) -> None:
    def field(*sure: float) -> dict[str, Any]:
        labels = [{"_cls": "Detection", "label": "cat", "confidence": c} for c in sure]
        return {"_cls": "Detections", "detections": labels}

    samples = [
        {"filepath": "a.jpg", "old": field(0.2), "new": field(0.9)},
        {"filepath": "b.jpg", "old": field(0.8), "new": field(0.6)},
    ]
    with pytest.raises(InvalidInput, match=r"; new, old do\. Hint: set source.pred_field to one"):
        written(tmp_path, "told.json", {"samples": samples})
    for name, expected in (("old", ["a.jpg", "b.jpg"]), ("new", ["b.jpg", "a.jpg"])):
        source: Any = {"path": "told.json", "directory": tmp_path, "pred_field": name}
        assert ranked(open_adapter("files", **source).read()) == expected
    with pytest.raises(InvalidInput, match="pred_field must be a field of the samples; got 'no'"):
        open_adapter("files", path="told.json", directory=tmp_path, pred_field="no").read()
