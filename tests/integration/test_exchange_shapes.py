"""Polygons, keypoints and masks go to a real Label Studio, and come back as the same labels."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import labelnext
from labelnext.runs.undo import undo
from tests.integration.exchange import image, made, settings, tasks

if TYPE_CHECKING:  # pytest itself imports the plugins, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.mongod", "tests.integration.label_studio_server")

# label-studio-sdk 2.1 exchanges a Personal Access Token by a call that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")

BY_CONFIDENCE = {"acquisition": {"name": "mean_object_confidence"}}
SQUARE = [(0.1, 0.1), (0.5, 0.1), (0.5, 0.5), (0.1, 0.5)]
CORNER = [(0.75, 0.5), (1.0, 0.5), (1.0, 1.0)]


def fill(dataset: Any, folder: Path, *labels: Any) -> None:
    """Pictures of 40 by 20 pixels, a and b, with predictions; the classes are car and bike."""
    import fiftyone as fo

    dataset.default_classes = ["car", "bike"]
    samples = [
        fo.Sample(image(folder, name), name=name, pred=label)
        for name, label in zip("ab", labels, strict=True)
    ]
    dataset.add_samples(samples, progress=False)


def sent(server: LabelStudio, dataset: Any, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The configuration, and the regions of each task's prediction, by name."""
    config = settings(server, dataset, folder) | BY_CONFIDENCE
    labelnext.run(config)
    assert labelnext.send(config).notices == ()
    rows = tasks(server, made(server, dataset)["id"])
    return config, {row["data"]["name"][0]: row for row in rows}


def accept(server: LabelStudio, task: dict[str, Any], *, drop: int | None = None) -> None:
    """Submit the prediction, perhaps without one of its regions, as an annotator would."""
    (prediction,) = task["predictions"]
    result = [r for at, r in enumerate(prediction["result"]) if at != drop]
    server.api("POST", f"/api/tasks/{task['id']}/annotations/", {"result": result})


def test_polygons_come_back_with_their_ids_and_all_outlines(
    label_studio: LabelStudio, dataset: Any, tmp_path: Path
) -> None:
    import fiftyone as fo

    line = fo.Polyline(label="car", points=[SQUARE, CORNER], confidence=0.9, closed=True)
    other = fo.Polyline(label="bike", points=[CORNER], confidence=0.5, closed=True)
    fill(dataset, tmp_path, fo.Polylines(polylines=[line, other]), fo.Polylines())
    config, rows = sent(label_studio, dataset, tmp_path)
    regions = rows["a"]["predictions"][0]["result"]
    assert [region["type"] for region in regions] == ["polygonlabels"] * 3
    assert regions[1]["value"]["points"] == [[75, 50], [100, 50], [100, 100]]
    assert regions[2]["id"] == other.id
    accept(label_studio, rows["a"])
    assert labelnext.fetch(config).counts == {"labelled": 1, "waiting": 1, "changed": 1}
    dataset.reload()
    back = dataset.exists("labels").first().labels.polylines
    assert [(p.id, p.label, p.closed) for p in back] == [
        (line.id, "car", True), (other.id, "bike", True),
    ]  # fmt: skip
    assert np.allclose(back[0].points[0], SQUARE)
    assert np.allclose(back[0].points[1], CORNER)
    assert labelnext.fetch(config).counts["changed"] == 0
    undo(config)
    dataset.reload()
    assert not dataset.has_sample_field("labels")


def test_keypoints_keep_the_places_of_their_points(
    label_studio: LabelStudio, dataset: Any, tmp_path: Path
) -> None:
    import fiftyone as fo

    points = [(0.25, 0.5), (math.nan, math.nan), (0.5, 0.5), (1.0, 0.0)]
    pose = fo.Keypoint(label="car", points=points, confidence=[0.9, 0.1, 0.8, 0.6])
    fill(dataset, tmp_path, fo.Keypoints(keypoints=[pose]), fo.Keypoints())
    config, rows = sent(label_studio, dataset, tmp_path)
    regions = rows["a"]["predictions"][0]["result"]
    assert [(r["value"]["x"], r["value"]["y"]) for r in regions] == [(25, 50), (50, 50), (100, 0)]
    accept(label_studio, rows["a"], drop=1)  # that at 0.5, 0.5: somebody finds it hidden
    labelnext.fetch(config)
    dataset.reload()
    (back,) = dataset.exists("labels").first().labels.keypoints
    assert (back.id, back.label) == (pose.id, "car")
    hidden = [math.nan, math.nan]
    assert np.allclose(back.points, [[0.25, 0.5], hidden, hidden, [1, 0]], equal_nan=True)
    assert labelnext.fetch(config).counts["changed"] == 0


def test_masks_come_back_pixel_by_pixel(
    label_studio: LabelStudio, dataset: Any, tmp_path: Path
) -> None:
    import fiftyone as fo

    whole = np.zeros((20, 40), dtype=bool)  # an L of two bars
    whole[4:16, 8:12] = True
    whole[12:16, 8:30] = True
    found = fo.Detection.from_mask(whole, label="car", confidence=0.9)
    fill(dataset, tmp_path, fo.Detections(detections=[found]), fo.Detections())
    config, rows = sent(label_studio, dataset, tmp_path)
    (region,) = rows["a"]["predictions"][0]["result"]
    assert (region["type"], region["id"]) == ("brushlabels", found.id)
    assert (region["original_width"], region["original_height"]) == (40, 20)
    accept(label_studio, rows["a"])
    labelnext.fetch(config)
    dataset.reload()
    (back,) = dataset.exists("labels").first().labels.detections
    assert back.id == found.id
    drawn = back.to_segmentation(frame_size=(40, 20), target=1).get_mask()
    assert np.array_equal(drawn > 0, whole)
    assert labelnext.fetch(config).counts["changed"] == 0


