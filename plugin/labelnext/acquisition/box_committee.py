"""Certainty of detected boxes across model versions, or runs of one model on altered images.

Both functions walk over the images in chunks, so that memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.matching import Clusters, match_boxes, merge_boxes
from labelnext.acquisition.objects import NoObjects, Reduction, reduce_objects
from labelnext.acquisition.overlap import iou_of_each, mean_shapes, shape_iou, shapes_of
from labelnext.errors import InvalidInput
from labelnext.pool.objects import Objects

_CHUNK = 2048  # images whose clusters are held at a time


@dataclass(frozen=True, eq=False)
class Certainty:
    """How sure a committee is of each cluster of boxes, each part in [0, 1].

    Attributes:
        semantic: shape (n_clusters,), 1 − H(mean distribution)/ln(K + 1), background included.
        spatial: shape (n_clusters,), mean IoU of the members' boxes with their mean box.
        occurrence: shape (n_clusters,), share of the versions that have the box.
    """

    semantic: NDArray[np.float64]
    spatial: NDArray[np.float64]
    occurrence: NDArray[np.float64]

    @property
    def product(self) -> NDArray[np.float64]:
        """Semantic × spatial × occurrence, shape (n_clusters,)."""
        return self.semantic * self.spatial * self.occurrence


def committee_certainty(
    objects: Sequence[Objects],
    *,
    iou: float = 0.5,
    n_classes: int | None = None,
    reduce: Reduction = "mean",
    k: int = 3,
    floor: float = 0.0,
    no_objects: NoObjects = "first",
) -> NDArray[np.floating]:
    """Semantic × spatial × occurrence certainty of the boxes, reduced to one value per item.

    The versions' boxes, or masks where all have them, are merged into clusters (`merge_boxes`). A
    version without the box votes for background, but not one of which the item is missing. A class
    vector keeps its values and leaves what is missing to 1 for background; without vectors the
    predicted class has its confidence and background the rest.

    Args:
        objects: one entry for each model version, with boxes.
        iou: the least overlap of a box with a cluster's mean box.
        n_classes: number K of classes where there are no class vectors; those of the pool, or the
            largest that occurs, when None.
        reduce: how the certainties of an item's clusters become one; min asks for the least
            certain box. There are no class weights, so weighted_sum is refused.
        k: number of clusters for ``reduce="mean_top_k"``.
        floor: objects with a lower confidence do not count.
        no_objects: whether items without objects in any version come first or last.

    Returns:
        Shape (n_items,), in [0, 1] (a sum may exceed 1); smaller is less certain. NaN where the
        item is missing of every version.

    Raises:
        InvalidInput: if there are fewer than two versions, or one has no boxes.

    References:
        After Blok et al. (2022), MaskAL, and its successor BoxAL (2024), arXiv 2410.04880. The
        parts and their product are theirs; the votes for background are from here.

    Example:
        >>> a = Objects([0, 1], [1.0], class_ids=[0], boxes=[[0, 0, 0.5, 0.5]])
        >>> committee_certainty([a, a]).tolist()
        [1.0]
    """
    _check(objects)
    empty = 0.0 if no_objects == "first" or reduce == "sum" else 1.0
    out = np.empty(len(objects[0]))
    for start, stop in _chunks(len(out)):
        clusters = merge_boxes(objects, iou=iou, floor=floor, start=start, stop=stop)
        certainties = cluster_certainty(clusters, objects, n_classes).product
        # Clusters count whatever their certainty: the floor was for objects.
        owners = Objects(clusters.offsets, np.ones(len(clusters)))
        out[start:stop] = reduce_objects(certainties, owners, reduce=reduce, k=k, empty=empty)
    out[~present_versions(objects).any(axis=1)] = np.nan
    return out


def localisation_stability(
    objects: Sequence[Objects],
    *,
    iou: float = 0.5,
    floor: float = 0.0,
    no_objects: NoObjects = "first",
) -> NDArray[np.floating]:
    """Mean overlap of the newest version's boxes with those of the others, by confidence.

    S = Σ s_d · mean over the other versions of IoU(b_d, its match) / Σ s_d, over the boxes b_d of
    the last version with confidence s_d; the match has the same class, and no match is overlap 0.
    Masks take the place of the boxes where both versions have them. Versions of which an item is
    missing play no part in it.

    Args:
        objects: one entry for each model version, with boxes; the last is the one to be judged.
        iou: the least overlap of a match.
        floor: objects with a lower confidence do not count.
        no_objects: whether items without objects in any version come first or last.

    Returns:
        Shape (n_items,), in [0, 1]; smaller is less stable. 0 where only other versions have
        objects, NaN where fewer than two versions have a prediction.

    Raises:
        InvalidInput: if there are fewer than two versions, or one has no boxes.

    References:
        After Kao et al. (2018), Localization-aware active learning for object detection, where the
        runs are the same model on noisy images; stored versions take their place.

    Example:
        >>> a = Objects([0, 1], [0.8], boxes=[[0, 0, 0.5, 1]])
        >>> b = Objects([0, 1], [0.9], boxes=[[0, 0, 0.4, 1]])
        >>> localisation_stability([a, b]).round(3).tolist()
        [0.8]
    """
    _check(objects)
    present = present_versions(objects)
    newest = len(objects) - 1 - present[:, ::-1].argmax(axis=1)
    scores, counts = np.full(len(present), np.nan), np.zeros(len(present))
    for version in objects:
        kept = ~(version.confidences < floor)
        counts += np.bincount(version.item_positions[kept], minlength=len(present))
    for judged in np.unique(newest).tolist():
        items = np.flatnonzero((newest == judged) & (present.sum(axis=1) > 1))
        scores[items] = _stability(objects, judged, items, iou, floor)
    nothing = (counts == 0) & (present.sum(axis=1) > 1)
    return np.where(nothing, 0.0 if no_objects == "first" else 1.0, scores)


def _stability(
    versions: Sequence[Objects], judged: int, items: NDArray[np.intp], iou: float, floor: float
) -> NDArray[np.float64]:
    """Stability of one version's objects in some items, 0 where it has none."""
    own = versions[judged]
    others = [v for place, v in enumerate(versions) if place != judged]
    overlap = np.zeros(len(own.confidences))
    for other in others:
        overlap += _overlaps(own, other, items, iou, floor)
    n_others = np.maximum(present_versions(versions).sum(axis=1) - 1, 1)
    kept = ~(own.confidences < floor)
    owners, weights = own.item_positions[kept], own.confidences[kept].astype(np.float64)
    total = np.bincount(owners, weights, minlength=len(own))
    stable = np.bincount(owners, weights * overlap[kept], minlength=len(own)) / n_others
    scores: NDArray[np.float64] = np.divide(stable, total, out=np.zeros(len(own)), where=total != 0)
    return scores[items]


