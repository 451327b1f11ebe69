"""Columns as FiftyOne stores them, to arrays: vectors, nested lists, labels, boxes."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from io import BytesIO
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.support.words import counted
from labelnext_adapters.fiftyone.database.lean import collector_paused

Columns = dict[str, list[Any]]
_BATCH = 2_000  # documents at once
_NPY = b"\x93NUMPY"
_SNAP = 1e-6  # x + w of a box that touches the border may be past it by rounding alone


def fetch(collection: Any, paths: Sequence[str]) -> Columns:
    """Several fields of all samples, in one query, without making a single `fo.Sample`.

    Vectors stay bytes, because FiftyOne decodes one in 30 µs and `vector` in 1. That the query is
    FiftyOne's, and is read in batches, relies on private arguments; without them `values` does.
    """
    columns: Columns = {path: [] for path in paths}
    with collector_paused():
        for part in in_parts(collection, list(columns)):
            for path, values in part.items():
                columns[path] += values
    return columns


def in_parts(collection: Any, paths: Sequence[str]) -> Iterator[Columns]:
    """What `fetch` gives, of some samples at once.

    Args:
        collection: a dataset or view.
        paths: of the fields, each once.
    """
    batches = _batches(collection, paths)
    if batches is None:
        yield dict(zip(paths, collection.values(paths), strict=True))
        return
    for documents in batches:
        yield {
            path: [document[f"value{number}"] for document in documents]
            for number, path in enumerate(paths)
        }


def _batches(collection: Any, paths: Sequence[str]) -> Iterator[list[dict[str, Any]]] | None:
    """Documents with the values at the paths, in order, and nothing else, some at once.

    `values` keeps all documents beside the columns, and takes them one by one, which is half again
    as much work. None where FiftyOne doesn't say how it would ask the database.
    """
    try:
        aggregate, source = collection.aggregate, collection._dataset._sample_collection
        import fiftyone as fo
        from bson import decode_all

        (pipeline,) = aggregate([fo.Values(path, _raw=True) for path in paths], _mongo=True)
    except (AttributeError, TypeError, ValueError):
        return None
    *first, last = pipeline
    asked_for = last.get("$project", {})
    if [*asked_for] != [f"value{number}" for number in range(len(paths))]:
        return None
    pipeline = [*first, {"$project": {**asked_for, "_id": False}}]
    found = source.aggregate_raw_batches(pipeline, allowDiskUse=True, batchSize=_BATCH)
    return (decoded for raw in found if (decoded := decode_all(raw, source.codec_options)))


def vector(value: Any) -> NDArray[Any] | None:
    """A stored vector: bytes of a VectorField, a list of numbers, an array, or None."""
    if value is None:
        return None
    raw = _unpacked(value)
    if raw is not None:
        header = raw[: _length(raw)]
        dtype, shape, order = _said(header)
        return np.frombuffer(raw, dtype, offset=len(header)).reshape(shape, order=order)
    try:
        return np.asarray(value, dtype=None if isinstance(value, np.ndarray) else np.float64)
    except (TypeError, ValueError):
        return np.empty((0, 0))  # not a vector; `stack` counts it by its shape


def _unpacked(value: Any) -> bytes | None:
    """The .npy file that a vector is stored as; None for anything else."""
    try:
        raw = zlib.decompress(value) if isinstance(value, bytes) else b""
    except zlib.error:
        return None
    return raw if raw.startswith(_NPY) else None


def _length(raw: bytes) -> int:
    """Of the header of a .npy file."""
    if raw[6] == 1:  # version of the format
        return 10 + int.from_bytes(raw[8:10], "little")
    return 12 + int.from_bytes(raw[8:12], "little")


@lru_cache(64)  # most of the time went into this, and all vectors of a field have one header
def _said(header: bytes) -> tuple[np.dtype[Any], tuple[int, ...], Literal["C", "F"]]:
    """Type, shape and order of an array that is stored as a .npy file."""
    npy: Any = np.lib.format  # without types
    file = BytesIO(header)
    first = npy.read_magic(file) == (1, 0)
    read = npy.read_array_header_1_0 if first else npy.read_array_header_2_0
    shape, is_fortran, dtype = read(file)
    return dtype, shape, "F" if is_fortran else "C"


def stack(values: Sequence[Any], width: int | None = None) -> tuple[NDArray[Any], list[int]] | None:
    """Vectors as rows; NaN where there is none.

    Args:
        values: a vector or None for each item, as `vector` takes them.
        width: how long they should be; the most common length when None.

    Returns:
        The matrix, and the positions of the vectors that are not of that width (their rows are
        NaN); None when no item has a vector.
    """
    alike = list(_alike(values))
    if not alike:
        return None
    if width is None:
        shapes = Counter[tuple[int, ...]]()
        for places, rows in alike:
            shapes[rows.shape[1:]] += len(places)
        width = max(((n, s[0]) for s, n in shapes.items() if len(s) == 1), default=(0, 0))[1]
    kinds = [rows.dtype for _, rows in alike if rows.shape[1:] == (width,)]
    kinds = [kind for kind in kinds if kind.kind in "fiu"]
    dtype = np.result_type(np.float32, *kinds) if kinds else np.dtype(np.float64)
    matrix = np.full((len(values), width), np.nan, dtype=dtype)
    odd: list[int] = []
    for places, rows in alike:
        if rows.shape[1:] == (width,) and rows.dtype in kinds:
            matrix[places] = rows
        else:
            odd += places
    return matrix, sorted(odd)


def _alike(values: Sequence[Any]) -> Iterator[tuple[list[int], NDArray[Any]]]:
    """The vectors of one type and shape together, some at once, with their places."""
    packed: dict[bytes, tuple[list[int], list[bytes]]] = {}
    others: dict[tuple[Any, ...], tuple[list[int], list[NDArray[Any]]]] = {}
    header, places, parts = b"none yet", list[int](), list[bytes]()
    for place, value in enumerate(values):
        raw = _unpacked(value)
        if raw is not None:
            if not raw.startswith(header):
                header = raw[: _length(raw)]
                places, parts = packed.setdefault(header, ([], []))
            places.append(place)
            parts.append(raw[len(header) :])
            if len(parts) == _BATCH:
                yield _rows(header, places, parts)
                places, parts = packed[header] = ([], [])
        elif (row := vector(value)) is not None:
            at, rows = others.setdefault((row.shape, row.dtype), ([], []))
            at.append(place)
            rows.append(row)
    for header, (places, parts) in packed.items():
        if parts:
            yield _rows(header, places, parts)
    for at, rows in others.values():
        yield at, np.stack(rows)


def _rows(header: bytes, places: list[int], parts: list[bytes]) -> tuple[list[int], NDArray[Any]]:
    """Vectors of one header as rows, with their places."""
    dtype, shape, _ = _said(header)
    return places, np.frombuffer(b"".join(parts), dtype).reshape(len(places), *shape)


def stream(collection: Any, path: str, ids: Sequence[str]) -> tuple[NDArray[Any], list[int]] | None:
    """What `stack` makes of the vectors of a field, with none but the matrix in memory.

    Args:
        collection: a dataset or view.
        path: of a vector field.
        ids: of the samples, shape (n,); the order of the rows.

    Returns:
        As `stack`; None when no sample has a vector.
    """
    rows_of = {sample: row for row, sample in enumerate(ids)}
    matrix: NDArray[Any] | None = None
    odd: list[int] = []
    with collector_paused():
        for part in in_parts(collection, ["id", path]):
            rows = np.array([rows_of.get(sample, -1) for sample in part["id"]])
            for places, vectors in _alike(part[path]):
                there = rows[places] >= 0
                into, vectors = rows[places][there], vectors[there]
                whole = vectors.ndim == 2 and vectors.dtype.kind in "fiu"
                if matrix is None and whole and len(into):
                    dtype = np.result_type(np.float32, vectors.dtype)
                    matrix = np.full((len(ids), vectors.shape[1]), np.nan, dtype=dtype)
                if matrix is None or not whole or vectors.shape[1] != matrix.shape[1]:
                    odd += into.tolist()
                    continue
                if np.result_type(matrix, vectors) != matrix.dtype:
                    matrix = matrix.astype(np.result_type(matrix, vectors))
                matrix[into] = vectors
    if matrix is None and odd:
        matrix = np.full((len(ids), 0), np.nan)
    return None if matrix is None else (matrix, sorted(odd))


def softmax(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    """Rows of logits to distributions; a row with NaN or +inf, or of −inf alone, becomes NaN."""
    if logits.size == 0:
        return logits
    with np.errstate(invalid="ignore"):  # in place: logits of many classes are large
        powers: NDArray[np.floating] = logits - logits.max(axis=1, keepdims=True)
        np.exp(powers, out=powers)
        powers /= powers.sum(axis=1, keepdims=True)
    return powers


def sigmoid(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    """Logits to probabilities, each by itself; NaN stays."""
    half: NDArray[np.floating] = logits / 2
    np.tanh(half, out=half)  # without overflow
    half /= 2
    half += 0.5
    return half


def floats(values: Sequence[Any]) -> NDArray[np.float64]:
    """Numbers; NaN for None, and for what is no number."""
    try:
        numbers = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.empty((0, 0))
    if numbers.ndim == 1:
        return numbers
    return np.array([x if isinstance(x, (int, float)) else np.nan for x in values], np.float64)


def offsets(lists: Sequence[Sequence[Any] | None]) -> NDArray[np.int64]:
    """Where each item's part begins in the flattened lists, shape (n_items + 1,)."""
    counts = [len(part) if part else 0 for part in lists]
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)


