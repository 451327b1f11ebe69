"""What a run would refuse, check refuses; what a run would replace, both name before."""

from __future__ import annotations

import csv
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import labelnext
from labelnext.errors import LabelnextError, LabelnextWarning
from labelnext.ranking.files import is_ranking
from labelnext.runs.check import check
from labelnext.runs.undo import undo

GOOD = "id,cat,dog\na,0.2,0.8\nb,0.5,0.5\n"
BAD_FILES: dict[str, tuple[str, str]] = {
    "no rows": ("p.csv", "id,cat,dog\n"),
    "empty list": ("p.json", "[]"),
    "empty file": ("p.csv", ""),
    "no ids": ("p.csv", "cat,dog\n0.2,0.8\n"),
    "a word for a number": ("p.csv", "id,cat,dog\na,x,0.8\nb,0.5,0.5\n"),
    "sums": ("p.csv", "id,cat,dog\na,0.2,0.9\nb,0.5,0.5\n"),
    "percent": ("p.csv", "id,cat,dog\na,20,80\nb,50,50\n"),
    "logits": ("p.csv", "id,cat,dog\na,-2.0,8.0\nb,0.5,0.5\n"),
    "no predictions": ("p.csv", "id,width\na,640\nb,480\n"),
    "all null": ("p.csv", "item_id,p_a,p_b,label\nw,0.5,0.5,b\nx,,,\n"),
    "repeated ids": ("p.csv", "id,cat,dog\na,0.2,0.8\na,0.5,0.5\n"),
    "broken JSON": ("p.json", '[{"item_id": "a", '),
    "another format": ("p.json", '{"weights": 3}'),
    "a label that is no class": ("p.csv", "item_id,p_a,p_b,label\nx,0.5,0.5,z\n"),
}
BAD_KEYS: dict[str, Mapping[str, Any]] = {
    "no such file": {"source": {"path": "none.csv"}},
    "the input is the output": {"write": {"output": "p.csv"}},
    "an unknown ending": {"write": {"output": "ranking.xlsx"}},
    "a folder in its place": {"write": {"output": "folder.csv"}},
    "a page in place of data": {"report": {"path": "p.csv"}},
    "a page called as a PDF": {"report": {"path": "new.pdf"}},
    "a foreign page": {"report": {"path": "notes.html"}},
    "a page in a file": {"report": {"path": "p.csv/report.html"}},
    "a file as state": {"state": "p.csv"},
    "a state inside a file": {"state": "p.csv/state"},
    "an unknown column": {"source": {"columns": {"label": "nothing"}}},
    "a function that can't be used": {"acquisition": {"name": "bald"}},
    "objects that aren't there": {"acquisition": {"name": "entropy", "of": "objects"}},
    "a method without embeddings": {"selection": {"method": "k_center", "options": {"x": 1}}},
    "a quota of no class": {"selection": {"options": {"quota": {"bird": 1}}}},
    "include of a stranger": {"selection": {"options": {"include": ["nobody"]}}},
    "groups without a column": {"selection": {"options": {"per_group": 1}}},
    "nothing to review": {"purpose": "review"},
    "a side file that is missing": {"source": {"predictions": {"file": "side.csv"}}},
}


def configured(folder: Path, name: str, content: str, keys: Mapping[str, Any]) -> Path:
    (folder / name).write_text(content)
    (folder / "notes.html").write_text("<title>my notes</title>")
    (folder / "folder.csv").mkdir()
    source = {"adapter": "files", "path": name, **keys.get("source", {})}
    path = folder / "c.yaml"
    path.write_text(yaml.safe_dump({**keys, "source": source}))
    return path


def refusal(path: Path) -> str | None:
    """Why a run is no success; None if it is."""
    try:
        return labelnext.run(path, dry_run=True).nothing_ranked or None
    except LabelnextError as error:
        return str(error)


def objection(path: Path) -> str | None:
    """The error of `check`; None if it has none."""
    try:
        errors = [f.message for f in check(path).findings if f.level == "error"]
    except LabelnextError as error:
        return str(error)
    return "; ".join(errors) or None


