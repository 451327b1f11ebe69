"""Ranks of the items behind the batch without a sort, from how many utilities lie above theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labelnext.adapter.protocol import Part, Streams
from labelnext.runs.large.findings import ranked_table
from labelnext.runs.large.order import Scores, among
from labelnext.runs.large.part import Scored, file_name, kept_scores
from labelnext.runs.large.score_part import Scoring
from labelnext.support.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

_SAMPLE = 200_000  # utilities between which items are counted; at most
_EDGES = 4096


@dataclass(frozen=True)
class NearRanks:
    """Gives each item of a part the middle rank of those whose utilities are about as high.

    Attributes:
        scoring: whose files hold the scores.
        whole: a digest of all parts and of the batch.
        folder: of the ranks, inside the store.
        edges: utilities in ascending order, shape (n_edges,).
        ranks: for the utilities below, at and above each edge, shape (2 · n_edges + 1,).
        batch: file of the items that have a rank already.
        n_ranked: items of the whole pool.
        within: how far a rank is from the exact one at most.
        skip_broken: as the scoring.
    """

    scoring: Scoring
    whole: str
    folder: str
    edges: NDArray[np.float64]
    ranks: NDArray[np.int64]
    batch: str
    n_ranked: int
    within: int
    skip_broken: bool = False

    def name(self, part: Part) -> str:
        """The file of a part's ranks."""
        return file_name(self.folder, part, [self.scoring.told, self.whole])

    def nothing(self) -> pa.Table:
        """No ranks."""
        return self._ranked(self.scoring.nothing())

    def table(self, reader: Streams, part: Part, store: Store) -> tuple[pa.Table, Scored]:
        """The items of a part behind the batch, in the part's order."""
        import pyarrow as pa
        import pyarrow.compute as pc

        scores = kept_scores(store, self.scoring.name(part), ["item_id", "score", "utility"])
        batch = store.read_table(self.batch).column("item_id").cast(pa.string())
        behind = pc.invert(among(scores.column("item_id"), batch))
        table = self._ranked(scores.filter(pc.and_(pc.is_valid(scores.column("utility")), behind)))
        return table, Scored(counts={"items": len(scores), "ranked": len(table)})

    def told(self, parts: Sequence[Part], n_rows: int) -> dict[str, Any]:
        """What the manifest says of the ranks of all parts."""
        return {"files": [self.name(p) for p in parts], "rows": n_rows, "within": self.within}

    def _ranked(self, scores: pa.Table) -> pa.Table:
        bins = _bins(self.edges, scores.column("utility").to_numpy())
        return ranked_table(scores, self.ranks[bins], self.n_ranked, 0)


def near_ranks(
    scores: Scores,
    scoring: Scoring,
    whole: str,
    folder: str,
    batch: str,
    n_batch: int,
    n_ranked: int,
) -> NearRanks:
    """What the ranks behind the batch follow from; the utilities are read twice.

    Args:
        scores: of all parts, with the table `batch`.
        scoring: whose files they are.
        whole: a digest of all parts and of the batch.
        folder: for the ranks.
        batch: file of the batch.
        n_batch: its size.
        n_ranked: items of the whole pool.
    """
    of_ranked = "SELECT utility FROM scores WHERE utility IS NOT NULL"
    one_of = -(-n_ranked // _SAMPLE)  # by a hash of the id: the same in every run
    sample = _utilities(scores.tables(f"{of_ranked} AND hash(item_id) % {one_of} = 0"))
    values = np.concatenate([np.empty(0), *sample])
    shares = np.linspace(0, 1, _EDGES)
    edges = np.unique(np.quantile(values, shares, method="lower")) if len(values) else values
    counts: NDArray[np.int64] = np.zeros(2 * len(edges) + 1, dtype=np.int64)
    for some in _utilities(scores.tables(of_ranked)):
        counts += np.bincount(_bins(edges, some), minlength=len(counts))
    in_batch = scores.tables(f"{of_ranked} AND item_id IN (SELECT item_id FROM batch)")
    for some in _utilities(in_batch):
        counts -= np.bincount(_bins(edges, some), minlength=len(counts))
    higher = np.cumsum(counts[::-1])[::-1] - counts
    ranks = n_batch + higher + (counts + 1) // 2
    return NearRanks(
        scoring,
        whole,
        folder,
        edges,
        ranks,
        batch,
        n_ranked,
        int(counts.max() // 2),
        scoring.skip_broken,
    )


def _utilities(tables: Iterator[pa.Table]) -> Iterator[NDArray[np.float64]]:
    for table in tables:
        yield table.column("utility").to_numpy()


def _bins(edges: NDArray[np.float64], utilities: NDArray[np.float64]) -> NDArray[np.intp]:
    """Odd where a utility equals an edge, so that equal ones share a rank; even between edges."""
    low, high = (np.searchsorted(edges, utilities, side=side) for side in ("left", "right"))
    bins: NDArray[np.intp] = low + high
    return bins