def flat(lists: Sequence[Sequence[Any] | None]) -> list[Any]:
    """The lists, one after the other."""
    return list(chain.from_iterable(part or () for part in lists))


def positions(labels: Sequence[str | None], classes: Sequence[str]) -> NDArray[np.int64]:
    """Class positions of labels; −1 for none and for labels that are not among the classes."""
    where = {name: i for i, name in enumerate(classes)}
    return np.array([where.get(label, -1) if label else -1 for label in labels], dtype=np.int64)


def corners(boxes: Sequence[Any]) -> tuple[NDArray[np.float64] | None, list[int]]:
    """Boxes x, y, width, height to x1, y1, x2, y2; and the positions of those that are none.

    There are boxes only if every object has one.
    """
    table = _numbers(boxes)
    if table is None:
        bad = [i for i, box in enumerate(boxes) if not _is_box(box)]
        if bad:
            return None, bad
        table = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    table[:, 2:] += table[:, :2]
    table[(table > 1) & (table <= 1 + _SNAP)] = 1
    table[(table < 0) & (table >= -_SNAP)] = 0
    return table, []


def _numbers(boxes: Sequence[Any]) -> NDArray[np.float64] | None:
    """Boxes as rows, where a look at all of them at once shows that each is one."""
    try:
        table = np.array(boxes)
    except (TypeError, ValueError):
        return None
    if table.dtype.kind not in "fi" or table.shape != (len(boxes), 4) or np.isnan(table).any():
        return None
    return table.astype(np.float64)


