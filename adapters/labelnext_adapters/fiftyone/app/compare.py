"""Two runs of one dataset side by side: how far they agree, and where they do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext_adapters.fiftyone.database.connection import talking
from labelnext_adapters.fiftyone.database.fields import check_flat, items_of, temporary_frames
from labelnext_adapters.fiftyone.database.values import fetch
from labelnext_adapters.fiftyone.read.own_runs import run_config

_MOST = 20


@dataclass(frozen=True)
class Comparison:
    """How two rankings differ.

    Attributes:
        first: name of one run.
        second: name of the other.
        n_common: samples that both rank.
        n_first: size of the first batch.
        n_second: size of the second batch.
        n_overlap: samples in both batches.
        correlation: Spearman's rank correlation over the common samples, in [−1, 1]; NaN for
            fewer than two.
        disagreements: the common samples whose ranks differ most: id, and both ranks; none where
            all have the same rank in both.
        names: what these are called, by their files.
    """

    first: str
    second: str
    n_common: int
    n_first: int
    n_second: int
    n_overlap: int
    correlation: float
    disagreements: tuple[tuple[str, int, int], ...]
    names: tuple[str, ...]


def n_common(collection: Any, first: str, second: str) -> int | None:
    """How many samples of a view both runs rank; None for frames, which FiftyOne would copy.

    Args:
        collection: a dataset or view.
        first: name of a run.
        second: name of another run.

    Raises:
        NotFound: if there is no such run.
        InvalidInput: if both are the same or of different kinds of items, or the view holds
            groups, patches or clips.
    """
    from fiftyone import ViewField

    configs = _configs(collection._root_dataset, first, second)
    frames = getattr(configs[0], "frames", False)
    check_flat(collection, frames=frames)
    if frames:
        return None
    ranked = [ViewField(f"{run}.rank") + 0 > 0 for run in (first, second)]
    with talking():
        return int(items_of(collection, configs[0]).match(ranked[0] & ranked[1]).count())


def compare_runs(collection: Any, first: str, second: str) -> Comparison:
    """Compare two runs by the ranks that the dataset holds.

    Args:
        collection: a dataset, or a view: then only the samples that are in it.
        first: name of a run.
        second: name of another run.

    Raises:
        NotFound: if there is no such run.
        InvalidInput: as `n_common`.

    References:
        Spearman, The Proof and Measurement of Association between Two Things (1904).
    """
    configs = _configs(collection._root_dataset, first, second)
    sizes = [int(config.n_batch) for config in configs]
    paths = [f"{first}.rank", f"{second}.rank"]
    frames = getattr(configs[0], "frames", False)
    check_flat(collection, frames=frames)
    told = ["filepath", *(["frame_number"] if frames else [])]
    with temporary_frames(), talking():
        columns = fetch(_items(collection, configs[0]), ["id", *paths, *told])
    batches = [
        sum(rank is not None and rank <= size for rank in columns[path])
        for path, size in zip(paths, sizes, strict=True)
    ]
    names = (str(path).rpartition("/")[2] for path in columns["filepath"])
    if len(told) > 1:
        numbered = zip(names, columns["frame_number"], strict=True)
        names = (f"{name} #{number}" for name, number in numbered)
    rows = zip(columns["id"], *(columns[path] for path in paths), names, strict=True)
    both = [row for row in rows if row[1] is not None and row[2] is not None]
    ids = [row[0] for row in both]
    ranks = np.array([row[1:3] for row in both], dtype=np.int64).reshape(-1, 2)
    apart = np.abs(ranks[:, 0] - ranks[:, 1])
    order = np.argsort(-apart, kind="stable")[: min(_MOST, np.count_nonzero(apart))]
    return Comparison(
        first=first,
        second=second,
        n_common=len(ids),
        n_first=batches[0],
        n_second=batches[1],
        n_overlap=int((ranks <= sizes).all(axis=1).sum()),
        correlation=rank_correlation(ranks[:, 0], ranks[:, 1]),
        disagreements=tuple((ids[i], *map(int, ranks[i])) for i in order),
        names=tuple(both[i][3] for i in order),
    )


def _items(collection: Any, config: Any) -> Any:
    """What a run ranks, of a view; one of frames may be older than the run."""
    if not collection._is_frames:
        return items_of(collection, config)
    return items_of(collection._root_dataset, config).select(collection.values("id"))


def _configs(dataset: Any, first: str, second: str) -> list[Any]:
    """The configurations of two runs that can be compared."""
    if first == second:
        raise InvalidInput(f"runs to compare must be two; got {first!r} twice.")
    configs = [run_config(dataset, run) for run in (first, second)]
    kinds = ["frames" if getattr(config, "frames", False) else "samples" for config in configs]
    if kinds[0] != kinds[1]:
        raise InvalidInput(
            f"runs to compare must rank the same kind of items; got {kinds[0]} and {kinds[1]}."
        )
    return configs


def rank_correlation(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """Spearman's rank correlation of values without ties.

    Args:
        first: shape (n,), distinct.
        second: shape (n,), distinct.

    Returns:
        In [−1, 1]; NaN for fewer than two values.

    Example:
        >>> rank_correlation(np.array([1, 2, 3]), np.array([1, 3, 2]))
        0.5
    """
    n = len(first)
    if n < 2:
        return float("nan")
    places = np.empty((2, n), dtype=np.int64)
    for row, values in zip(places, (first, second), strict=True):
        row[np.argsort(values)] = np.arange(n)
    squares = int(((places[0] - places[1]) ** 2).sum())
    return 1 - 6 * squares / (n * (n * n - 1))
