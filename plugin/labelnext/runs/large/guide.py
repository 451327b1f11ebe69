"""What a survey found, kept where every worker finds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext.ranking.recipe import Recipe
from labelnext.selection.hellinger import vectors_of_pool
from labelnext.selection.typiclust import nearest
from labelnext.selection.vectors import Array, Points
from labelnext.support.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

KINDS = ("sample", "labelled", "centres")


def vectors_of(pool: Pool, recipe: Recipe) -> Array:
    """What the method takes as embeddings of a pool.

    Raises:
        InvalidInput: if it has none.
    """
    vectors = vectors_of_pool(pool, recipe.space.get("space"))
    if vectors is None:
        raise InvalidInput(
            f"{recipe.selection} needs embeddings, and the pool has none.",
            hint="name their column: columns: {embedding: …}; or use selection top_k.",
        )
    return vectors


def table_of_vectors(names: Sequence[str], vectors: Array, labelled: NDArray[np.bool_]) -> pa.Table:
    """Ids, embeddings and whether they are labelled, as a table."""
    import pyarrow as pa

    kind = pa.list_(pa.float64())
    flat = np.ascontiguousarray(vectors, dtype=np.float64).ravel()
    offsets = np.arange(len(vectors) + 1, dtype=np.int32) * (vectors.shape[1] if len(flat) else 0)
    rows = pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat), type=kind)
    ids = pa.array(list(names), pa.string())
    return pa.table({"item_id": ids, "embedding": rows, "labelled": pa.array(labelled)})


@dataclass(frozen=True)
class Guide:
    """What the survey found, in the space of the method.

    Attributes:
        ids: shape (n_sample,), of the sample, sorted by code point.
        parts: shape (n_sample,), the part of each; empty when read by a worker.
        sample: shape (n_sample, n_dimensions).
        labelled: shape (n_labelled, n_dimensions).
        centres: shape (n_clusters, n_dimensions); empty where the method has no clusters.
    """

    ids: NDArray[np.str_]
    parts: NDArray[np.intp]
    sample: Array
    labelled: Array
    centres: Array

    @property
    def positions(self) -> dict[str, int]:
        """The place of each id in the sample."""
        return {name: index for index, name in enumerate(self.ids.tolist())}


@lru_cache(maxsize=2)
def read_guide(place: str, folder: str) -> Guide:
    """The guide of a run, read once by each worker; forgotten with the run."""
    store = Store(place)
    tables = {kind: store.read_table(f"{folder}/guide/{kind}.parquet") for kind in KINDS}
    vectors = {kind: vectors_of_table(table) for kind, table in tables.items()}
    ids = np.array(tables["sample"].column("item_id").to_pylist(), dtype=np.str_)
    return Guide(ids, np.empty(0, dtype=np.intp), **vectors)


def vectors_of_table(table: pa.Table) -> Array:
    """The embeddings of a table, rows of one width; a table of no rows has no width."""
    rows = table.column("embedding").combine_chunks()
    values: Array = rows.flatten().to_numpy(zero_copy_only=False)
    return values.reshape(len(rows), -1) if len(rows) else np.empty((0, 0))


def labels_of(guide: Guide) -> NDArray[np.intp]:
    """How many labelled items each cluster holds, shape (n_clusters,)."""
    if not len(guide.labelled) or not len(guide.centres):
        return np.zeros(len(guide.centres), dtype=np.intp)
    clusters = nearest(Points(guide.labelled), guide.centres)
    return np.bincount(clusters, minlength=len(guide.centres))