def test_boxes_keep_the_ids_of_their_labels(
    label_studio: LabelStudio, dataset: Any, tmp_path: Path
) -> None:
    import fiftyone as fo

    box = fo.Detection(label="car", bounding_box=[0.1, 0.1, 0.5, 0.5], confidence=0.5)
    fill(dataset, tmp_path, fo.Detections(detections=[box]), fo.Detections())
    config, rows = sent(label_studio, dataset, tmp_path)
    accept(label_studio, rows["a"])
    labelnext.fetch(config)
    dataset.reload()
    assert dataset.exists("labels").first().labels.detections[0].id == box.id


def test_several_fields_and_attributes_travel_in_one_project(
    label_studio: LabelStudio, dataset: Any, tmp_path: Path
) -> None:
    import fiftyone as fo

    box = fo.Detection(label="car", bounding_box=[0.1, 0.1, 0.5, 0.5], confidence=0.5)
    box["occluded"], box["age"], box["paint"], box["seats"] = False, 3.5, "red", 4
    plain = fo.Detection(label="bike", bounding_box=[0.5, 0.5, 0.25, 0.25], confidence=0.5)
    plain["paint"] = "blue"
    fill(dataset, tmp_path, fo.Detections(detections=[box, plain]), fo.Detections())
    ground = np.zeros((10, 20), dtype=np.uint8)  # half as large as the image
    ground[5:] = 2
    first = dataset.first()
    fog, rain = fo.Classification(label="fog"), fo.Classification(label="rain")
    first["weather"] = fo.Classifications(classifications=[fog, rain])
    first["speed"] = fo.Regression(value=12.5)
    first["ground"] = fo.Segmentation(mask=ground)
    first.save()
    dataset.mask_targets = {"ground": {1: "grass", 2: "road"}}
    dataset.save()
    config = settings(label_studio, dataset, tmp_path) | BY_CONFIDENCE
    labelnext.run(config)
    names = {
        "fields": ["weather", "speed", "ground"],
        "attributes": ["occluded", "age", "paint", "seats"],
    }
    labelnext.send(config | {"send": config["send"] | names})
    project = made(label_studio, dataset)["id"]
    rows = {row["data"]["name"][0]: row for row in tasks(label_studio, project)}
    (prediction,) = rows["a"]["predictions"]
    said = {(r["from_name"], r["id"]): r for r in prediction["result"]}
    said["weather", "labelnext-weather"]["value"]["choices"] = ["rain"]  # as a person corrects it
    said["occluded", box.id]["value"]["choices"] = ["true"]
    said["seats", box.id]["value"]["number"] = 5
    said["speed", first.speed.id]["value"]["number"] = 20
    accept(label_studio, rows["a"])
    assert labelnext.fetch(config).counts["changed"] == 4
    dataset.reload()
    back = dataset.exists("labels").first()
    assert [d.id for d in back.labels.detections] == [box.id, plain.id]
    one, other = back.labels.detections
    assert (one.occluded, one.age, one.paint, other.paint) == (True, 3.5, "red", "blue")
    assert (one.seats, type(one.seats)) == (5, int)
    assert isinstance(dataset.get_field("labels.detections.seats"), fo.IntField)
    assert other.get_attribute_value("age", None) is None
    assert [(c.label, c.id) for c in back.labels_weather.classifications] == [("rain", rain.id)]
    assert (back.labels_speed.value, back.labels_speed.id) == (20, first.speed.id)
    assert np.array_equal(back.labels_ground.mask, ground.repeat(2, axis=0).repeat(2, axis=1))
    assert dataset.mask_targets["labels_ground"] == {1: "grass", 2: "road"}
    assert labelnext.fetch(config).counts["changed"] == 0
    undo(config)
    dataset.reload()
    assert not [name for name in dataset.get_field_schema() if name.startswith("labels")]
    assert "labels_ground" not in dataset.mask_targets


@pytest.mark.parametrize("kind", ["classes", "number"])
def test_classes_and_numbers_of_whole_images_come_back(
    label_studio: LabelStudio, dataset: Any, tmp_path: Path, kind: str
) -> None:
    import fiftyone as fo

    if kind == "number":
        labels: list[Any] = [fo.Regression(value=v, confidence=0.5) for v in (2.5, -1)]
    else:
        found = [fo.Classification(label=c, confidence=0.75) for c in ("car", "bike")]
        labels = [fo.Classifications(classifications=each) for each in (found, found[:1])]
    fill(dataset, tmp_path, *labels)
    config = settings(label_studio, dataset, tmp_path)
    labelnext.run(config)
    labelnext.send(config)
    rows = {
        row["data"]["name"][0]: row
        for row in tasks(label_studio, made(label_studio, dataset)["id"])
    }
    (region,) = rows["a"]["predictions"][0]["result"]
    assert region["value"] == (
        {"number": 2.5} if kind == "number" else {"choices": ["car", "bike"]}
    )
    accept(label_studio, rows["a"])
    labelnext.fetch(config)
    dataset.reload()
    back = dataset.exists("labels").first().labels
    if kind == "number":
        assert (back.value, back.id) == (2.5, labels[0].id)
    else:
        assert [c.label for c in back.classifications] == ["car", "bike"]
        assert [c.id for c in back.classifications] == [c.id for c in found]
    assert labelnext.fetch(config).counts["changed"] == 0
