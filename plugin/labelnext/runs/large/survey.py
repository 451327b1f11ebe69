"""What all parts must know of one another before a batch of different items can be chosen.

A survey reads the embeddings once: it draws a sample, the same however the pool is cut into parts,
and gathers what is labelled. The guide that follows from it is kept where every worker finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from labelnext.adapter.protocol import Part, Streams
from labelnext.ranking.recipe import Recipe
from labelnext.runs.large.choices import columns_of, picks_in_clusters, points_of
from labelnext.runs.large.guide import (
    KINDS,
    Guide,
    read_guide,
    table_of_vectors,
    vectors_of,
    vectors_of_table,
)
from labelnext.runs.large.part import Scored, all_integers, file_name
from labelnext.selection.clustering import k_means
from labelnext.selection.typiclust import n_clusters_of
from labelnext.selection.vectors import Array, Points, finite_rows
from labelnext.support.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

    from labelnext.runs.large.score_part import Scoring

SAMPLE_SIZE = 40_000


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
        return table_of_vectors([], np.empty((0, 0)), np.empty(0, dtype=bool))

    def table(self, reader: Streams, part: Part, store: Store) -> tuple[pa.Table, Scored]:
        """Ids and embeddings of what is drawn, and of what is labelled."""
        recipe = self.scoring.recipe
        pool, ids = reader.read_part(part, columns_of(recipe))
        vectors, names = vectors_of(pool, recipe), ids.to_pylist()
        drawn = _drawn(names, self.share, recipe.seed) & self.scoring.candidates(pool, ids)
        rows = np.flatnonzero(drawn | (pool.labelled & finite_rows(Points(vectors))))
        vectors_here = table_of_vectors(
            [names[row] for row in rows], vectors[rows], pool.labelled[rows]
        )
        counts = {"items": len(pool)}
        return vectors_here, Scored(counts=counts, integers=all_integers(ids))


def _drawn(names: list[str], share: float, seed: int) -> NDArray[np.bool_]:
    """Which items are in the sample: by a hash of the id, so that parts have no influence."""
    key = str(seed).encode()[:64]
    hashes = [int.from_bytes(blake2b(n.encode(), digest_size=8, key=key).digest()) for n in names]
    drawn: NDArray[np.bool_] = np.array(hashes, dtype=np.uint64) <= share * (2**64 - 2**12)
    return drawn


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
    for kind in KINDS:
        values = getattr(guide, kind)
        names = guide.ids if kind == "sample" else np.arange(len(values)).astype(np.str_)
        table = table_of_vectors(names.tolist(), values, np.zeros(len(values), dtype=bool))
        store.write_table(f"{survey.scoring.folder}/guide/{kind}.parquet", table)
    read_guide.cache_clear()
    return guide
