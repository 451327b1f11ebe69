"""What the report says of all scores, looked at part by part once the batch is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from labelnext.adapter.protocol import Part, Streams
from labelnext.runs.large.order import among, hashes
from labelnext.runs.large.part import ARROW, Scored, file_name, kept_files, kept_scores
from labelnext.runs.large.score_part import Scoring
from labelnext.support.histogram import histogram
from labelnext.support.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

FINE = 3000  # bins in which the median is looked for
_MOST_MARKS = 24  # binary digits


@dataclass(frozen=True)
class Look:
    """Counts scores, and the classes and objects of the batch; keeps a sample for later runs.

    Attributes:
        scoring: whose files hold the scores.
        whole: a digest of all parts and of the batch.
        batch: file of the ids of the batch, as far as its classes are counted.
        between: the lowest and the highest score; None without any.
        sampled: one item of so many is in the sample.
    """

    scoring: Scoring
    whole: str
    batch: str
    between: tuple[float, float] | None
    sampled: int
    skip_broken: bool = False

    def name(self, part: Part) -> str:
        """The file of a part's sample."""
        how = [self.scoring.told, self.whole]
        return file_name(f"{self.scoring.folder}/sample", part, how, ARROW)

    def nothing(self) -> pa.Table:
        """No sample."""
        import pyarrow as pa

        return pa.table({"item_id": [], "name": [], "score": []})

    def table(self, reader: Streams, part: Part, store: Store) -> tuple[pa.Table, Scored]:
        """The sample: id, the predicted class, and the score, NaN without one, null if unranked.

        Raises:
            WriteFailed: as `kept_files`.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        scores = kept_scores(store, self.scoring.name(part)).combine_chunks()
        with kept_files("the batch"):
            batch, marks = batch_ids(store.place, self.batch, self.whole)
        ids, ranked = scores.column("item_id"), pc.is_valid(scores.column("utility"))
        of_ids = hashes(ids)
        marked = scores.take(pa.array(np.flatnonzero(marks[_marks(of_ids, marks)])))
        found = self._of_batch(marked.filter(among(marked.column("item_id"), batch)))
        ranked_scores = scores.column("score").filter(ranked).to_numpy()
        found.bins = fine_histogram(ranked_scores, self.between).tolist()
        found.counts["items"] = len(scores)
        if self.sampled > 1:
            scores = scores.take(pa.array(np.flatnonzero(of_ids % self.sampled == 0)))
        nan = pa.scalar(np.nan)
        told = pc.if_else(
            pc.is_valid(scores.column("utility")),
            pc.fill_null(scores.column("score"), nan),
            pa.scalar(None, pa.float64()),
        )
        names = scores.column("predicted").cast(pa.string())
        sample = pa.table({"item_id": scores.column("item_id"), "name": names, "score": told})
        return sample, found

    def _of_batch(self, items: pa.Table) -> Scored:
        import pyarrow as pa
        import pyarrow.compute as pc

        names = items.column("predicted")
        if self.scoring.recipe.unit == "objects":
            names = pc.list_flatten(items.column("classes"))
        counts = names.cast(pa.string()).drop_null().value_counts()
        classes = {count["values"]: count["counts"] for count in counts.to_pylist()}
        n_objects = pc.sum(items.column("n_objects")).as_py() or 0
        return Scored(classes=classes, objects={"items": len(items), "objects": n_objects})


@lru_cache(maxsize=1)  # for all parts; forgotten with the run
def batch_ids(place: str, name: str, whole: str) -> tuple[pa.ChunkedArray, NDArray[np.bool_]]:
    """The ids of the batch, and marks at their hashes: few others have a mark.

    Args:
        place: of the store.
        name: of their file.
        whole: a digest of the batch.
    """
    ids = Store(place).read_table(name).column("item_id")
    marks = np.zeros(1 << min(max(64 * len(ids), 1).bit_length(), _MOST_MARKS), dtype=bool)
    marks[_marks(hashes(ids), marks)] = True
    return ids, marks


def _marks(of_ids: NDArray[np.uint64], marks: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Where the marks of hashes are."""
    return of_ids & np.uint64(len(marks) - 1)


def fine_histogram(
    scores: NDArray[np.float64], between: tuple[float, float] | None
) -> NDArray[np.int64]:
    """How many finite scores are in each of 3,000 bins."""
    if between is None:
        return np.zeros(FINE, dtype=np.int64)
    counts: NDArray[np.int64] = histogram(scores[np.isfinite(scores)], *between, FINE)[0]
    return counts
