"""A data set of the Hugging Face library: where its tables are, and which column means what."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext.support.words import counted
from labelnext_adapters.files.content.content import read_json
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.content.values import fractions_of
from labelnext_adapters.files.huggingface.features import (
    class_names,
    features_in,
    is_media,
)
from labelnext_adapters.files.huggingface.nested import kind_of
from labelnext_adapters.files.json.roles import Roles
from labelnext_adapters.files.tables.arrow import is_list
from labelnext_adapters.files.tables.column_names import first_of, sizes_in
from labelnext_adapters.files.tables.ipc import MARK, read_ipc, schema_of
from labelnext_adapters.files.tables.json_rows import read_json_table
from labelnext_adapters.files.tables.known_names import CLASSES, SCORES
from labelnext_adapters.files.tables.parquet import BROKEN, read_columns
from labelnext_adapters.files.tables.rows import Rows, read_jsonl
from labelnext_adapters.files.tables.table_options import flat_columns

_CLASSES = ("category", "label", "class", *CLASSES, "categories", "labels")
_SCORES = (*SCORES, "confidences", "scores")
_BOXES = ("bbox", "bboxes", "box", "boxes")
_ARROW = (MARK, b"\xff\xff\xff\xff")  # of the file and of the stream format
_OBJECTS = ("objects", "detections", "predictions", "instances", "annotations")


def read_dataset(path: Path, split: str | None, roles: Roles) -> tuple[Rows, dict[str, Any]]:
    """The rows of a data set as they are stored, but for the bytes of images; and its features.

    Args:
        path: a folder that `save_to_disk` wrote, or a file.
        split: of a folder with several.
        roles: of the columns of JSON.

    Raises:
        InvalidInput: if there is no such split, or nothing to read.
    """
    if path.is_dir():
        folder = _split_folder(path, split)
        tables = [read_ipc(file) for file in sorted(folder.glob("*.arrow"))]
        if not tables:
            raise InvalidInput(f"{folder.name} must hold the files data-….arrow; it has none.")
        table = pa.concat_tables(tables, promote_options="permissive")
        return Rows(table), features_in(table.schema) or features_beside(folder / "data")
    with path.open("rb") as file:
        start = file.read(6)
    if start.startswith(b"PAR1"):
        rows = Rows(_parquet(path))
    elif start.startswith(_ARROW):
        rows = Rows(read_ipc(path))
    else:
        lines = {".jsonl", ".ndjson"} & {ending.lower() for ending in path.suffixes}
        rows = (read_jsonl if lines else read_json_table)(path, roles)
    return rows, features_in(rows.table.schema) or features_beside(path)


def is_written_by_datasets(path: Path, start: bytes) -> bool:
    """Whether the schema of a Parquet or Arrow file has features.

    Args:
        path: of the file.
        start: its first bytes.
    """
    try:
        if start.startswith(b"PAR1"):
            return bool(features_in(pyarrow.parquet.read_schema(path)))
        if start.startswith(_ARROW):
            return bool(features_in(schema_of(path)))
    except BROKEN:
        pass
    return False


def _split_folder(path: Path, split: str | None) -> Path:
    if not (path / "dataset_dict.json").is_file():
        if split is not None and split != path.name:
            raise InvalidInput(
                f"split must be left out: {path.name} is one data set; got {split!r}."
            )
        return path
    stored = read_json(path / "dataset_dict.json")
    splits = stored.get("splits") if isinstance(stored, Mapping) else None
    names = [name for name in splits or [] if isinstance(name, str) and Path(name).name == name]
    if split is None and len(names) == 1:
        split = names[0]
    if split not in names:
        raise InvalidInput(
            f"split must be one of {listed(names)}; got {split!r}.", hint="set source.split."
        )
    return path / str(split)


def _parquet(path: Path) -> pa.Table:
    """The rows of a Parquet file without the bytes of images."""
    file = pyarrow.parquet.ParquetFile(path)
    schema = file.schema_arrow
    return with_paths(read_columns(file, path, stored_columns(schema)), schema)


def stored_columns(schema: pa.Schema) -> list[str]:
    """The columns of a Parquet file as they are read: of images and other media the paths alone."""
    return [f"{field.name}.path" if is_media(field.type) else field.name for field in schema]


def with_paths(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table that was read by `stored_columns`, with paths as texts and its file's metadata."""
    for index, field in enumerate(table.schema):
        if is_media(schema.field(field.name).type):
            paths = [pa.compute.struct_field(c, "path") for c in table.column(index).chunks]
            column = pa.chunked_array(paths, pa.string())
            table = table.set_column(index, field.name, column)
    return table.replace_schema_metadata(schema.metadata)


def features_beside(path: Path) -> dict[str, Any]:
    """The features that a file beside the rows describes; empty if there is none."""
    try:
        stored = json.loads(path.with_name("dataset_info.json").read_text("utf-8"))
        features = stored["features"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}


def output_column(table: pa.Table) -> str | None:
    """The column that holds what a pipeline returned for each row; None if there is none."""
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_struct(column.type) or is_list(column.type):
            values = column.slice(0, 20).to_pylist()
            kinds = {kind_of(value) for value in values if value is not None} - {"nothing"}
            if kinds == {"objects"} and not _corners_named(column.type):
                continue
            if len(kinds) == 1 and kinds.pop() is not None:
                return str(name)
    return None