@pytest.mark.parametrize("kind", BAD_FILES)
def test_check_fails_where_a_run_fails_for_its_file(kind: str, tmp_path: Path) -> None:
    path = configured(tmp_path, *BAD_FILES[kind], {})
    assert refusal(path)
    assert objection(path)


@pytest.mark.parametrize("kind", BAD_KEYS)
def test_check_fails_where_a_run_fails_for_its_keys(kind: str, tmp_path: Path) -> None:
    path = configured(tmp_path, "p.csv", GOOD, BAD_KEYS[kind])
    assert (refusal(path) is None) == (objection(path) is None)
    with pytest.raises(LabelnextError):
        labelnext.run(path)
    assert objection(path)
    assert not (tmp_path / "ranking.csv").exists()


def test_a_foreign_file_in_place_of_the_ranking_is_named_before_it_is_replaced(
    tmp_path: Path,
) -> None:
    path = configured(tmp_path, "p.csv", GOOD, {})
    ranking = tmp_path / "ranking.csv"
    ranking.write_text("my own notes\n")
    words = "wasn't written by labelnext. A run replaces it, and undo puts it back."
    assert any(f.message.endswith(words) and f.level == "warning" for f in check(path).findings)
    dry = labelnext.run(path, dry_run=True)
    assert [n.message.endswith(words) for n in dry.notices if n.code == "replaces_file"] == [True]
    with pytest.warns(LabelnextWarning, match="A run replaces it"):
        labelnext.run(path)
    undo(path)
    assert ranking.read_text() == "my own notes\n"


def test_a_ranking_of_another_state_folder_is_named_before_it_is_replaced(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        configured(tmp_path / name, "p.csv", GOOD, {"write": {"output": "../shared.csv"}})
    first, second = (tmp_path / name / "c.yaml" for name in ("a", "b"))
    words = "holds a ranking that isn't of a run in"
    labelnext.run(first)
    assert not any(words in finding.message for finding in check(first).findings)
    assert any(words in f.message and f.level == "warning" for f in check(second).findings)
    assert any(words in n.message for n in labelnext.run(second, dry_run=True).notices)
    with pytest.warns(LabelnextWarning, match=words):
        labelnext.run(second)
    assert not any(words in finding.message for finding in check(second).findings)
    undo(second)  # the first one's ranking is back
    assert any(words in finding.message for finding in check(second).findings)


def test_a_ranking_that_somebody_changed_is_named_before_it_is_replaced(tmp_path: Path) -> None:
    path = configured(tmp_path, "p.csv", GOOD, {})
    ranking = tmp_path / "ranking.csv"
    words = "was changed since a run wrote it. A run replaces it, and undo puts it back."
    labelnext.run(path)
    labelnext.run(path)  # its own ranking is replaced without a word
    mine = ranking.read_text().replace("true", "done")
    ranking.write_text(mine)
    assert any(f.message.endswith(words) for f in check(path).findings)
    with pytest.warns(LabelnextWarning, match="was changed since a run wrote it"):
        labelnext.run(path)
    undo(path)
    assert ranking.read_text() == mine


@pytest.mark.parametrize("name", ["r.csv", "r.jsonl", "r.parquet"])
def test_an_earlier_ranking_is_no_foreign_file(name: str, tmp_path: Path) -> None:
    path = configured(tmp_path, "p.csv", GOOD, {"write": {"output": name}})
    labelnext.run(path)
    assert is_ranking(tmp_path / name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        labelnext.run(path)
    (tmp_path / name).write_bytes(b"PAR1 or anything else")
    assert not is_ranking(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("id,cat,dog\na,0.2,0.8\nb,x,0.4\n", "cat must be a number; got 'x' in line 3 (item b)"),
        (
            "id,cat,dog\na,0.2,0.8\nb,0.5,0.4\n",
            "cat, dog must sum to 1 in every row; they sum to 0.9 in line 3 (item b)",
        ),
        ("id,cat,dog\na,-1.0,2.0\nb,0.5,0.4\n", "cat, dog hold negative numbers"),
        ("id,cat,dog\n", "the file has no rows below its columns id, cat, dog"),
    ],
)
def test_a_bad_table_is_told_by_its_line_column_and_value(
    content: str, words: str, tmp_path: Path
) -> None:
    path = configured(tmp_path, "p.csv", content, {})
    assert words in str(refusal(path))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            "id,cat,dog\na,0.2,0.8\nb,0.5,0.4\n",
            "must sum to 100 in every row; they sum to 0.9 in line 3 (item b). If they are "
            "fractions, leave source.scale out.",
        ),
        (
            "id,cat,dog\na,20,80\nb,60,50\n",
            "must sum to 100 in every row; they sum to 110 in line 3 (item b). If classes are",
        ),
    ],
)
def test_percentages_are_measured_against_100(content: str, words: str, tmp_path: Path) -> None:
    path = configured(tmp_path, "p.csv", content, {"source": {"scale": "percent"}})
    assert words in str(refusal(path))