def _is_box(box: Any) -> bool:
    return (
        isinstance(box, (list, tuple))
        and len(box) == 4
        and all(isinstance(x, (int, float)) and x == x for x in box)
    )


def as_id(value: Any) -> str:
    """The value of a key as a text; a whole number is written without a point.

    Example:
        >>> as_id(7.0), as_id("007")
        ('7', '007')
    """
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def keyed(sample_ids: list[str], values: list[Any] | None, key: str | None) -> list[str]:
    """The ids of the items: the samples' own, or the values of the key field.

    Raises:
        InvalidInput: if a sample comes twice, or a value is missing, repeated or not a single one.
    """
    if len({*sample_ids}) < len(sample_ids):
        again = [i for i, n in Counter(sample_ids).items() if n > 1]
        raise InvalidInput(
            f"source.dataset must hold each sample once; its view has {len(again)} of them more "
            f"than once: {listed(again)}.",
            hint="rank dataset.select(view.distinct('id')).",
        )
    if values is None:
        return list(sample_ids)
    empty = [i for i, v in zip(sample_ids, values, strict=True) if v is None or v == "" or v != v]
    if empty:
        raise InvalidInput(
            f"source.key {key!r} must be set on every sample; got none on {len(empty)}: "
            f"{listed(empty)}."
        )
    several = next((v for v in values if isinstance(v, dict | list | bytes)), None)
    if several is not None:
        raise InvalidInput(
            f"source.key {key!r} must hold a text or a number of each sample; got "
            f"{'a list' if isinstance(several, list) else 'more than one value'}.",
            hint="name a field of single values, such as filepath.",
        )
    names = [as_id(v) for v in values]
    twice = sorted(name for name, n in Counter(names).items() if n > 1)
    if twice:
        raise InvalidInput(
            f"source.key {key!r} must be distinct; got {counted(len(twice), 'value')} more than "
            f"once: {listed(twice)}."
        )
    return names
