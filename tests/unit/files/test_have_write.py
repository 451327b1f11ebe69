"""Every row of the README's table "You have → write" ranks, as the format that it names."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
import yaml
from PIL import Image

from labelnext.config.config import load_config
from labelnext.runs.run import run
from labelnext.support.words import a_format

ROOT = Path(__file__).parents[3]
FIXTURES = ROOT / "tests" / "formats"
ROW = re.compile(r"^\| (.+) \| `(source: \{.+\})` \|$", re.M)

ITEM = '{"item_id": "a.jpg", "probabilities": {"cat": 0.9, "dog": 0.1}}\n'
EXPORT = """[{"id": 1, "data": {"image": "1.jpg"}, "annotations": [], "predictions": [{"id": 1,
"model_version": "v1", "result": [{"id": "r", "from_name": "c", "to_name": "i", "type": "choices",
"value": {"choices": ["cat"]}, "score": 0.9}]}]}]"""
WRITTEN = {
    "scores.csv": "id,cat,dog\na,0.9,0.1\n",
    "long.csv": "id,class,score\na,cat,0.9\na,dog,0.1\n",
    "top1.csv": "id,prediction,confidence\na,cat,0.9\n",
    "votes.csv": "item,worker,label\na,x,cat\na,y,dog\n",
    "logits.csv": "id,cat,dog\na,2,-1\n",
    "predictions.jsonl": ITEM,
    "results.json": '[{"image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 4], "score": 0.5}]',
    "instances.json": '{"images": [{"id": 1, "width": 9, "height": 9}], '
    '"categories": [{"id": 1, "name": "cat"}]}',
    "out.txt": "__label__cat 0.9\n__label__dog 0.6\n",
    "export.json": EXPORT,
}
COPIED = {
    "runs/detect/predict": "yolo/detect",
    "sink.csv": "supervision/sink.csv",
    "roboflow.json": "roboflow/list.json",
    "annotations.xml": "cvat/boxes.xml",
    "outputs.json": "huggingface/image-classification.json",
    "completions.jsonl": "llm/completions.jsonl",
    "docs.spacy": "spacy/cats.spacy",
}
FORMATS = {
    "scores.csv": "csv",
    "long.csv": "csv",
    "top1.csv": "csv",
    "votes.csv": "csv",
    "logits.csv": "csv",
    "predictions.jsonl": "jsonl",
    "pool.parquet": "parquet",
    "runs/detect/predict": "yolo",
    "photos": "images",
    "results.json": "coco",
    "sink.csv": "supervision",
    "roboflow.json": "roboflow",
    "annotations.xml": "cvat",
    "outputs.json": "huggingface",
    "completions.jsonl": "llm",
    "docs.spacy": "spacy",
    "out.txt": "fasttext",
    "export.json": "label-studio",
}
ROWS = ROW.findall((ROOT / "README.md").read_text("utf-8"))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, text in WRITTEN.items():
        (tmp_path / name).write_text(text, "utf-8")
    for name, fixture in COPIED.items():
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        copy: Any = shutil.copytree if (FIXTURES / fixture).is_dir() else shutil.copy
        copy(FIXTURES / fixture, target)
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "photos" / "a.jpg")
    table = pa.table({"item_id": ["a"], "probabilities": [[0.9, 0.1]]})
    pa.parquet.write_table(table, tmp_path / "pool.parquet")
    return tmp_path


def test_the_table_has_a_row_for_each_kind() -> None:
    paths = [yaml.safe_load(source)["source"]["path"] for _, source in ROWS]
    assert sorted(paths) == sorted(FORMATS)


@pytest.mark.parametrize(("have", "source"), ROWS, ids=[have[:40] for have, _ in ROWS])
def test_a_row_ranks(files: Path, have: str, source: str) -> None:
    config = files / "labelnext.yaml"
    config.write_text(f"{source}\nwrite: {{output: ranking.csv}}\n", "utf-8")
    path = yaml.safe_load(source)["source"]["path"]
    adapter: Any = load_config(config).open_adapter()
    assert f"is {a_format(FORMATS[path])} " in adapter.check()[0].message
    report = run(config)
    assert report.counts["ranked"] > 0
    assert (files / "ranking.csv").is_file()
