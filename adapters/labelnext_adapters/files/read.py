"""Files to a Pool. Every format but NPZ and COCO goes through an Arrow table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from labelnext.adapter import Context
from labelnext.errors import ConfigError, InvalidInput, LabelnextError, MissingExtra, NotFound
from labelnext.pool import Objects, Pool
from labelnext_adapters.files.coco import read_coco
from labelnext_adapters.files.columns import pool_of_table
from labelnext_adapters.files.dataset import Dataset, is_dataset

if TYPE_CHECKING:
    import pyarrow as pa

    from labelnext_adapters.files import FilesSource, Format

_ENDINGS: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".npz": "npz",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".json": "coco",
}


def file_format(path: Path, stated: Format | None) -> Format:
    """The format of a file: as stated, else from the ending of its name.

    Raises:
        ConfigError: if neither tells.
    """
    if stated is not None:
        return stated
    if path.suffix.lower() not in _ENDINGS:
        raise ConfigError(
            f"path must end in one of {', '.join(_ENDINGS)}; got {path.name!r}.",
            hint="or set source.format.",
        )
    return _ENDINGS[path.suffix.lower()]


def source_format(path: Path, source: FilesSource) -> Format:
    """The format of a source: COCO and Label Studio share an ending, and COCO needs its images.

    Raises:
        ConfigError: if nothing tells.
    """
    kind = file_format(path, source.format)
    if kind == "coco" and source.format is None and source.images is None:
        return "label-studio"
    return kind


def read_pool(source: FilesSource, context: Context) -> Pool:
    """The items of the file.

    Raises:
        NotFound: if the file does not exist.
        InvalidInput: if it is broken, or a value breaks its rule.
    """
    if is_dataset(source.path, context):
        return Dataset(source, context).read()
    path = context.path(source.path)
    kind = source_format(path, source)
    if not path.is_file():
        raise NotFound(f"path must be a file; got {str(path)!r}, which does not exist.")
    if source.older and kind != "coco":
        raise ConfigError(f"older must be left out of {kind} files; got {len(source.older)} files.")
    context.report("read", 0, None)
    try:
        if kind == "label-studio":
            pool = _read_label_studio(path, source, context)
        elif kind == "coco":
            if source.images is None:
                raise ConfigError(
                    "images must name the file with the images and categories of a COCO results "
                    "list; got None.",
                    hint="add source.images.",
                )
            older = [context.path(one) for one in source.older]
            pool = read_coco([*older, path], context.path(source.images), context.key)
        elif kind == "npz":
            pool = _read_npz(path, source)
        else:
            table = read_table(path, kind)
            columns = dict(source.columns)
            if context.key is not None:
                columns.setdefault("item_id", context.key)
            pool = pool_of_table(table, columns, source.classes, multilabel=source.multilabel)
    except LabelnextError as error:
        error.message = f"{path.name}: {error.message}"
        raise
    except (OSError, ValueError) as error:  # Arrow's errors are ValueErrors too
        problem = " ".join(str(error).split())
        raise InvalidInput(
            f"{path.name} must be a whole {kind} file; {problem}.",
            hint="was the file cut off while it was written or copied?",
        ) from error
    context.report("read", len(pool), len(pool))
    return pool


def _read_label_studio(path: Path, source: FilesSource, context: Context) -> Pool:
    try:
        from labelnext_adapters.label_studio_format.export import read_export
    except ImportError as error:
        raise MissingExtra(
            "a Label Studio export needs msgspec, which is not installed.",
            hint="pip install 'labelnext[label-studio]'",
        ) from error
    setup = None if source.label_config is None else context.path(source.label_config)
    if setup is not None and not setup.is_file():
        raise NotFound(f"label_config must be a file; got {str(setup)!r}, which does not exist.")
    return read_export(
        path.read_bytes(),
        None if setup is None else setup.read_text("utf-8"),
        key=context.key,
        from_name=source.from_name,
        model_version=source.model_version,
        labels=source.labels,
    )


def read_table(path: Path, kind: Format, texts: Sequence[str] = ()) -> pa.Table:
    """The rows of a table.

    Args:
        path: of the file.
        kind: csv, jsonl or parquet.
        texts: columns of a CSV that are no numbers, whatever they look like.

    Raises:
        InvalidInput: if the file is empty.
    """
    if path.stat().st_size == 0:
        raise InvalidInput("the file must not be empty.")
    if kind == "parquet":
        import pyarrow.parquet

        return pyarrow.parquet.read_table(path)
    if kind == "csv":
        import pyarrow.csv

        kinds = dict.fromkeys(texts, "string")
        return pyarrow.csv.read_csv(
            path, convert_options=pyarrow.csv.ConvertOptions(column_types=kinds)
        )
    import pyarrow.json

    # A block must hold a whole line: an item with many objects makes a long one.
    options = pyarrow.json.ReadOptions(block_size=min(max(path.stat().st_size, 1), 1 << 30))
    return pyarrow.json.read_json(path, read_options=options)


_NPZ = {
    "item_ids": "item_id",
    "probabilities": "probabilities",
    "embeddings": "embedding",
    "labels": "label",
    "votes": "votes",
    "labelled": "labelled",
    "groups": "group",
    "costs": "cost",
    "missing": "missing",
    "classes": "classes",
}
_NPZ_OBJECTS = {
    "class_ids": "class_ids",
    "boxes": "boxes",
    "probabilities": "object_probabilities",
    "embeddings": "object_embeddings",
}


def _read_npz(path: Path, source: FilesSource) -> Pool:
    """Arrays by the names of Pool's columns; of objects offsets, confidences and the rest."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # zipfile.BadZipFile, zlib.error, EOFError, ValueError, …
        raise ValueError(str(error)) from error

    def array(name: str, alias: str | None = None) -> Any:
        stated = source.columns.get(alias or name, name)
        return arrays.get(str(stated))

    columns = {name: array(name, alias) for name, alias in _NPZ.items()}
    if columns["item_ids"] is None:
        raise InvalidInput(f"the file must hold an array item_ids; got {sorted(arrays)}.")
    if source.classes is not None:
        columns["classes"] = source.classes
    objects = None
    if "offsets" in arrays and "confidences" in arrays:
        parts = {name: array(alias) for name, alias in _NPZ_OBJECTS.items()}
        objects = Objects(arrays["offsets"], arrays["confidences"], **parts)
    return Pool(objects=objects, multilabel=source.multilabel, **columns)
