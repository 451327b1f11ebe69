"""Ranking files that the files adapter writes, and takes back."""

from __future__ import annotations

import csv
import json
import stat
from pathlib import Path
from typing import Any

import pyarrow.csv
import pyarrow.parquet
import pytest

import labelnext
from labelnext.adapter import open_adapter
from labelnext.config import Config, load_config
from labelnext.errors import ConfigError, LabelnextError
from labelnext.journal import Journal
from labelnext.ranking import rank
from tests.unit.files.test_read import lines


def ranked(tmp_path: Path, output: str):
    text = lines(
        {"item_id": "a", "probabilities": [0.9, 0.1]}, {"item_id": "b", "probabilities": [0.5, 0.5]}
    )
    (tmp_path / "p.jsonl").write_text(text)
    adapter = open_adapter("files", directory=tmp_path, path="p.jsonl", write={"output": output})
    return adapter, adapter.plan(rank(adapter.read(), "margin", budget=1))


@pytest.mark.parametrize("output", ["r.csv", "r.jsonl", "r.parquet"])
def test_ranking_file_holds_every_ranked_item(tmp_path: Path, output: str) -> None:
    adapter, plan = ranked(tmp_path, output)
    adapter.apply(plan, Journal.create(tmp_path / "state", plan))
    path = tmp_path / output
    if output.endswith("csv"):
        rows = pyarrow.csv.read_csv(path).to_pylist()
    elif output.endswith("parquet"):
        rows = pyarrow.parquet.read_table(path).to_pylist()
    else:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert rows == [
        {"item_id": "b", "rank": 1, "priority": 1.0, "score": 0.0, "batch": True},
        {"item_id": "a", "rank": 2, "priority": 0.5, "score": 0.8, "batch": False},
    ]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("r.xlsx", "output must end in one of"),
        ("p.jsonl", "differ from the source's files"),
        ("p.jsonl/r.csv", "r.csv' can't be written: .*p.jsonl' isn't a writable folder"),
    ],
)
def test_impossible_output_is_refused_before_anything_is_written(
    tmp_path: Path, output: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        ranked(tmp_path, output)


def test_undo_refuses_a_file_that_somebody_changed(tmp_path: Path) -> None:
    adapter, plan = ranked(tmp_path, "r.csv")
    journal = Journal.create(tmp_path / "state", plan)
    adapter.apply(plan, journal)
    (tmp_path / "r.csv").write_text("mine")
    with pytest.raises(LabelnextError, match="was changed after the run"):
        adapter.undo(journal)
    assert (tmp_path / "r.csv").read_text() == "mine"


def test_undo_puts_the_earlier_file_back_with_its_mode(tmp_path: Path) -> None:
    adapter, plan = ranked(tmp_path, "r.csv")
    (tmp_path / "r.csv").write_text("mine")
    (tmp_path / "r.csv").chmod(0o640)
    journal = Journal.create(tmp_path / "state", plan)
    adapter.apply(plan, journal)
    copy = journal.path.with_suffix(".before.csv.kept")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    adapter.undo(Journal(journal.path))
    assert (tmp_path / "r.csv").read_text() == "mine"
    assert stat.S_IMODE((tmp_path / "r.csv").stat().st_mode) == 0o640


FORMULAS = (
    "=1+2",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "'=1",
    "''-x",
    "a=1",
    "it's",
)


def test_a_safe_csv_begins_no_cell_like_a_formula_and_is_read_back(tmp_path: Path) -> None:
    rows = [{"item_id": name, "probabilities": [1.0, 0.0]} for name in FORMULAS]
    (tmp_path / "p.jsonl").write_text(lines(*rows))
    config = tmp_path / "labelnext.yaml"
    ids: dict[bool, list[str]] = {}
    for safe in (False, True):
        config.write_text(
            "source: {adapter: files, path: p.jsonl}\nacquisition: {name: entropy}\n"
            f"report: {{path: null}}\nwrite: {{output: r.csv, excel_safe: {str(safe).lower()}}}\n"
        )
        labelnext.run(config)
        with (tmp_path / "r.csv").open(newline="", encoding="utf-8") as file:
            cells = [*csv.reader(file)][1:]
        ids[safe] = [row[0] for row in cells]
        unsafe = [cell for row in cells for cell in row if cell.startswith(tuple("=+-@\t\r\n＝"))]
        assert bool(unsafe) is not safe
        assert sorted(batch(load_config(config))) == sorted(FORMULAS)
    assert sorted(ids[False]) == sorted(FORMULAS)  # byte by byte
    assert dict(zip(ids[False], ids[True], strict=True)) == {
        name: name if name in ("a=1", "it's") else f"'{name}" for name in FORMULAS
    }


def batch(settings: Config) -> list[str]:
    adapter: Any = settings.open_adapter()
    return [item.item_id for item in adapter.batch("labelnext").items]
