"""What all parts must know of one another before a batch of different items can be chosen.

A survey reads the embeddings once: it draws a sample, the same however the pool is cut into parts,
and gathers what is labelled. The guide that follows from it is kept where every worker finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from labelnext.adapter.protocol import Part, Streams
from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext.ranking.recipe import Recipe
from labelnext.runs.large.choices import columns_of, picks_in_clusters, points_of
from labelnext.runs.large.part import Scored, all_integers, file_name
from labelnext.selection.clustering import k_means
from labelnext.selection.typiclust import n_clusters_of, nearest
from labelnext.selection.vectors import Array, Points, finite_rows
from labelnext.support.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

    from labelnext.runs.large.score_part import Scoring

SAMPLE_SIZE = 40_000
_KINDS = ("sample", "labelled", "centres")


@dataclass(frozen=True)
class Survey:
    """A sample of the embeddings of what can be chosen, and those of all that is labelled.

    Attributes:
        scoring: which says what can be chosen, and how.
        share: of the items that are drawn.
    """

    scoring: Scoring
    share: float

    @property
    def skip_broken(self) -> bool:
        """Parts that cannot be read are counted and left out."""
        return self.scoring.skip_broken

    def name(self, part: Part) -> str:
        """The file of a part's sample."""
        how = [self.scoring.name(part), self.share]
        return file_name(f"{self.scoring.folder}/survey", part, how)

    def nothing(self) -> pa.Table:
        """No sample."""
        return _as_table([], np.empty((0, 0)), np.empty(0, dtype=bool))

    def table(self, reader: Streams, part: Part, store: Store) -> tuple[pa.Table, Scored]:
        """Ids and embeddings of what is drawn, and of what is labelled."""
        recipe = self.scoring.recipe
        pool, ids = reader.read_part(part, columns_of(recipe))
        vectors, names = vectors_of(pool, recipe), ids.to_pylist()
        drawn = _drawn(names, self.share, recipe.seed) & self.scoring.candidates(pool, ids)
        rows = np.flatnonzero(drawn | (pool.labelled & finite_rows(Points(vectors))))
        found = _as_table([names[row] for row in rows], vectors[rows], pool.labelled[rows])
        return found, Scored(integers=all_integers(ids))


def vectors_of(pool: Pool, recipe: Recipe) -> Array:
    """The embeddings of a pool.

    Raises:
        InvalidInput: if it has none.
    """
    if pool.embeddings is None:
        raise InvalidInput(
            f"{recipe.selection} needs embeddings, and the pool has none.",
            hint="name their column: columns: {embedding: …}; or use selection top_k.",
        )
    return pool.embeddings


def _drawn(names: list[str], share: float, seed: int) -> NDArray[np.bool_]:
    """Which items are in the sample: by a hash of the id, so that parts have no influence."""
    key = str(seed).encode()[:64]
    hashes = [int.from_bytes(blake2b(n.encode(), digest_size=8, key=key).digest()) for n in names]
    drawn: NDArray[np.bool_] = np.array(hashes, dtype=np.uint64) <= share * (2**64 - 2**12)
    return drawn


def _as_table(names: Sequence[str], vectors: Array, labelled: NDArray[np.bool_]) -> pa.Table:
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
        return {name: place for place, name in enumerate(self.ids.tolist())}


def make_guide(recipe: Recipe, survey: Survey, parts: Sequence[Part], store: Store) -> Guide:
    """What follows from the survey of all parts; kept in the store for the workers."""
    import pyarrow as pa

    tables = []
    for part in parts:
        table = store.read_table(survey.name(part))
        number = pa.array(np.full(len(table), part.number))
        tables.append(table.replace_schema_metadata().append_column("part", number))
    whole = pa.concat_tables(tables).sort_by("item_id")
    ids = np.array(whole.column("item_id").to_pylist(), dtype=np.str_)
    done = whole.column("labelled").to_numpy()
    vectors = vectors_of_table(whole)
    drawn, given = (points_of(recipe, vectors, np.flatnonzero(rows))[:] for rows in (~done, done))
    centres: Array = np.empty((0, vectors.shape[1]))
    if picks_in_clusters(recipe) and len(drawn):
        stated = recipe.selection_options.get("n_clusters")
        n_clusters = stated or n_clusters_of(len(given), recipe.budget or 1)
        centres, _ = k_means(drawn, n_clusters, seed=recipe.seed)
    guide = Guide(ids[~done], whole.column("part").to_numpy()[~done], drawn, given, centres)
    for kind in _KINDS:
        values = getattr(guide, kind)
        names = guide.ids if kind == "sample" else np.arange(len(values)).astype(np.str_)
        table = _as_table(names.tolist(), values, np.zeros(len(values), dtype=bool))
        store.write_table(f"{survey.scoring.folder}/guide/{kind}.parquet", table)
    read_guide.cache_clear()
    return guide


@lru_cache(maxsize=2)
def read_guide(place: str, folder: str) -> Guide:
    """The guide of a run, read once by each worker."""
    store = Store(place)
    tables = {kind: store.read_table(f"{folder}/guide/{kind}.parquet") for kind in _KINDS}
    found = {kind: vectors_of_table(table) for kind, table in tables.items()}
    ids = np.array(tables["sample"].column("item_id").to_pylist(), dtype=np.str_)
    return Guide(ids, np.empty(0, dtype=np.intp), **found)


def vectors_of_table(table: pa.Table) -> Array:
    """The embeddings of a table, rows of one width; a table of no rows has no width."""
    rows = table.column("embedding").combine_chunks()
    values: Array = rows.flatten().to_numpy(zero_copy_only=False)
    return values.reshape(len(rows), -1) if len(rows) else np.empty((0, 0))


def labels_of(guide: Guide) -> NDArray[np.intp]:
    """How many labelled items each cluster holds, shape (n_clusters,)."""
    if not len(guide.labelled):
        return np.zeros(len(guide.centres), dtype=np.intp)
    own = nearest(Points(guide.labelled), guide.centres)
    return np.bincount(own, minlength=len(guide.centres))
