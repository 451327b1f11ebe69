"""Ids of any look come back as they were, from whatever labelnext reads and writes."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from labelnext.runs.labelled_file import labels
from labelnext.runs.predicted_file import predictions
from tests.unit.files.reading import read

IDS = [
    "007", "1e5", "1e400", "0x1F", "1_000", "-0", "+1", ".5", "1.", "1.0", "1,5", "1;5", "00", "0",
    "9007199254740993", "18446744073709551616", "2024-01-01", "2024-01-01 00:00:00", "01/02/2024",
    "12:30", "12:30:45", "true", "True", "null", "NULL", "None", "NaN", "nan", "NA", "N/A", "#N/A",
    "Inf", "-inf", " before", "after ", "  ", "in side", "a\tb", "a,b", "a;b", "a|b", 'a"b', "a'b",
    '""', '"quoted"', "a\nb", "a\r\nb", "a\rb", "a\x0bb", "a\x1fb", "a\x85b", "a\u2028b", "\u00a0x",
    "\u200bz", "caf\u00e9", "cafe\u0301", "\u0130", "\u00df", "\U0001f600", "\ufeffm", "#x",
    "=1+1", "@x", "-x", "\\", "\\n", "%41", "a/b.jpg", "C:\\x\\y.png", "[1, 2]", '{"a": 1}', "{}",
    "[]", "x" * 300,
]  # fmt: skip
SHARES = [round(0.5 + n / 1000, 3) for n in range(len(IDS))]


def _write(path: Path) -> None:
    records: list[dict[str, Any]] = [
        {"item_id": i, "p_cat": p, "p_dog": 1 - p, "label": "cat"}
        for i, p in zip(IDS, SHARES, strict=True)
    ]
    if path.suffix in (".csv", ".tsv"):
        with path.open("w", newline="", encoding="utf-8") as file:
            sign = "\t" if path.suffix == ".tsv" else ","
            table = csv.DictWriter(file, list(records[0]), delimiter=sign)
            table.writeheader()
            table.writerows(records)
    elif path.suffix == ".parquet":
        pa.parquet.write_table(pa.Table.from_pylist(records), path)
    else:
        path.write_text("".join(f"{json.dumps(one)}\n" for one in records), "utf-8")


@pytest.mark.parametrize("source", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize("written", ["csv", "jsonl", "parquet"])
def test_ids_come_back_from_labels_and_predictions(
    tmp_path: Path, source: str, written: str
) -> None:
    _write(tmp_path / f"in.{source}")
    assert read(tmp_path, f"in.{source}").item_ids.tolist() == IDS
    config = {"source": {"adapter": "files", "path": str(tmp_path / f"in.{source}")}}
    labels(config, tmp_path / f"labels.{written}")
    assert sorted(read(tmp_path, f"labels.{written}").item_ids) == sorted(IDS)
    predictions(config, tmp_path / f"predictions.{written}")
    pool = read(tmp_path, f"predictions.{written}")
    assert pool.item_ids.tolist() == IDS
    assert pool.probabilities is not None
    assert pool.probabilities[:, 0].tolist() == pytest.approx(SHARES)


@pytest.mark.parametrize("written", ["csv", "jsonl"])
def test_labelled_objects_come_back_from_labels(tmp_path: Path, written: str) -> None:
    record = {"item_id": "a", "truth": [{"class": "cat", "box": [0, 0, 0.5, 0.5]}]}
    (tmp_path / "in.jsonl").write_text(json.dumps(record))
    labels({"source": {"adapter": "files", "path": str(tmp_path / "in.jsonl")}},
           tmp_path / f"labels.{written}")  # fmt: skip
    pool = read(tmp_path, f"labels.{written}", columns={"truth": "objects"})
    assert pool.classes == ("cat",)
    assert pool.truth is not None
    assert pool.truth.counts.tolist() == [1]
    assert pool.truth.class_ids is not None
    assert pool.truth.class_ids.tolist() == [0]
