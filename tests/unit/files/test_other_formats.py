"""Formats of other packages: read in parts, and with the images of a batch."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

import labelnext
from labelnext.adapter import Context, Options, Part
from labelnext.adapter.formats import Format, recognised
from labelnext.adapter.sample import Sample
from labelnext.config import load_config
from labelnext.pool import Pool
from labelnext_adapters.files.tables.columns import part_of_table
from labelnext_adapters.files.tables.rows import Rows, read_csv, read_jsonl
from labelnext_adapters.files.tables.table import TableReader
from labelnext_adapters.files.tables.table_format import pool_of, table_format
from labelnext_adapters.files.tables.table_options import TableOptions, named_columns
from labelnext_adapters.files.tables.vectors import Meaning
from tests.unit.files.test_formats import of_adapter
from tests.unit.files.test_read import lines


class CsvParts:
    """Every file of a folder, as a part."""

    def __init__(self, path: Path | str, options: TableOptions, context: Context) -> None:
        self.options, self.columns = options, named_columns(options, context)
        self.files = sorted(Path(path).glob("*.csv"))

    def parts(self) -> list[Part]:
        sizes = [read_csv(file).table.num_rows for file in self.files]
        return [
            Part(number, file.name, {"path": str(file)}, size)
            for number, (file, size) in enumerate(zip(self.files, sizes, strict=True))
        ]

    def read_part(self, part: Part, more: Sequence[str] = ()) -> tuple[Pool, pa.Array]:
        table = read_csv(Path(part.payload["path"])).table
        reader = TableReader(table, self.columns, Meaning.of(self.options))
        return part_of_table(reader, self.options.classes)

    def rows(self, item_ids: Sequence[str], more: Sequence[str]) -> pa.Table | None:
        table = pa.concat_tables([read_csv(file).table for file in self.files])
        return table.filter(pc.is_in(table.column("item_id"), pa.array(item_ids)))

    def read(self) -> Pool:
        tables = [read_csv(file).table for file in self.files]
        return pool_of(Rows(pa.concat_tables(tables)), self.options, Context())


def test_another_format_may_be_read_in_parts(tmp_path: Path, also: Callable[..., None]) -> None:
    def read(path: Path | str, options: Any, context: Context) -> Pool:
        return CsvParts(path, options, context).read()

    csv_folder = Format(
        "test-csv-folder",
        "a folder of CSV files",
        (),
        TableOptions,
        read,
        recognises=lambda path: Path(path).is_dir(),
        many_of="csv",
        open_parts=CsvParts,
    )
    also(csv_folder)
    (tmp_path / "pool").mkdir()
    (tmp_path / "pool" / "1.csv").write_text("item_id,p_a,p_b,url\nx,0.9,0.1,X\ny,0.5,0.5,Y\n")
    (tmp_path / "pool" / "2.csv").write_text("item_id,p_a,p_b,url\nz,0.7,0.3,Z\n")
    config = {
        **of_adapter(
            path=str(tmp_path / "pool"),
            format="csv",
            classes=["a", "b"],
            columns={"media": "url"},
        ),
        "acquisition": {"name": "margin"},  # 0.8, 0 and 0.4
        "selection": {"budget": 2},
        "write": {"output": str(tmp_path / "ranking")},
        "report": {"path": None},
        "state": str(tmp_path / "state"),
    }
    assert labelnext.run(config).counts["ranked"] == 3
    files: Any = load_config(config).open_adapter()
    assert [Path(item.media).name for item in files.batch("labelnext").items] == ["Y", "Z"]
    assert len(files.read()) == 3


def test_images_of_a_batch_are_taken_from_any_format_of_tables(
    tmp_path: Path, also: Callable[..., None]
) -> None:
    also(
        table_format(
            "test-rows",
            "an item a line",
            (".test-rows",),
            lambda path, options, roles: read_jsonl(path),
        )
    )
    text = lines(
        {"item_id": "a", "probabilities": [0.9, 0.1], "url": "http://h/a"},
        {"item_id": "b", "probabilities": [0.5, 0.5], "url": "http://h/b"},
    )
    (tmp_path / "p.test-rows").write_text(text)
    config = {
        **of_adapter(path=str(tmp_path / "p.test-rows"), columns={"media": "url"}),
        "selection": {"budget": 1},
        "write": {"output": str(tmp_path / "ranking.csv")},
        "report": {"path": None},
        "state": str(tmp_path / "state"),
    }
    labelnext.run(config)
    with (tmp_path / "ranking.csv").open() as file:
        assert [row["item_id"] for row in csv.DictReader(file)] == ["b", "a"]
    files: Any = load_config(config).open_adapter()
    assert [item.media for item in files.batch("labelnext").items] == ["http://h/b"]


def test_evidence_of_json_is_asked_for_json_and_folders_alone(
    tmp_path: Path, also: Callable[..., None]
) -> None:
    asked: list[str] = []

    def evidence(sample: Sample) -> str | None:
        asked.append(sample.path.name)
        return None

    def read(path: Path | str, options: Any, context: Context) -> Pool:
        return Pool([])

    also(Format("test-json", "", (), Options, read, evidence=evidence, of_json=True))
    (tmp_path / "folder").mkdir()
    (tmp_path / "p.csv").write_text("item_id,p_a,p_b\nx,0.9,0.1\n")
    (tmp_path / "p.json").write_text("[1, 2]")
    (tmp_path / "p.jsonl").write_text('{"item_id": "x"}\n')
    for name in ("p.csv", "p.json", "p.jsonl", "folder"):
        recognised(tmp_path / name)
    assert asked == ["p.json", "p.jsonl", "folder"]