def _corners_named(kind: pa.DataType) -> bool:
    """Whether boxes have named corners, as those of a pipeline."""
    inner = kind.value_type if is_list(kind) else kind
    index = inner.get_field_index("box") if pa.types.is_struct(inner) else -1
    return index >= 0 and pa.types.is_struct(inner.field(index).type)


def classes_of(
    table: pa.Table, features: Mapping[str, Any], columns: Mapping[str, Any]
) -> list[str] | None:
    """The names of the classes, where one column of class labels gives them."""
    probabilities = columns.get("probabilities", "probabilities")
    if flat_columns("probabilities", table.column_names):
        return None
    if isinstance(probabilities, str) and probabilities in table.column_names:
        if not is_list(table.schema.field(probabilities).type):
            return None  # their fields name the classes
    elif not isinstance(probabilities, str):
        return None
    named = [columns.get(name, name) for name in ("label", "prediction")]
    wanted = [name for name in named if isinstance(name, str)]
    for name in wanted:
        if names := class_names(features, name):
            return names
    distinct = {tuple(names) for names in _all_names(features)}
    return list(distinct.pop()) if len(distinct) == 1 else None


def _all_names(feature: Any) -> Iterator[list[str]]:
    """The names of every class label in a feature and inside it."""
    if isinstance(feature, list):
        feature = dict(enumerate(feature))
    if isinstance(feature, Mapping):
        names = class_names({"": feature}, "")
        if names:
            yield names
        for inside in feature.values():
            yield from _all_names(inside)


def with_objects(
    table: pa.Table, columns: dict[str, Any], layout: str, notices: list[Notice], ids: Sequence[Any]
) -> tuple[pa.Table, dict[str, Any]]:
    """A table whose column of objects has our keys; objects without a score are labels.

    Args:
        table: plain.
        columns: our names to the table's.
        layout: of boxes in pixels: xywh or xyxy.
        notices: to which what is left out is added.
        ids: of the rows, for messages.
    """
    stated = columns.get("objects")
    names = [stated] if isinstance(stated, str) else [] if stated else list(_OBJECTS)
    for name in names:
        if name not in table.column_names:
            continue
        fields = _fields(table.schema.field(name).type)
        label, score, box = (first_of(fields, keys) for keys in (_CLASSES, _SCORES, _BOXES))
        ours = fields <= {"confidence", "class", "box", "mask", "probabilities", "embedding"}
        if ours or not (box or (label and score)):
            continue
        sides = sizes_in(table.column_names)
        sizes = None if sides is None else [table.column(side).to_pylist() for side in sides]
        boxless: list[str] = []
        rows = []
        for row, value in enumerate(table.column(name).to_pylist()):
            size = None if sizes is None else (sizes[0][row], sizes[1][row])
            rows.append(_objects(value, (label, score, box), size, layout))
            if value and box and any(one["box"] is None for one in rows[-1] or []):
                boxless.append(str(ids[row]))
        kind = [("class", _kind(rows)), ("box", pa.list_(pa.float64()))]
        kind += [("confidence", pa.float64())] if score else []
        column = pa.array(rows, pa.list_(pa.struct(kind)))
        table = table.set_column(table.column_names.index(name), name, column)
        if boxless:
            notices.append(_boxless(boxless, sizes is None))
        return table, {**columns, ("objects" if score else "truth"): name}
    return table, columns


def _fields(kind: pa.DataType) -> set[str]:
    inner = kind.value_type if is_list(kind) else kind
    return {f.name for f in inner} if is_list(kind) and pa.types.is_struct(inner) else set()


def _objects(entries: Any, keys: Sequence[str | None], size: Any, layout: str) -> Any:
    """The objects of a row with our keys; a box is null where it can't be used."""
    if entries is None:
        return None
    label, score, box = keys
    objects = []
    for one in entries:
        one = one or {}
        record: dict[str, Any] = {"class": None if label is None else one.get(label), "box": None}
        if isinstance(record["class"], float | list | dict):
            record["class"] = None
        if score is not None:
            value = one.get(score)
            record["confidence"] = value if isinstance(value, int | float) else None
        corners = None if box is None else one.get(box)
        if corners is not None and size is not None:
            try:
                if layout == "xywh" and len(corners) == 4:
                    x, y, width, height = corners
                    corners = [x, y, x + width, y + height]
                record["box"] = list(fractions_of(corners, size))
            except (Unusable, TypeError):
                pass
        objects.append(record)
    return objects


def _kind(rows: Sequence[Any]) -> pa.DataType:
    """Whole numbers where all classes are; else text."""
    values = [one["class"] for row in rows for one in row or [] if one["class"] is not None]
    if values and all(isinstance(v, int) and not isinstance(v, bool) for v in values):
        return pa.int64()
    for row in rows:
        for one in row or []:
            one["class"] = None if one["class"] is None else str(one["class"])
    return pa.string()


def _boxless(items: list[str], sizeless: bool) -> Notice:
    cause = "it has no columns width and height" if sizeless else "they are no boxes in the image"
    message = (
        f"Left out boxes of {counted(len(items), 'item')}, but not the objects in them: {cause}."
    )
    return Notice("no_boxes" if sizeless else "bad_boxes", message, tuple(items))
