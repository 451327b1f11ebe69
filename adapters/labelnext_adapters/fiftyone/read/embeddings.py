"""Embeddings: a vector field of the samples, or a similarity index of FiftyOne's brain."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, NotFound, listed
from labelnext.support.words import counted
from labelnext_adapters.fiftyone.database.connection import field_of, talking
from labelnext_adapters.fiftyone.database.values import stream
from labelnext_adapters.fiftyone.read.predictions import Reading


def check_embeddings(collection: Any, name: str) -> None:
    """Raise unless the name is a field that can hold vectors, or the key of a similarity index.

    Raises:
        NotFound: if it is neither a field nor a run of FiftyOne's brain.
        InvalidInput: if it holds no vectors of samples.
    """
    if is_index(collection, name):
        config = collection._root_dataset.get_brain_info(name).config
        if config.type != "similarity" or getattr(config, "patches_field", None):
            raise InvalidInput(
                f"embeddings must be a similarity index of whole samples; got {name!r} of "
                f"{getattr(config, 'patches_field', None) or config.type}."
            )
        return
    try:
        field = field_of(collection, "embeddings", name)
    except NotFound as error:
        known = [k for k in collection._root_dataset.list_brain_runs() if k.isidentifier()]
        raise NotFound(
            error.message,
            hint=error.hint or f"runs of FiftyOne's brain: {listed(known) or 'none'}.",
        ) from error
    kind, of = (type(part).__name__ for part in (field, getattr(field, "field", None)))
    if kind == "ListField" and of not in ("FloatField", "IntField", "NoneType"):
        kind = f"{kind} of {of}"
    elif kind in ("VectorField", "ArrayField", "ListField"):
        return
    raise InvalidInput(f"embeddings must be a vector field; got {name!r} of {kind}.")


def is_index(collection: Any, name: str) -> bool:
    """Whether the name is no field, but a run of FiftyOne's brain."""
    with talking():
        known = collection._root_dataset.list_brain_runs()
        return name in known and collection.get_field(name) is None


def embeddings_of(reading: Reading, collection: Any) -> NDArray[np.floating] | None:
    """One row for each sample, NaN where there is none; None where there are none at all.

    Raises:
        InvalidInput: if the vectors are not of one length.
    """
    name, ids = str(reading.options.embeddings), reading.columns["id"]
    with talking():
        indexed = is_index(collection, name)
        vectors = _of_index(collection, name, ids) if indexed else stream(collection, name, ids)
    if vectors is None:
        reading.note("no_embedding", "items have no embedding.", range(len(reading.item_ids)))
        return None
    matrix, odd = vectors
    if matrix.shape[1] == 0:
        raise InvalidInput(f"embeddings must hold vectors of numbers; those in {name!r} are empty.")
    if odd:
        others = listed(reading.item_ids[i] for i in odd)
        raise InvalidInput(
            f"embeddings must be vectors of one length, {matrix.shape[1]}; "
            f"got others on {counted(len(odd), 'sample')}: {others}."
        )
    without = np.flatnonzero(np.isnan(matrix.min(axis=1)))  # without an array of truth values
    if len(without):
        reading.note("no_embedding", "items have no embedding.", without)
    return matrix


def _of_index(
    collection: Any, key: str, ids: list[str]
) -> tuple[NDArray[np.floating], list[int]] | None:
    """The vectors of a similarity index, whatever backend keeps them."""
    vectors, owners, _ = collection._root_dataset.load_brain_results(key).get_embeddings()
    rows = {str(owner): row for row, owner in enumerate(owners)}
    if not rows:
        return None
    vectors = np.asarray(vectors)
    dtype = np.result_type(np.float32, vectors.dtype)
    at = np.array([rows.get(sample, -1) for sample in ids], dtype=np.intp)
    matrix = vectors[at].astype(dtype, copy=False)
    matrix[at < 0] = np.nan
    return matrix, []