def test_without_predictions_the_cure_is_a_probe(tmp_path: Path) -> None:
    rows = "id,text\na,good morning\nb,good night\n"
    path = configured(tmp_path, "p.csv", rows, {})
    assert "No model yet? Set source.model: probe" in str(refusal(path))
    made = "source: {adapter: files, path: p.csv, model: probe, embeddings: {from: text}}\n"
    path.write_text(made)
    assert refusal(path) is None
    said = "2 items, 0 labelled, without scores: typiclust chooses 2 items."
    assert check(path).findings[-1].message == said


def test_an_item_with_nan_is_named(tmp_path: Path) -> None:
    path = configured(tmp_path, "p.csv", "id,cat,dog\na,0.2,0.8\nb,,0.4\n", {})
    messages = [notice.message for notice in labelnext.run(path, dry_run=True).notices]
    assert "No score for 1 item without all probabilities: b." in messages


def test_images_of_a_list_are_called_by_their_file_names(tmp_path: Path) -> None:
    boxes = [{"image_id": 7, "category_id": 1, "score": 0.4, "bbox": [1, 1, 5, 5]}]
    images = [{"id": 7, "file_name": "street.jpg", "width": 10, "height": 10}]
    listing = {"images": images, "categories": [{"id": 1, "name": "car"}]}
    (tmp_path / "images.json").write_text(json.dumps(listing))
    keys = {"source": {"images": "images.json"}}
    path = configured(tmp_path, "boxes.json", json.dumps(boxes), keys)
    report = labelnext.run(path)
    assert [(row["item_id"], row["name"]) for row in report.next_items] == [("7", "street.jpg")]
    assert "street.jpg" in (tmp_path / "labelnext-report.html").read_text()
    with (tmp_path / "ranking.csv").open() as file:
        assert [row["item_id"] for row in csv.DictReader(file)] == ["7"]


@pytest.mark.parametrize(
    ("name", "rows", "none", "says"),
    [
        ("p.csv", GOOD, "id,cat,dog\n", "the file has no rows below its columns"),
        ("p.csv", "item_id,p_a,p_b\nx,0.9,0.1\n", "item_id,p_a,p_b\n", "must have items to rank"),
        ("p.jsonl", '{"item_id": "a", "confidence": 0.4}\n', "", "the file must not be empty"),
        ("p.json", '[{"item_id": "a", "confidence": 0.4}]', "[]", "the file has no rows"),
    ],
)
def test_a_source_without_items_leaves_the_ranking_as_it_is(
    name: str, rows: str, none: str, says: str, tmp_path: Path
) -> None:
    path = configured(tmp_path, name, rows, {"write": {"output": "ranking.csv"}})
    labelnext.run(path)
    before = (tmp_path / "ranking.csv").read_bytes()
    (tmp_path / name).write_text(none)

    for dry_run in (True, False):
        with pytest.raises(LabelnextError, match=says):
            labelnext.run(path, dry_run=dry_run)

    assert (tmp_path / "ranking.csv").read_bytes() == before


def test_a_ranking_is_emptied_once_every_item_is_labelled(tmp_path: Path) -> None:
    path = configured(tmp_path, "p.csv", GOOD, {"write": {"output": "ranking.csv"}})
    labelnext.run(path)
    (tmp_path / "p.csv").write_text("id,cat,dog,label\na,0.2,0.8,cat\nb,0.5,0.5,dog\n")
    assert labelnext.run(path).counts["ranked"] == 0
    assert (tmp_path / "ranking.csv").read_text().count("\n") == 1
