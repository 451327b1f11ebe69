"""What else Label Studio writes is named with its cure."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

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
