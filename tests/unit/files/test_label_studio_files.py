"""What else Label Studio writes is named with its cure; exports show their texts and images."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

import labelnext
from labelnext.adapter.registry import open_adapter
from labelnext.errors import ConfigError, InvalidInput

STORED = {
    "id": 1,
    "result": [],
    "lead_time": 2.5,
    "completed_by": 1,
    "task": {"id": 7, "data": {"text": "a"}, "predictions": []},
}


@pytest.mark.parametrize("setup", [True, False])
@pytest.mark.parametrize("name", ["storage/1", "one.json", "several.json"])
def test_annotations_of_a_target_storage_are_named(tmp_path: Path, name: str, setup: bool) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps([STORED, STORED] if name == "several.json" else STORED))
    (tmp_path / "setup.xml").write_text("<View/>")
    given: dict[str, Any] = {"label_config": tmp_path / "setup.xml"} if setup else {}
    source = path.parent if "/" in name else path
    with pytest.raises(InvalidInput, match="as Label Studio writes it to a target storage") as told:
        open_adapter("files", path=source, **given).read()
    assert str(told.value.hint).startswith("Create a snapshot: POST /api/projects/")


def test_a_yolo_export_is_labels_and_unpacking_it_is_no_cure(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for name in ("images/", "labels/", "notes.json", "classes.txt", "labels/a.txt"):
            archive.writestr(name, "")
    with pytest.raises(ConfigError, match=r"'p.zip' is a YOLO export of labels") as told:
        open_adapter("files", path=tmp_path / "p.zip").read()
    assert "create a snapshot with predictions" in str(told.value.hint)


def test_a_labelling_setup_beside_another_export_says_which_one_to_take(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("annotation_id,annotator,id,label\n1,1,7,cat\n")
    with pytest.raises(ConfigError, match="label_config must be left out of csv files") as told:
        open_adapter("files", path=tmp_path / "p.csv", label_config=tmp_path / "setup.xml")
    assert "export a Label Studio project as JSON" in str(told.value.hint)


TEXT = '<View><Text name="t" value="$text"/><Choices name="k" toName="t"/></View>'
CLASSES = '<Choice value="a"/><Choice value="b"/>'
REGION = {"from_name": "k", "to_name": "t", "type": "choices", "value": {"choices": ["a"]}}
IMAGE = '<View><Image name="i" value="$photo"/><Choices name="k" toName="i"/></View>'


def exported(folder: Path, setup: str | None, *data: dict[str, Any]) -> Any:
    """An adapter on an export of tasks 1, 2, … with these data and a class each."""
    made = [{"model_version": "m", "score": 0.75, "result": [REGION]}]
    tasks = [{"id": n, "data": one, "predictions": made} for n, one in enumerate(data, 1)]
    (folder / "export.json").write_text(json.dumps(tasks))
    given: dict[str, Any] = {}
    if setup is not None:
        (folder / "setup.xml").write_text(setup)
        given["label_config"] = folder / "setup.xml"
    return open_adapter("files", path=folder / "export.json", **given)


@pytest.mark.parametrize("setup", [TEXT, None])
def test_texts_of_an_export_are_shown(tmp_path: Path, setup: str | None) -> None:
    data = [{"n": 3, "text": "a <b>fine</b> day", "other": "not this one"}, {"text": ""}, {"n": 4}]
    shown = exported(tmp_path, setup, *data).previews(["1", "2", "3", "4"])
    assert {item: one.text for item, one in shown.items() if one.text} == {"1": "a  fine  day"}


@pytest.mark.parametrize("setup", [IMAGE, None])
def test_images_of_an_export_are_read_beside_it_and_nowhere_else(
    tmp_path: Path, setup: str | None
) -> None:
    from PIL import Image

    for place in (tmp_path / "images" / "a b.png", tmp_path / "elsewhere" / "outside.png"):
        place.parent.mkdir()
        Image.new("RGB", (4, 4)).save(place)
    places = [
        "/data/local-files/?d=one/a%20b.png",
        "/data/upload/7/0a1b2c3d-a b.png",
        str(place),
        "http://h/c.png",
        "/data/upload/7/gone.png",
    ]
    adapter = exported(tmp_path, setup, *({"photo": place} for place in places))
    shown = adapter.previews([str(n) for n in range(1, 6)])
    assert {item for item, one in shown.items() if one.image} == {"1", "2"}
    assert shown["1"].image() == (tmp_path / "images" / "a b.png").read_bytes()
    assert shown["4"].address == "http://h/c.png"


@pytest.mark.parametrize("setup", [TEXT, None])
def test_a_probe_learns_from_the_texts_of_an_export(tmp_path: Path, setup: str | None) -> None:
    words = {"a": "sun beach sand wave", "b": "stock bank money market"}
    tasks = []
    for number in range(12):
        name = "ab"[number % 2]
        result = [{**REGION, "value": {"choices": [name]}}]
        said = [{"id": number, "result": result}] if number < 6 else []
        tasks.append({"id": number, "data": {"text": words[name]}, "annotations": said})
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    source: dict[str, Any] = {"adapter": "files", "path": str(tmp_path / "export.json")}
    if setup is not None:
        (tmp_path / "setup.xml").write_text(setup.replace("/></", f">{CLASSES}</Choices></"))
        source["label_config"] = str(tmp_path / "setup.xml")
    report = labelnext.run(
        {
            "source": {**source, "model": "probe", "embeddings": {"from": "text"}},
            "write": {"output": str(tmp_path / "r.csv")},
            "report": {"path": None},
            "state": str(tmp_path / "state"),
        }
    )
    assert sorted(map(int, report.ranking.pool_order)) == [*range(6, 12)]
