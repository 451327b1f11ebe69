"""labelnext predictions: what is in the file, and that it reads back as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext.adapter import open_adapter
from labelnext.cli.commands import app
from labelnext.errors import ConfigError, InvalidInput
from labelnext.runs.predicted_file import predictions

ROWS = {"a": [0.75, 0.25], "=b": [0.125, 0.875], "c": None}


def settings(folder: Path, **write: Any) -> dict[str, Any]:
    lines = [{"item_id": i, "probabilities": p} for i, p in ROWS.items() if p is not None]
    lines.append({"item_id": "c"})
    (folder / "in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    path = str(folder / "in.jsonl")
    return {
        "source": {"adapter": "files", "path": path, "classes": ["cat", "dog"]},
        "write": write,
    }


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.parquet"])
def test_the_file_reads_back_as_predictions(tmp_path: Path, name: str) -> None:
    written = predictions(settings(tmp_path), tmp_path / name)
    assert (written.items, written.without) == (2, 1)
    pool = open_adapter("files", path=str(tmp_path / name)).read()
    assert pool.item_ids.tolist() == ["a", "=b"]
    assert pool.classes == ("cat", "dog")
    assert np.array_equal(pool.mean_probabilities, [[0.75, 0.25], [0.125, 0.875]])


def test_csv_names_the_likeliest_class_and_is_safe_for_spreadsheets(tmp_path: Path) -> None:
    predictions(settings(tmp_path, excel_safe=True), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().splitlines() == [
        '"item_id","prediction","p_cat","p_dog"',
        '"a","cat",0.75,0.25',
        '"\'=b","dog",0.125,0.875',
    ]


def test_a_probe_s_predictions_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["item_id,e0,label", "a,0,no", "b,1,no", "c,9,yes", "d,10,yes", "e,0.5,", "f,9.5,"]
    (tmp_path / "in.csv").write_text("\n".join(lines))
    (tmp_path / "c.yaml").write_text(
        "source: {adapter: files, path: in.csv, model: probe, columns: {embedding: [e0]}}\n"
    )
    out = tmp_path / "out.jsonl"
    app(["predictions", str(tmp_path / "c.yaml"), str(out)], standalone_mode=False)
    assert "Wrote the predictions of 6 items to" in capsys.readouterr().out
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert {row["item_id"]: row["prediction"] for row in rows[-2:]} == {"e": "no", "f": "yes"}
    assert all(row["p_no"] + row["p_yes"] == pytest.approx(1) for row in rows)


def test_a_row_that_cannot_be_read_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{name},0.9,0.1" for name in (*range(30), "")]
    (tmp_path / "in.csv").write_text("\n".join(["item_id,p_a,p_b", *rows]))
    (tmp_path / "c.yaml").write_text("source: {adapter: files, path: in.csv}\n")
    app(["predictions", f"{tmp_path}/c.yaml", f"{tmp_path}/out.csv"], standalone_mode=False)
    lost, said = capsys.readouterr().out.splitlines()
    assert lost == "warning Left out 1 of 31 rows: line 32: item_id must be set."
    assert said.startswith("Wrote the predictions of 30 items to")


def test_files_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"must end in one of \.jsonl, \.csv, \.parquet"):
        predictions(settings(tmp_path), tmp_path / "out.txt")
    with pytest.raises(ConfigError, match=r"the file of predictions must differ from source\.path"):
        predictions(settings(tmp_path), tmp_path / "in.jsonl")


def test_items_without_class_probabilities_are_refused(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("item_id\na\nb\n")
    source = {"adapter": "files", "path": str(tmp_path / "in.csv")}
    with pytest.raises(InvalidInput, match="predictions needs class probabilities") as caught:
        predictions({"source": source}, tmp_path / "out.csv")
    assert str(caught.value.hint).startswith("label two items of each class for a probe")
    assert not (tmp_path / "out.csv").exists()