def cluster_certainty(
    clusters: Clusters, versions: Sequence[Objects], n_classes: int | None = None
) -> Certainty:
    """How sure the versions are of each cluster.

    Args:
        clusters: of the versions' boxes.
        versions: one entry for each model version.
        n_classes: number of classes; the largest that occurs, or the width of the class vectors,
            when None.

    Example:
        >>> a = Objects([0, 1], [1.0], class_ids=[0], boxes=[[0, 0, 0.5, 0.5]])
        >>> b = Objects([0, 0], [], class_ids=[], boxes=[])
        >>> c = cluster_certainty(merge_boxes([a, b]), [a, b])
        >>> c.semantic.round(3).tolist(), c.spatial.tolist(), c.occurrence.tolist()
        ([0.0], [1.0], [0.5])
    """
    n_classes = _n_classes(versions, n_classes)
    shapes = shapes_of(versions)
    means = mean_shapes(shapes, clusters.members)
    asked = present_versions(versions)[clusters.items]  # a version that did not look has no vote
    seen = np.zeros(len(clusters))
    overlap, mean = np.zeros(len(clusters)), np.zeros((len(clusters), n_classes + 1))
    for place, (version, rows) in enumerate(zip(versions, clusters.members.T, strict=True)):
        has = rows >= 0
        seen += has
        overlap[has] += iou_of_each(shapes[place][rows[has]], means[has])
        mean[has] += _with_background(version, rows[has], n_classes)
        mean[~has & asked[:, place], n_classes] += 1
    mean /= mean.sum(axis=1, keepdims=True)
    logs = np.log(mean, out=np.zeros_like(mean), where=mean > 0)
    semantic = np.clip(1 + (mean * logs).sum(axis=1) / np.log(n_classes + 1), 0, 1)
    return Certainty(semantic, overlap / np.maximum(seen, 1), seen / asked.sum(axis=1))


