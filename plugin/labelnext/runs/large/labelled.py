"""What is labelled in a pool in parts, gathered for `status`: a pool of its own, in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelnext.adapter.protocol import Part, Streams
from labelnext.config.config import Config
from labelnext.journal.plan import Progress
from labelnext.pool.pool import Pool
from labelnext.quality.accuracy import Hits, hits
from labelnext.runs.job import Labelled
from labelnext.runs.large.limits import readable
from labelnext.runs.large.part_findings import all_classes
from labelnext.support.threads import in_order


@dataclass(frozen=True, eq=False)
class _OfPart:
    """Of one part: how many items it holds, and those with a label."""

    n_items: int
    n_labelled: int
    item_ids: list[str]
    labels: NDArray[np.int64] | None
    classes: tuple[str, ...] | None
    embeddings: NDArray[np.floating] | None
    hits: Hits


def labelled_items(
    settings: Config, platform: Streams, parts: list[Part], progress: Progress | None
) -> Labelled:
    """How many items there are, how many are labelled, and those with a class label as a pool.

    Args:
        settings: the configuration.
        platform: reads the parts.
        parts: of the pool.
        progress: called with a stage, how much is done, and of how much.

    Raises:
        InvalidInput: if a part cannot be read, and broken parts are not to be skipped.
    """
    n_rows, each = sum(part.rows for part in parts), []
    n_items = 0
    for labelled in in_order(lambda part: _of_part(settings, platform, part), parts):
        each.append(labelled)
        n_items += labelled.n_items
        if progress is not None:
            progress("read", n_items, n_rows)
    right, judged = (sum(part.hits[place] for part in each) for place in range(2))
    n_labelled = sum(part.n_labelled for part in each)
    return Labelled(n_items, n_labelled, _pool_of(each), Hits(right, judged))


def _of_part(settings: Config, platform: Streams, part: Part) -> _OfPart:
    read = readable(settings, platform, part, ("embedding",))
    if read is None:
        return _OfPart(0, 0, [], None, None, None, Hits(0, 0))
    pool, ids = read
    known = np.zeros(len(pool), dtype=bool) if pool.labels is None else pool.labels >= 0
    rows = np.flatnonzero(known)
    return _OfPart(
        len(pool),
        int(pool.labelled.sum()),
        [str(i) for i in ids.take(rows).to_pylist()],
        None if pool.labels is None else pool.labels[rows],
        pool.classes,
        None if pool.embeddings is None else pool.embeddings[rows],
        hits(pool),
    )


def _pool_of(parts: list[_OfPart]) -> Pool:
    """The labelled items of all parts, their classes numbered alike."""
    classes = all_classes([part.classes for part in parts])
    labels, embeddings = [], []
    for part in parts:
        numbers = np.empty(0, dtype=np.int64) if part.labels is None else part.labels
        if part.classes is not None and classes is not None and part.classes != classes:
            numbers = np.array([classes.index(name) for name in part.classes])[numbers]
        labels.append(numbers)
        if part.embeddings is not None:
            embeddings.append(part.embeddings)
    numbered = np.concatenate(labels) if labels else np.empty(0, dtype=np.int64)
    return Pool(
        [name for part in parts for name in part.item_ids],
        labels=numbered if any(part.labels is not None for part in parts) else None,
        classes=classes,
        embeddings=np.concatenate(embeddings) if embeddings else None,
    )
