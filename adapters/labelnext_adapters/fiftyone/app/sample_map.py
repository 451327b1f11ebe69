"""A map of a run's samples: those that look alike lie close to each other.

It is a visualization of Brain's, where the dataset has one, else the main axes of the embeddings.
"""

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
_LEAST = 3  # points


@dataclass(frozen=True)
class SampleMap:
    """Where samples lie.

    Attributes:
        made_of: name of the visualization, or of the field with the embeddings.
        points: shape (n, 2).
        ids: of the samples, shape (n,).
        names: of their files, shape (n,).
        kinds: positions in `KINDS`, shape (n,).
        ranks: None where a sample isn't ranked, shape (n,).
        scores: NaN for none, shape (n,).
        share: of the embeddings' variance that the map shows, in [0, 1]; None of a visualization.
        n_all: how many samples there are; of a large dataset not all are drawn.
    """

    made_of: str
    points: NDArray[np.float64]
    ids: tuple[str, ...]
    names: tuple[str, ...]
    kinds: NDArray[np.intp]
    ranks: tuple[int | None, ...]
    scores: NDArray[np.float64]
    share: float | None
    n_all: int

    @property
    def axes(self) -> tuple[str, str]:
        """What the axes are."""
        if self.share is None:
            return "first dimension", "second dimension"
        return "first main axis", "second main axis"


_MAPS = Kept(8)


def map_samples(dataset: Any, run: str) -> SampleMap | None:
    """The samples of a run by what they look like; None without embeddings or a visualization.

    Of a large dataset, some samples of each kind are drawn.

    Args:
        dataset: a FiftyOne dataset.
        run: name of the run.

    Raises:
        NotFound: if there is no such run.
    """
    drawn: SampleMap | None = _MAPS.of_run(
        dataset,
        run,
        lambda config: _drawn(items_of(dataset, config), config, run),
        which=" ".join(visualizations(dataset)),
    )
    return drawn


def visualizations(dataset: Any) -> list[str]:
    """Brain's visualizations of whole samples, the newest last.

    Args:
        dataset: a FiftyOne dataset.
    """
    with talking():
        keys: list[str] = dataset.list_brain_runs(type="visualization", patches_field=None)
        made = {key: dataset.get_brain_info(key).timestamp for key in keys}  # listed by name
    return sorted(keys, key=made.__getitem__)


def _drawn(samples: Any, config: Any, run: str) -> SampleMap | None:
    with talking():
        columns = fetch(samples, ["id", "filepath", f"{run}.rank", f"{run}.score"])
    ranks = columns[f"{run}.rank"]
    kinds = np.array([0 if r is None else 2 if r <= config.n_batch else 1 for r in ranks])
    for placed in (_visualized, _on_main_axes):
        found = placed(samples, config, columns["id"], kinds)
        if found is None:
            continue
        name, rows, points, share = found
        return SampleMap(
            made_of=name,
            points=points,
            ids=tuple(columns["id"][i] for i in rows),
            names=tuple(str(columns["filepath"][i]).rpartition("/")[2] for i in rows),
            kinds=kinds[rows],
            ranks=tuple(ranks[i] for i in rows),
            scores=floats(columns[f"{run}.score"])[rows],
            share=share,
            n_all=len(ranks),
        )
    return None


_Placed = tuple[str, NDArray[np.intp], NDArray[np.float64], float | None]


def _visualized(
    samples: Any, config: Any, ids: list[str], kinds: NDArray[np.intp]
) -> _Placed | None:
    """Where Brain's newest visualization of whole samples has them."""
    dataset = samples._root_dataset
    keys = visualizations(dataset)
    with talking():
        results = dataset.load_brain_results(keys[-1]) if keys else None
    if results is None:
        return None
    places = dict(zip(results.sample_ids, np.asarray(results.points)[:, :2], strict=True))
    rows = _some(kinds)
    rows = rows[[ids[i] in places for i in rows]]
    if len(rows) < _LEAST:
        return None
    return keys[-1], rows, np.array([places[ids[i]] for i in rows], dtype=np.float64), None


def _on_main_axes(
    samples: Any, config: Any, ids: list[str], kinds: NDArray[np.intp]
) -> _Placed | None:
    """Where they lie on the main axes of their embeddings."""
    known = [choice.name for choice in embedding_choices(samples)]
    name = getattr(config, "embeddings", None)
    name = name if name in known else next(iter(known), None)
    if name is None or is_index(samples, name):
        return None  # an index may be a service of its own, asked for all vectors at once
    rows = _some(kinds)
    drawn = [ids[i] for i in rows]
    read = stream(samples.select(drawn), name, drawn)
    if read is None:
        return None
    vectors, _ = read
    finite = np.isfinite(vectors).all(axis=1) if vectors.size else np.zeros(len(rows), dtype=bool)
    kept = vectors[finite].astype(np.float64)
    if len(kept) < _LEAST or not np.ptp(kept, axis=0).any():
        return None
    points, share = on_main_axes(kept)
    return name, rows[finite], points, share


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
