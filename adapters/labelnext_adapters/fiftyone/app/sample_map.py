"""A map of a run's samples by their embeddings: those that look alike lie close to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.report.pool_map import on_main_axes
from labelnext_adapters.fiftyone.app.choices import embedding_choices
from labelnext_adapters.fiftyone.app.foreseen import Kept
from labelnext_adapters.fiftyone.database.connection import talking
from labelnext_adapters.fiftyone.database.fields import items_of
from labelnext_adapters.fiftyone.database.values import fetch, floats, stream
from labelnext_adapters.fiftyone.read.embeddings import is_index

KINDS = ("not ranked", "ranked", "batch")
_MOST = {"not ranked": 700, "ranked": 1_300, "batch": 500}  # points of each kind


@dataclass(frozen=True)
class SampleMap:
    """Where samples lie.

    Attributes:
        embeddings: name of the field or similarity index.
        points: shape (n, 2).
        ids: of the samples, shape (n,).
        names: of their files, shape (n,).
        kinds: positions in `KINDS`, shape (n,).
        ranks: None where a sample isn't ranked, shape (n,).
        scores: NaN for none, shape (n,).
        share: of the embeddings' variance that the map shows, in [0, 1].
        n_all: how many samples there are; of a large dataset not all are drawn.
    """

    embeddings: str
    points: NDArray[np.float64]
    ids: tuple[str, ...]
    names: tuple[str, ...]
    kinds: NDArray[np.intp]
    ranks: tuple[int | None, ...]
    scores: NDArray[np.float64]
    share: float
    n_all: int


_MAPS = Kept(8)


def map_samples(dataset: Any, run: str) -> SampleMap | None:
    """The samples of a run on the main axes of their embeddings; None without embeddings.

    Of a large dataset, some samples of each kind are drawn.

    Args:
        dataset: a FiftyOne dataset.
        run: name of the run.

    Raises:
        NotFound: if there is no such run.
    """
    drawn: SampleMap | None = _MAPS.of_run(
        dataset, run, lambda config: _drawn(items_of(dataset, config), config, run)
    )
    return drawn


def _drawn(samples: Any, config: Any, run: str) -> SampleMap | None:
    known = [choice.name for choice in embedding_choices(samples)]
    name = getattr(config, "embeddings", None)
    name = name if name in known else next(iter(known), None)
    if name is None or is_index(samples, name):
        return None  # an index may be a service of its own, asked for all vectors at once
    with talking():
        columns = fetch(samples, ["id", "filepath", f"{run}.rank", f"{run}.score"])
    ranks = columns[f"{run}.rank"]
    kinds = np.array([0 if r is None else 2 if r <= config.n_batch else 1 for r in ranks])
    rows = _some(kinds)
    ids = [columns["id"][i] for i in rows]
    read = stream(samples.select(ids), name, ids)
    if read is None:
        return None
    vectors, _ = read
    finite = np.isfinite(vectors).all(axis=1) if vectors.size else np.zeros(len(ids), dtype=bool)
    kept = vectors[finite].astype(np.float64)
    if len(kept) < 3 or not np.ptp(kept, axis=0).any():
        return None
    points, share = on_main_axes(kept)
    rows = rows[finite]
    return SampleMap(
        embeddings=name,
        points=points,
        ids=tuple(columns["id"][i] for i in rows),
        names=tuple(str(columns["filepath"][i]).rpartition("/")[2] for i in rows),
        kinds=kinds[rows],
        ranks=tuple(ranks[i] for i in rows),
        scores=floats(columns[f"{run}.score"])[rows],
        share=share,
        n_all=len(ranks),
    )


def _some(kinds: NDArray[np.intp]) -> NDArray[np.intp]:
    """All rows, or those of each kind evenly spread, in the order of the kinds."""
    if len(kinds) <= sum(_MOST.values()):
        return np.argsort(kinds, kind="stable")
    parts = []
    for kind, name in enumerate(KINDS):
        rows = np.flatnonzero(kinds == kind)
        if len(rows) > _MOST[name]:
            rows = rows[np.linspace(0, len(rows) - 1, _MOST[name]).astype(int)]
        parts.append(rows)
    return np.concatenate(parts)