def class_flips(clusters: Clusters, versions: Sequence[Objects]) -> NDArray[np.bool_]:
    """Clusters whose members are of different classes, shape (n_clusters,).

    Example:
        >>> box = [[0, 0, 1, 1]]
        >>> a, b = (Objects([0, 1], [0.9], class_ids=[c], boxes=box) for c in (0, 1))
        >>> class_flips(merge_boxes([a, b]), [a, b]).tolist()
        [True]
    """
    low, high = np.full((2, len(clusters)), [[np.iinfo(np.int64).max], [-2]])
    for version, rows in zip(versions, clusters.members.T, strict=True):
        if version.class_ids is None:
            return np.zeros(len(clusters), dtype=bool)
        has = rows >= 0
        low[has] = np.minimum(low[has], version.class_ids[rows[has]])
        high[has] = np.maximum(high[has], version.class_ids[rows[has]])
    return low < high


def _with_background(version: Objects, rows: NDArray[np.int64], n_classes: int) -> NDArray[
    np.float64
]:  # fmt: skip
    """Distributions over the classes and background, shape (n_rows, n_classes + 1)."""
    out = np.zeros((len(rows), n_classes + 1))
    if version.probabilities is not None:
        out[:, :n_classes] = version.probabilities[rows]
    else:
        ids: NDArray[np.int64] = np.zeros(len(rows), dtype=np.int64)
        if version.class_ids is not None:
            ids = version.class_ids[rows]
        out[np.arange(len(rows)), ids] = version.confidences[rows]
        unknown = ids < 0  # −1 wrote into the background's column
        out[unknown, n_classes] = 0
        out[unknown, :n_classes] = version.confidences[rows][unknown, None] / n_classes
    out[:, n_classes] = np.maximum(1 - out[:, :n_classes].sum(axis=1), 0)
    return out


def _n_classes(versions: Sequence[Objects], known: int | None) -> int:
    found = [v for v in versions if len(v.confidences)]  # a version without any says nothing
    widths = [v.probabilities.shape[1] for v in found if v.probabilities is not None]
    if len(set(widths)) > 1:
        raise InvalidInput(f"class vectors must be of one width; got {sorted(set(widths))}.")
    ids = [int(v.class_ids.max(initial=0)) + 1 for v in versions if v.class_ids is not None]
    return widths[0] if widths else max([*ids, known or 1])


def _overlaps(
    own: Objects, other: Objects, items: NDArray[np.intp], iou: float, floor: float
) -> NDArray[np.float64]:
    """IoU of each own object in some items with its match of the same class, 0 without one."""
    out = np.zeros(len(own.confidences))
    own_shapes, other_shapes = shapes_of([own, other])
    for item in items[(own.counts[items] > 0) & (other.counts[items] > 0)].tolist():
        a = np.arange(*own.offsets[item : item + 2])
        b = np.arange(*other.offsets[item : item + 2])
        a, b = a[~(own.confidences[a] < floor)], b[~(other.confidences[b] < floor)]
        overlap = shape_iou(own_shapes[a], other_shapes[b])
        if own.class_ids is not None and other.class_ids is not None:
            overlap = overlap * (own.class_ids[a][:, None] == other.class_ids[b][None, :])
        rows, columns = match_boxes(overlap, iou)
        out[a[rows]] = overlap[rows, columns]
    return out


def present_versions(versions: Sequence[Objects]) -> NDArray[np.bool_]:
    """Which versions have a prediction of each item, shape (n_items, n_versions).

    Example:
        >>> seen, not_ = Objects([0, 0], []), Objects([0, 0], [], missing=[True])
        >>> present_versions([seen, not_]).tolist()
        [[True, False]]
    """
    columns = [np.ones(len(v), dtype=bool) if v.missing is None else ~v.missing for v in versions]
    return np.stack(columns, axis=1)


def _chunks(n: int) -> Iterator[tuple[int, int]]:
    for start in range(0, n, _CHUNK):
        yield start, min(start + _CHUNK, n)


def _check(objects: Sequence[Objects]) -> None:
    if isinstance(objects, Objects) or len(objects) < 2:
        raise InvalidInput("objects must hold two model versions at least; got one.")
