"""Batches of plain files become projects of the labels that were predicted, with the images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import labelnext
from labelnext.errors import ConfigError, InvalidInput
from tests.integration.exchange import image, ranked, tasks

if TYPE_CHECKING:  # pytest itself imports the plugins, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)

pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")

# Centre 0.5, 0.5, as wide as half of the image and as high as all of it: 25, 0, 50, 100 in percent.
LINE = "{kind} 0.5 0.5 0.5 1.0 {sure}\n"
BOX = {"x": 25.0, "y": 0.0, "width": 50.0, "height": 100.0}


def detected(folder: Path, images: str = "images") -> Path:
    """A run of a detector over a.png (bus, 0.5) and b.png (car, 0.9), whose images lie elsewhere.

    Returns:
        The folder of the run.
    """
    labels = folder / "runs" / "detect" / "predict" / "labels"
    labels.mkdir(parents=True)
    (folder / images).mkdir()
    for name, kind, sure in (("a", 1, 0.5), ("b", 0, 0.9)):
        image(folder / images, name)
        (labels / f"{name}.txt").write_text(LINE.format(kind=kind, sure=sure))
    names = f"path: .\ntrain: {images}\nnames: {{0: car, 1: bus}}\n"
    (folder / "data.yaml").write_text(names)
    return labels.parent


def sent(
    server: LabelStudio, folder: Path, source: dict[str, Any], **changes: Any
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The project that was made for the batch of a source, and its tasks by rising number."""
    config = ranked(
        folder,
        acquisition={"name": "auto"},
        source={"adapter": "files", **source},
        write={"output": str(folder / "ranking.csv")},
        send={"url": server.url, "api_key": server.token},
        **changes,
    )
    labelnext.run(config)
    before = {p["id"] for p in server.api("GET", "/api/projects/", page_size=1000)["results"]}
    said = labelnext.send(config)
    found = server.api("GET", "/api/projects/", page_size=1000)["results"]
    (project,) = [p for p in found if p["id"] not in before]
    assert f"/projects/{project['id']}/" in " ".join(said.next_steps)
    rows = tasks(server, project["id"])
    for row in rows:  # each image is the item's own, and the server shows it
        shown = server._http.get(row["data"]["image"])
        assert shown.is_success
        assert shown.content[:4] == b"\x89PNG"
    return dict(project), rows


def regions(task: dict[str, Any]) -> list[dict[str, Any]]:
    (prediction,) = task["predictions"]
    return list(prediction["result"])


