"""Pickles of detections: numpy arrays in plain containers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labelnext.adapter.formats import Format
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext.support.started import how
from labelnext_adapters.files.tables.table_options import ScoreOptions
from labelnext_adapters.files.vision.options import DetectionOptions


class PickleOptions(DetectionOptions, ScoreOptions):
    """Keys of `source` for pickles."""


def read(path: Path | str, options: PickleOptions, context: Context) -> Pool:
    """The images, with their detections as objects; or items with class scores.

    Raises:
        InvalidInput: if the pickle holds more than arrays and plain containers, or no detections.
    """
    from labelnext_adapters.files.vision.arrays import (
        MMDETECTION,
        SUPERVISION,
        TORCHVISION,
        by_class,
    )
    from labelnext_adapters.files.vision.documents import expanded
    from labelnext_adapters.files.vision.findings import read_documents
    from labelnext_adapters.files.vision.unpickle import load_pickle

    value: Any = load_pickle(Path(path))
    value = by_class(value)
    for tool in (*MMDETECTION, *TORCHVISION, *SUPERVISION):
        documents = list(expanded(value, tool.is_one))
        if any(tool.is_one(one.value) for one in documents):
            return read_documents(documents, tool, options, context.key)
    return _scored(value, options, context)


def _scored(value: Any, options: PickleOptions, context: Context) -> Pool:
    """Items with the scores of their classes.

    Raises:
        InvalidInput: if a value is something else.
    """
    from labelnext_adapters.files.tables.column_names import ColumnRoles, has_our_names
    from labelnext_adapters.files.tables.json_rows import rows_of_json
    from labelnext_adapters.files.tables.table_format import pool_of
    from labelnext_adapters.files.tables.table_options import TableOptions

    named = {"classes", "multilabel", "scale", "logits"}
    table_options = TableOptions.model_validate(options.model_dump(include=named))
    try:
        rows = rows_of_json(value, ColumnRoles())
    except InvalidInput:
        rows = None
    names = [] if rows is None else rows.table.column_names
    listed_rows = isinstance(value, list) and ColumnRoles().id_among(names) is not None
    if rows is not None and (listed_rows or has_our_names(names, {})):
        return pool_of(rows, table_options, context)
    raise InvalidInput(
        "a pickle must hold the detections of each image: bboxes, labels and scores, boxes, labels "
        "and scores, or xyxy and confidence; or an array with the scores of the classes.",
        hint=f"convert it to JSON where it was made; {how('formats')} lists what is read.",
    )


def evidence(sample: Sample) -> str | None:
    """Whether the first bytes are those of a pickle."""
    if sample.start[:1] == b"\x80" and sample.start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "its first bytes are those of a pickle"
    return None


FORMAT = Format(
    "pickle",
    "pickled numpy arrays: detections, or scores of classes; nothing in them is run",
    (".pkl", ".pickle", ".pt", ".pth"),
    PickleOptions,
    read,
    evidence=evidence,
)
