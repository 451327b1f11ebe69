"""A pool as a Parquet dataset, so that any platform's items can be ranked in parts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labelnext.adapter.protocol import Adapter
from labelnext.config.config import Config, load_config
from labelnext.config.opened import opened, read_pool
from labelnext.config.places import check_export
from labelnext.errors import ConfigError
from labelnext.journal.plan import Progress
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool
from labelnext.support.refused import refusals_told
from labelnext.support.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

_ANSWERS = ("prediction", "confidence")  # columns of one confidence per item


@refusals_told()
def export(
    config: Config | Path | str | Mapping[str, Any],
    place: Path | str,
    *,
    rows: int = 100_000,
    adapter: Adapter | None = None,
    progress: Progress | None = None,
) -> str:
    """Write the items of a source as Parquet files that the files adapter reads.

    Args:
        config: as for `labelnext.run`.
        place: an empty or new folder, or a URL such as s3://bucket/folder.
        rows: of each file.
        adapter: one that is open already.
        progress: called with a stage, how much is done, and of how much.

    Returns:
        The `source` that reads what was written, as YAML.

    Raises:
        ConfigError: for a wrong configuration, or a folder that holds something.
        WriteFailed: if a write broke off; what was written can be removed.
    """
    if rows < 1:
        raise ConfigError(f"rows must be a whole number of at least 1; got {rows!r}.")
    settings = config if isinstance(config, Config) else load_config(config)
    check_export(settings, place)
    store = Store(place)
    if store.filled():
        raise ConfigError(f"{str(place)!r} must be empty; it is not.", hint="name a new folder.")
    with opened(settings, adapter, progress) as platform:
        pool = read_pool(settings, platform, progress)
    table = table_of_pool(pool)
    for number, first in enumerate(range(0, max(len(pool), 1), rows)):
        store.write_table(f"part-{number:05d}.parquet", table.slice(first, rows))
        if progress is not None:
            progress("export", min(first + rows, len(pool)), len(pool))
    lines = ["source:", "  adapter: files", f"  path: {json.dumps(str(place))}"]
    for key, value in source_of_pool(pool).items():
        lines.append(f"  {key}: {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def source_of_pool(pool: Pool) -> dict[str, Any]:
    """What `source` must say beside the path, so that the files adapter reads the same pool.

    Example:
        >>> rows = [[[0.9, 0.1]], [[0.5, 0.5]]]
        >>> source_of_pool(Pool(["a"], probabilities=rows, versions=["old", "new"]))
        {'columns': {'probabilities': ['probabilities_old', 'probabilities_new']}}
    """
    names = ("probabilities", "objects", *_ANSWERS)
    versions = {name: list(_by_version(pool, name)) for name in names}
    several = {name: columns for name, columns in versions.items() if len(columns) > 1}
    return {
        **({"classes": list(pool.classes)} if pool.classes is not None else {}),
        **({"columns": several} if several else {}),
        **({"multilabel": True} if pool.multilabel else {}),
    }


def table_of_pool(pool: Pool) -> pa.Table:
    """The columns of a pool as the files adapter reads them, with what `source_of_pool` says."""
    import pyarrow as pa

    columns: dict[str, Any] = {"item_id": pa.array(pool.item_ids.tolist(), pa.string())}
    for name, rows in _by_version(pool, "probabilities").items():
        columns[name] = _rows(rows, pool.missing)
    for name, objects in _by_version(pool, "objects").items():
        columns[name] = _objects(objects, pool, pool.missing)
    for name in _ANSWERS:
        for column, answers in _by_version(pool, name).items():
            columns[column] = _answers(answers, name, pool.classes)
    if pool.embeddings is not None:
        columns["embedding"] = _rows(pool.embeddings, np.zeros(len(pool), dtype=bool))
    if pool.labels is not None:
        columns["label"] = _named(pool.labels, pool.classes)
    columns["labelled"] = pa.array(pool.labelled)
    if pool.truth is not None:
        columns["truth"] = _objects(pool.truth, pool, np.zeros(len(pool), dtype=bool))
    if pool.votes is not None and pool.votes.shape[1]:
        said = _named(pool.votes.ravel(), pool.classes)
        columns["votes"] = pa.FixedSizeListArray.from_arrays(said, pool.votes.shape[1])
    if pool.groups is not None:
        columns["group"] = pa.array(pool.groups.tolist(), pa.string())
    if pool.costs is not None:
        columns["cost"] = pa.array(pool.costs)
    return pa.table(columns)


def _by_version(pool: Pool, name: str) -> dict[str, Any]:
    """The probabilities or objects of each model version, by the name of their column."""
    sets = pool.answers if name in _ANSWERS else pool.object_sets
    versions = pool.members if name == "probabilities" else sets
    if name == "prediction" and any(answers.class_ids is None for answers in pool.answers):
        return {}
    if versions is None or not len(versions):
        return {}
    if len(versions) == 1:
        return {name: versions[0]}
    labels = pool.version_names
    if len(set(labels)) != len(versions):  # those of the probabilities, or two of one name
        labels = tuple(map(str, range(1, len(versions) + 1)))
    return {f"{name}_{label}": one for label, one in zip(labels, versions, strict=True)}


def _answers(answers: Objects, name: str, classes: tuple[str, ...] | None) -> pa.Array:
    """The confidence of each item, or the class that it is of; null where nothing was predicted."""
    import pyarrow as pa

    values = pa.array(answers.confidences)
    if name == "prediction":
        assert answers.class_ids is not None, "checked by _by_version"
        values = _named(answers.class_ids, classes)
    return values.take(pa.array(answers.offsets[:-1], mask=answers.counts == 0))


def _rows(values: NDArray[np.floating], nulls: NDArray[np.bool_]) -> pa.Array:
    import pyarrow as pa

    width = values.shape[1]
    flat = pa.array(np.ascontiguousarray(values).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, width, mask=pa.array(nulls))


def _named(positions: NDArray[np.int64], classes: tuple[str, ...] | None) -> pa.Array:
    """Class names, or their positions where the pool names none; null for −1."""
    import pyarrow as pa

    unknown = pa.array(positions < 0)
    if classes is None:
        return pa.array(positions, mask=positions < 0)
    names = pa.array(classes, pa.string())
    rows = pa.array(np.maximum(positions, 0), mask=unknown.to_numpy(zero_copy_only=False))
    return names.take(rows)


def _objects(objects: Objects, pool: Pool, missing: NDArray[np.bool_]) -> pa.Array:
    """Lists of records, null where nothing was predicted."""
    import pyarrow as pa

    everything = np.zeros(len(objects.confidences), dtype=bool)
    fields = {"confidence": pa.array(objects.confidences)}
    if objects.class_ids is not None:
        fields["class"] = _named(objects.class_ids, pool.classes)
    for name, values in (
        ("box", objects.boxes),
        ("probabilities", objects.probabilities),
        ("embedding", objects.embeddings),
    ):
        if values is not None:
            fields[name] = _rows(values, everything)
    if objects.masks is not None:
        kind = pa.struct({"size": pa.list_(pa.int32(), 2), "counts": pa.string()})
        masks = [{"size": m["size"], "counts": m["counts"].decode()} for m in objects.masks]
        fields["mask"] = pa.array(masks, kind)
    values = pa.StructArray.from_arrays(list(fields.values()), names=list(fields))
    if objects.missing is not None:
        missing = missing | objects.missing
    offsets = pa.array(objects.offsets, pa.int32(), mask=np.append(missing, False))
    return pa.ListArray.from_arrays(offsets, values)
