"""Data sets of Hugging Face's library `datasets`: saved folders, Parquet, Arrow and JSONL."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from labelnext.adapter.formats import Format
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.pool.pool import Pool
from labelnext_adapters.files.tables.table_options import TableOptions, named_columns

#: How files of Parquet, and of Arrow's file and stream formats begin; others need no library.
_STARTS = (b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")


class DatasetsOptions(TableOptions):
    """Keys of `source` for data sets of Hugging Face."""

    split: str | None = None
    """The split to read, if a saved data set has several."""
    bbox: Literal["xywh", "xyxy"] = "xywh"
    """What the four numbers of a box in pixels are: a corner, width and height; or two corners."""


def read(path: Path | str, options: DatasetsOptions, context: Context) -> Pool:
    """The rows.

    Raises:
        InvalidInput: if there is no such split or column, or a value breaks its rule.
    """
    from labelnext_adapters.files.huggingface.dataset import read_dataset
    from labelnext_adapters.files.huggingface.pool import pool_of_dataset
    from labelnext_adapters.files.tables.column_names import ColumnRoles

    roles = ColumnRoles(named_columns(options, context))
    rows, features = read_dataset(Path(path), options.split, roles)
    return pool_of_dataset(rows, features, options, context, options.bbox)


def evidence(sample: Sample) -> str | None:
    """Whether the library wrote a folder or file."""
    if sample.is_folder:
        names = set(sample.names)
        if "dataset_dict.json" in names:
            return "it has a dataset_dict.json"
        saved = {"state.json", "dataset_info.json"} <= names
        return "it has a state.json and a dataset_info.json" if saved else None
    if sample.start.startswith(_STARTS):
        from labelnext_adapters.files.huggingface.dataset import is_written_by_datasets

        if is_written_by_datasets(sample.path, sample.start):
            return "its schema has features of the library datasets"
    for record in sample.records[:5]:
        if any(isinstance(v, dict) and v.keys() == {"bytes", "path"} for v in record.values()):
            return "its records have images with bytes and path"
        for name, value in record.items():
            lists = isinstance(value, dict) and all(isinstance(v, list) for v in value.values())
            if lists and {"bbox", "category"} <= value.keys():
                return f"its records have {name} as lists of bbox and category"
    if sample.records and sample.path.with_name("dataset_info.json").is_file():
        from labelnext_adapters.files.huggingface.dataset import features_beside

        if features_beside(sample.path).keys() & sample.records[0].keys():
            return "a dataset_info.json beside it describes it"
    return None


FORMAT = Format(
    "datasets",
    "data sets of Hugging Face's library datasets: saved folders, Parquet, Arrow, JSONL",
    (),
    DatasetsOptions,
    read,
    evidence=evidence,
    recognised_by="features of the library datasets",
)
