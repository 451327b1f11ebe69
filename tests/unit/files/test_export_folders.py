"""Folders of Label Studio's exports, recognised by what is in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labelnext import rank
from labelnext.adapter.formats import recognition
from labelnext.adapter.registry import open_adapter

pytest.importorskip("msgspec")


def task(number: int, cat: float) -> dict[str, Any]:
    value = {"choices": ["cat"], "probs": {"cat": cat, "dog": 1 - cat}}
    result = {"from_name": "c", "to_name": "image", "type": "choices", "value": value}
    predictions = [{"id": number, "model_version": "v1", "score": cat, "result": [result]}]
    data = {"image": f"/d/{number}.jpg"}
    return {"id": number, "data": data, "predictions": predictions, "annotations": []}


def test_a_folder_of_exports_is_one_pool(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([task(1, 0.75), task(2, 0.5)]))
    (tmp_path / "b.jsonl").write_text(json.dumps(task(3, 0.625)) + "\n")
    (tmp_path / "notes.txt").write_text("of no interest")
    known = recognition(tmp_path)
    assert known.format.name == "label-studio"
    assert known.why == "its 2 JSON files hold tasks of Label Studio"
    pool = open_adapter("files", path=str(tmp_path)).read()  # type: ignore[attr-defined]  # of the files adapter
    assert rank(pool, "margin").item_ids.tolist() == ["2", "3", "1"]  # 0, 0.25, 0.5


def test_a_folder_with_other_json_isn_t_taken_for_exports(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([task(1, 0.75)]))
    (tmp_path / "b.json").write_text(json.dumps([{"item_id": "x", "probabilities": [0.5, 0.5]}]))
    assert recognition(tmp_path).format.name != "label-studio"
