"""Embeddings for selection: selected rows, read in blocks and transformed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.checks import named
from labelnext.pool.read_only import read_only
from labelnext.support.annotations import Number
from labelnext.support.signatures import fitted_options, option_kinds
from labelnext.support.threads import in_order

Array: TypeAlias = NDArray[np.floating]
Distance = Literal["euclidean", "cosine"]
Projection = Literal["pca", "random"]
Coordinates = Literal["embeddings", "probabilities"]

_Result = TypeVar("_Result")

#: The largest number of an embedding that is used.
LARGEST = 1e15  # sums of squares of such numbers fit into float32
_BLOCK = 1 << 20  # elements: small in memory, large enough for a matrix product
_SOME = 33  # rows among which a middle is searched
_CACHED = 1 << 16  # elements that stay in the cache, with as many beside them


class Points:
    """Rows of an array of vectors, read on demand and never copied as a whole.

    Args:
        array: shape (n_rows, n_dimensions), in memory or memory-mapped; float16 is read as float32.
        rows: shape (n_points,), the rows in order; all when None.
        transform: applied to every block read.
        width: of a transformed vector; as stored when None.

    Example:
        >>> points = Points(np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]]), np.array([2, 0]))
        >>> points.shape, points[:1].tolist()
        ((2, 2), [[3.0, 4.0]])
    """

    ndim = 2

    def __init__(
        self,
        array: Array,
        rows: NDArray[np.intp] | None = None,
        transform: Callable[[Array], Array] | None = None,
        width: int | None = None,
    ) -> None:
        if rows is not None and len(rows) and (np.diff(rows) == 1).all():
            array, rows = array[rows[0] : rows[-1] + 1], None  # consecutive rows: a view
        self._array, self._rows, self._transform = read_only(array), rows, transform
        self.dtype = np.dtype(np.float64 if array.dtype == np.float64 else np.float32)
        n_points = len(array) if rows is None else len(rows)
        self.shape = (n_points, array.shape[1] if width is None else width)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: slice | NDArray[np.intp]) -> Array:
        rows = index if self._rows is None else self._rows[index]
        block = np.ascontiguousarray(self._array[rows], dtype=self.dtype)
        return block if self._transform is None else self._transform(block)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        whole: Array = self[:].astype(dtype or self.dtype, copy=bool(copy))
        return whole

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        """The points in order, as blocks with their slices."""
        for part in self._slices():
            yield part, self[part]

    def each(
        self, work: Callable[[slice, Array], _Result], rows: int | None = None
    ) -> Iterator[_Result]:
        """Apply `work` to each block and its slice, in parallel; results come in order.

        Matrix products inside should use one thread each: see `one_blas_thread`.

        Args:
            work: called with a slice and its block.
            rows: maximum rows of a block; as in `blocks` when None.
        """
        return in_order(lambda part: work(part, self[part]), self._slices(rows))

    def _slices(self, rows: int | None = None) -> list[slice]:
        width = max(1, self._array.shape[1])  # as read
        step = min(max(1, _BLOCK // width), rows or len(self) or 1)
        return [slice(start, min(start + step, len(self))) for start in range(0, len(self), step)]


def as_points(embeddings: Array | Points) -> Points:
    """Convert a selection method's argument to points; arrays must be finite.

    Raises:
        InvalidInput: if an array is not of shape (n_items, n_dimensions), not finite, or too
            large or small to be squared.
    """
    if isinstance(embeddings, Points):
        return embeddings
    array = np.asarray(embeddings)
    if array.ndim != 2:
        raise InvalidInput(
            f"embeddings must be of shape (n_items, n_dimensions); got shape {array.shape}."
        )
    points = Points(array if array.dtype.kind == "f" else array.astype(np.float64))
    if not finite_rows(points, few=0).all():
        raise InvalidInput("embeddings must be finite; got NaN or infinity.")
    return points


def finite_rows(
    points: Points, names: Sequence[str] | NDArray[Any] | None = None, *, few: float = 0.1
) -> NDArray[np.bool_]:
    """Which points have neither NaN nor infinity, nor numbers above 1e15; shape (n_points,).

    Args:
        points: as read; their squares must fit into float32.
        names: ids for error messages; row numbers when None.
        few: the share of finite points that may have a number above 1e15.

    Raises:
        InvalidInput: if more have one, or the largest of the others is below 1e-15 and not 0.
    """

    def examined(_: slice, block: Array) -> tuple[NDArray[np.bool_], Array]:
        finite: NDArray[np.bool_] = np.asarray(np.isfinite(block).all(axis=1))
        kept = block if finite.all() else np.where(finite[:, None], block, 0)
        sizes: Array = np.maximum(kept.max(axis=1), -kept.min(axis=1))
        return finite, sizes

    if 0 in points.shape:
        return np.ones(len(points), dtype=bool)
    blocks = [*points.each(examined)]
    finite: NDArray[np.bool_] = np.concatenate([block[0] for block in blocks])
    sizes = np.concatenate([block[1] for block in blocks])
    far = sizes > LARGEST
    if 0 < far.sum() <= few * finite.sum():
        finite, sizes = finite & ~far, np.where(far, 0, sizes)
    largest = int(sizes.argmax())
    if sizes[largest] > LARGEST or 0 < sizes[largest] < 1 / LARGEST:
        raise InvalidInput(
            f"embeddings must have numbers between 1e-15 and 1e15 in size; got at most "
            f"{sizes[largest]:.6g}, for {named(np.array([largest]), names)}.",
            hint="scale all of them by the same factor.",
        )
    return finite


def origin_of(points: Array | Points) -> Array:
    """A point amid the others, to shift them by; a few that lie far from the rest don't move it.

    Each coordinate is the median of that of up to 33 rows.

    Args:
        points: shape (n_points, n_dimensions); at least one.

    Returns:
        Shape (1, n_dimensions).

    Example:
        >>> origin_of(np.array([[1e9], [1.0], [3.0], [2.0], [-1e9]])).tolist()
        [[2.0]]
    """
    some = np.sort(points[np.arange(0, len(points), ceil(len(points) / _SOME))], axis=0)
    middle: Array = some[len(some) // 2][None]
    return middle


def squared_distances(
    first: Array, second: Array, *, lengths: Array | None = None, others: Array | None = None
) -> Array:
    """Squared Euclidean distances, from one matrix product.

    Rounding errors are about 1e-7 (float32) of the squared lengths; smaller distances are set to
    0, so equal points have distance 0. Shift the points by their `origin_of` first.

    Args:
        first: shape (n, n_dimensions).
        second: shape (m, n_dimensions).
        lengths: `squared_lengths(first)`, if known.
        others: `squared_lengths(second)`, if known.

    Returns:
        Shape (n, m).

    Example:
        >>> squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
        [[25.0, 0.0]]
    """
    lengths = squared_lengths(first) if lengths is None else lengths
    others = squared_lengths(second) if others is None else others
    distances = (-2 * first) @ second.T
    step = max(1, _CACHED // max(1, len(second)))
    for start in range(0, len(first), step):
        part = distances[start : start + step]
        sums = lengths[start : start + step, None] + others
        part += sums
        sums *= 32 * np.finfo(sums.dtype).eps
        np.copyto(part, 0, where=part < sums)
    return distances


def squared_lengths(vectors: Array) -> Array:
    """|x|² of each row."""
    lengths: Array = np.einsum("ij,ij->i", vectors, vectors)
    return lengths


def one_blas_thread() -> AbstractContextManager[object]:
    """Limit BLAS to one thread: for small matrix products a second thread costs more than it saves.

    With another process on the same core, it once took ten times as long.
    """
    limits: AbstractContextManager[object] = _threads().limit(limits=1, user_api="blas")
    return limits


@cache
def _threads() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()  # scans the loaded libraries, so cache it


@dataclass(frozen=True)
class Space:
    """How distances are measured; options of every method that takes embeddings.

    Vectors are standardised, then projected, then scaled to unit length, as requested.

    Attributes:
        space: embeddings, or probabilities: √P of the class probabilities P, for the Hellinger
            distance; of detected objects, P is each class's share of the confidences. When None,
            embeddings, or probabilities if the pool has no embeddings and the method needs them.
        distance: euclidean, or cosine: Euclidean between unit vectors, which orders pairs as the
            cosine does.
        standardise: scale every dimension to mean 0 and standard deviation 1.
        projection: to `n_components` dimensions: pca, or random (Gaussian, seeded).
        n_components: dimensions of the projection.
    """

    space: Coordinates | None = None
    distance: Distance = "euclidean"
    standardise: bool = False
    projection: Projection | None = None
    n_components: Number = 64

    def __post_init__(self) -> None:
        fitted_options(vars(self), option_kinds(type(self)))

    def of(self, array: Array, rows: NDArray[np.intp], *, seed: int) -> Callable[..., Points]:
        """Learn the space from some rows; returns a function from row positions to points."""
        steps: list[Callable[[Array], Array]] = []
        width = array.shape[1]
        if self.standardise or self.projection == "pca":
            mean = mean_of(Points(array, rows))
            steps.append(lambda block: block - mean.astype(block.dtype))
        if self.standardise:
            scale = np.sqrt(mean_of(Points(array, rows, _chain([*steps, np.square]))))
            scale[scale == 0] = 1  # a constant dimension stays 0
            steps.append(lambda block: block / scale.astype(block.dtype))
        if self.projection is not None and self.n_components < width:
            if self.projection == "pca":
                matrix = _principal_axes(Points(array, rows, _chain(steps)), self.n_components)
            else:
                shape = (width, self.n_components)
                matrix = np.random.default_rng(seed).normal(size=shape) / self.n_components**0.5
            width = self.n_components
            steps.append(lambda block: block @ matrix.astype(block.dtype))
        if self.distance == "cosine":
            steps.append(_unit)
        transform = _chain(steps) if steps else None
        return lambda chosen: Points(array, chosen, transform, width)


def _chain(steps: list[Callable[[Array], Array]]) -> Callable[[Array], Array]:
    fixed = tuple(steps)

    def apply(block: Array) -> Array:
        for step in fixed:
            block = step(block)
        return block

    return apply


def _unit(block: Array) -> Array:
    lengths = np.sqrt(squared_lengths(block))
    small = np.flatnonzero(lengths < 1 / LARGEST)  # their squares may have been rounded to 0
    if small.size:
        block, sizes = np.array(block), np.abs(block[small]).max(axis=1)
        block[small] /= np.where(sizes > 0, sizes, 1)[:, None]
        lengths[small] = np.sqrt(squared_lengths(block[small]))
    unit: Array = block / np.where(lengths > 0, lengths, 1)[:, None]
    return unit


def directions(vectors: Array) -> NDArray[np.float64]:
    """Rows scaled to unit length, whatever their size; zeros stay zeros.

    Example:
        >>> directions(np.array([[3e300, 4e300], [0.0, 0.0]])).round(9).tolist()
        [[0.6, 0.8], [0.0, 0.0]]
    """
    sizes = np.abs(vectors).max(axis=1, initial=0).astype(np.float64)
    scaled = vectors / np.where(sizes > 0, sizes, 1)[:, None]
    lengths = np.sqrt(squared_lengths(scaled))
    units: NDArray[np.float64] = scaled / np.where(lengths > 0, lengths, 1)[:, None]
    return units


def mean_of(points: Points) -> NDArray[np.float64]:
    """The mean point, shape (n_dimensions,)."""
    total = np.zeros(points.shape[1])
    for _, block in points.blocks():
        total += block.sum(axis=0, dtype=np.float64)
    return total / max(1, len(points))


def _principal_axes(points: Points, n_components: int) -> NDArray[np.float64]:
    covariance = np.zeros((points.shape[1],) * 2)
    for _, block in points.blocks():
        covariance += block.T @ block
    _, axes = np.linalg.eigh(covariance)
    principal: NDArray[np.float64] = axes[:, ::-1][:, :n_components]
    return principal