def check_boxes(project: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """A project for boxes of cars and buses, each task with its predicted box."""
    assert "<RectangleLabels" in project["label_config"]
    assert '<Label value="car"/><Label value="bus"/>' in project["label_config"]
    told = {}
    for row in rows:
        (region,) = regions(row)
        assert region["type"] == "rectanglelabels"
        assert {side: region["value"][side] for side in BOX} == BOX
        name = row["data"]["files_id"].rpartition("/")[2]
        told[name] = (region["value"]["rectanglelabels"], region["score"])
    assert told == {"a.png": (["bus"], 0.5), "b.png": (["car"], 0.9)}


@pytest.mark.parametrize("images", ["images", "pool"])
def test_a_detectors_folder_is_sent_with_the_images_beside_it(
    label_studio: LabelStudio, tmp_path: Path, images: str
) -> None:
    run = detected(tmp_path, images)
    check_boxes(*sent(label_studio, tmp_path, {"path": str(run)}))


@pytest.mark.parametrize("columns", [{"media": "file"}, {}])
def test_a_side_file_of_a_detector_makes_a_project_of_boxes(
    label_studio: LabelStudio, tmp_path: Path, columns: dict[str, str]
) -> None:
    run, images = detected(tmp_path), tmp_path / "images"
    lines = [f"{n}.png,{images / n}.png,no\n" for n in "ab"]
    (tmp_path / "items.csv").write_text("item_id,file,labelled\n" + "".join(lines))
    side = {"file": str(run)}
    source = {"path": str(tmp_path / "items.csv"), "columns": columns, "predictions": side}
    check_boxes(*sent(label_studio, tmp_path, source))


def test_coco_results_are_sent_from_the_folder_of_their_images(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    detected(tmp_path, "val2017")
    sizes = {"width": 40, "height": 20}
    images = [{"id": 7, "file_name": "a.png", **sizes}, {"id": 8, "file_name": "b.png", **sizes}]
    kinds = [{"id": 1, "name": "car"}, {"id": 2, "name": "bus"}]
    found = [(7, 2, 0.5), (8, 1, 0.9)]
    box = [10, 0, 20, 20]
    results = [{"image_id": i, "category_id": k, "bbox": box, "score": s} for i, k, s in found]
    listed = {"images": images, "categories": kinds, "annotations": []}
    for name, content in (("list.json", listed), ("results.json", results)):
        (tmp_path / name).write_text(json.dumps(content))
    source = {"path": str(tmp_path / "results.json"), "images": str(tmp_path / "list.json")}
    with pytest.raises(ConfigError, match=r"source.pictures to their folder"):
        sent(label_studio, tmp_path, source)
    project, rows = sent(label_studio, tmp_path, {**source, "pictures": str(tmp_path / "val2017")})
    for row in rows:
        row["data"]["files_id"] = {"7": "a.png", "8": "b.png"}[row["data"]["files_id"]]
    check_boxes(project, rows)


def test_voc_is_sent_from_the_images_beside_its_annotations(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    detected(tmp_path, "JPEGImages")
    (tmp_path / "Annotations").mkdir()
    for name, kind, sure in (("a", "bus", 0.5), ("b", "car", 0.9)):
        box = "<xmin>10</xmin><ymin>0</ymin><xmax>30</xmax><ymax>20</ymax>"
        told = f"<name>{kind}</name><score>{sure}</score><bndbox>{box}</bndbox>"
        size = "<size><width>40</width><height>20</height></size>"
        text = f"<filename>{name}.png</filename>{size}<object>{told}</object>"
        path = tmp_path / "Annotations" / f"{name}.xml"
        path.write_text(f"<annotation>{text}</annotation>")
    source = {"path": str(tmp_path / "Annotations"), "classes": ["car", "bus"]}
    check_boxes(*sent(label_studio, tmp_path, source))


def test_images_with_a_probe_are_sent_with_what_the_probe_predicts(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    from PIL import Image

    for name, folder, colour in (
        *((f"r{i}", "red", (250 - i, 0, 0)) for i in range(3)),
        *((f"g{i}", "green", (0, 250 - i, 0)) for i in range(3)),
        *(("new-a", "", (240, 0, 0)), ("new-b", "", (0, 240, 0))),
    ):
        (tmp_path / "photos" / folder).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), colour).save(tmp_path / "photos" / folder / f"{name}.png")
    source = {
        "path": str(tmp_path / "photos"),
        "folders_are_labels": True,
        "model": "probe",
        "embeddings": {"from": "images"},
    }
    project, rows = sent(label_studio, tmp_path, source)
    assert '<Choice value="green"/><Choice value="red"/>' in project["label_config"]
    told = {row["data"]["files_id"]: regions(row)[0]["value"]["choices"] for row in rows}
    assert told == {"new-a.png": ["red"], "new-b.png": ["green"]}


def test_classes_from_a_side_file_are_sent_as_choices(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    detected(tmp_path)
    (tmp_path / "items.csv").write_text("item_id,labelled\na.png,no\nb.png,no\n")
    (tmp_path / "p.csv").write_text("item_id,p_cat,p_dog\na.png,0.4,0.6\nb.png,0.9,0.1\n")
    side = {"file": str(tmp_path / "p.csv")}
    source = {"path": str(tmp_path / "items.csv"), "predictions": side}
    project, rows = sent(label_studio, tmp_path, source)
    assert '<Choice value="cat"/><Choice value="dog"/>' in project["label_config"]
    told = {row["data"]["files_id"]: regions(row)[0] for row in rows}
    assert {i: (r["value"]["choices"], r["score"]) for i, r in told.items()} == {
        "a.png": (["dog"], 0.6),
        "b.png": (["cat"], 0.9),
    }


def test_images_that_nobody_named_make_no_tasks_in_a_project_that_may_hold_them(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    run = detected(tmp_path)
    setup = '<View><Image name="i" value="$image"/><RectangleLabels name="l" toName="i">'
    setup += '<Label value="car"/><Label value="bus"/></RectangleLabels></View>'
    data = [{"data": {"image": f"http://h/{n}.png", "name": f"{n}.png"}} for n in "ab"]
    project = label_studio.create_project(setup, data)
    config = ranked(
        tmp_path,
        acquisition={"name": "auto"},
        source={"adapter": "files", "path": str(run)},
        write={"output": str(tmp_path / "ranking.csv")},
        send={"url": label_studio.url, "api_key": label_studio.token, "project": project},
    )
    labelnext.run(config)
    with pytest.raises(InvalidInput, match="none of 2 is: a.png, b.png") as error:
        labelnext.send(config)
    assert "set source.pictures to their folder" in str(error.value.hint)
    labelnext.send(config | {"send": {**config["send"], "key": "name"}})
    assert label_studio.priorities(project) == dict(
        zip(label_studio.task_ids(project), ["1.0000", "0.5000"], strict=True)
    )
    named = {**config["source"], "pictures": str(tmp_path / "images")}
    labelnext.send(config | {"source": named})
    assert [t["data"].get("files_id") for t in tasks(label_studio, project)] == [
        *(None, None, "a.png", "b.png"),
    ]
