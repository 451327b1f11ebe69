"""Certainty of detected boxes across model versions, or runs of one model on altered images.

Both functions process the images in chunks, so memory doesn't grow with the number of images.
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
from labelnext.support.annotations import Count, Overlap, Share
from labelnext.support.signatures import checked

_CHUNK = 2048  # images per chunk
_NUMBERS = 1 << 22  # of the distributions held at once, 32 MiB


@dataclass(frozen=True, eq=False)
class Certainty:
    """A committee's certainty about each cluster of boxes; every part is in [0, 1].

    Attributes:
        semantic: shape (n_clusters,), 1 − H(mean distribution)/ln(K + 1), background included.
        spatial: shape (n_clusters,), mean IoU of the members' boxes with their mean box.
        occurrence: shape (n_clusters,), share of the versions that detect the box.
    """

    semantic: NDArray[np.float64]
    spatial: NDArray[np.float64]
    occurrence: NDArray[np.float64]

    @property
    def product(self) -> NDArray[np.float64]:
        """Semantic × spatial × occurrence, shape (n_clusters,)."""
        return self.semantic * self.spatial * self.occurrence


@checked
def committee_certainty(
    objects: Sequence[Objects],
    *,
    iou: Overlap = 0.5,
    n_classes: Count | None = None,
    reduce: Reduction = "mean",
    k: Count = 3,
    floor: Share = 0.0,
    no_objects: NoObjects = "first",
) -> NDArray[np.floating]:
    """Semantic × spatial × occurrence certainty of the boxes, reduced to one value per item.

    The versions' boxes (or masks, if all versions have them) are merged into clusters
    (`merge_boxes`). A version that misses a box votes for background, unless it has no prediction
    for the item. A class vector keeps its values, and the remainder to 1 goes to background;
    without vectors, the predicted class gets its confidence and background the rest.

    Args:
        objects: one entry per model version, with boxes.
        iou: minimum overlap of a box with a cluster's mean box.
        n_classes: number K of classes if there are no class vectors; when None, the pool's number
            of classes or the largest class that occurs.
        reduce: how an item's cluster certainties are combined; min uses the least certain box.
            weighted_sum is refused, since there are no class weights.
        k: number of clusters for ``reduce="mean_top_k"``.
        floor: objects with a lower confidence are ignored.
        no_objects: whether items without objects in any version come first or last.

    Returns:
        Shape (n_items,), in [0, 1] (a sum may exceed 1); smaller is less certain. NaN if no
        version predicted the item.

    Raises:
        InvalidInput: if there are fewer than two versions, or one has no boxes.

    References:
        After Blok et al. (2022), MaskAL, and its successor BoxAL (2024), arXiv 2410.04880. The
        parts and their product are theirs; the background votes are our addition.

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
        # The floor applies to objects; every cluster counts.
        owners = Objects(clusters.offsets, np.ones(len(clusters)))
        out[start:stop] = reduce_objects(certainties, owners, reduce=reduce, k=k, empty=empty)
    out[~present_versions(objects).any(axis=1)] = np.nan
    return out


@checked
def localisation_stability(
    objects: Sequence[Objects],
    *,
    iou: Overlap = 0.5,
    floor: Share = 0.0,
    no_objects: NoObjects = "first",
) -> NDArray[np.floating]:
    """Confidence-weighted overlap of the newest version's boxes with the other versions' boxes.

    S = Σ s_d · mean over the other versions of IoU(b_d, its match) / Σ s_d, over the boxes b_d of
    the last version with confidence s_d. A match must have the same class; without one, the
    overlap is 0. Masks replace boxes if both versions have them. Versions without a prediction
    for an item are ignored for it.

    Args:
        objects: one entry per model version, with boxes; the last one is judged.
        iou: minimum overlap of a match.
        floor: objects with a lower confidence are ignored.
        no_objects: whether items without objects in any version come first or last.

    Returns:
        Shape (n_items,), in [0, 1]; smaller is less stable. 0 if only other versions have
        objects, NaN if fewer than two versions predicted the item.

    Raises:
        InvalidInput: if there are fewer than two versions, or one has no boxes.

    References:
        After Kao et al. (2018), Localization-aware active learning for object detection, where the
        runs are one model on noisy images; here they are stored model versions.

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
    """Stability of one version's objects in some items, 0 without objects."""
    objects = versions[judged]
    others = [v for version, v in enumerate(versions) if version != judged]
    overlap = np.zeros(len(objects.confidences))
    for other in others:
        overlap += _overlaps(objects, other, items, iou, floor)
    n_others = np.maximum(present_versions(versions).sum(axis=1) - 1, 1)
    kept = ~(objects.confidences < floor)
    owners, weights = objects.item_positions[kept], objects.confidences[kept].astype(np.float64)
    n_items = len(objects)
    total = np.bincount(owners, weights, minlength=n_items)
    stable = np.bincount(owners, weights * overlap[kept], minlength=n_items) / n_others
    scores: NDArray[np.float64] = np.divide(stable, total, out=np.zeros(n_items), where=total != 0)
    return scores[items]


def cluster_certainty(
    clusters: Clusters, versions: Sequence[Objects], n_classes: int | None = None
) -> Certainty:
    """The committee's certainty about each cluster.

    Args:
        clusters: of the versions' boxes.
        versions: one entry per model version.
        n_classes: number of classes; when None, the width of the class vectors or the largest
            class that occurs.

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
    asked = present_versions(versions)[clusters.items]  # versions without a prediction don't vote
    seen, overlap = np.zeros(len(clusters)), np.zeros(len(clusters))
    for v, rows in enumerate(clusters.members.T):
        has = rows >= 0
        seen += has
        overlap[has] += iou_of_each(shapes[v][rows[has]], means[has])
    step = max(1, _NUMBERS // (n_classes + 1))
    parts = [slice(start, start + step) for start in range(0, len(clusters), step)]
    semantic = [
        _semantic(clusters.members[part], versions, asked[part], n_classes) for part in parts
    ]
    return Certainty(
        np.concatenate([np.empty(0), *semantic]),
        overlap / np.maximum(seen, 1),
        seen / asked.sum(axis=1),
    )


def _semantic(
    members: NDArray[np.int64],
    versions: Sequence[Objects],
    asked: NDArray[np.bool_],
    n_classes: int,
) -> NDArray[np.float64]:
    """1 − H(mean distribution)/ln(K + 1) of some clusters, background included."""
    mean = np.zeros((len(members), n_classes + 1))
    for v, (version, rows) in enumerate(zip(versions, members.T, strict=True)):
        has = rows >= 0
        mean[has] += _with_background(version, rows[has], n_classes)
        mean[~has & asked[:, v], n_classes] += 1
    mean /= mean.sum(axis=1, keepdims=True)
    logs = np.log(mean, out=np.zeros_like(mean), where=mean > 0)
    semantic: NDArray[np.float64] = 1 + (mean * logs).sum(axis=1) / np.log(n_classes + 1)
    return np.clip(semantic, 0, 1)


def class_flips(clusters: Clusters, versions: Sequence[Objects]) -> NDArray[np.bool_]:
    """Clusters whose members have different classes, shape (n_clusters,).

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
        unknown = ids < 0  # −1 indexed the background column
        out[unknown, n_classes] = 0
        out[unknown, :n_classes] = version.confidences[rows][unknown, None] / n_classes
    out[:, n_classes] = np.maximum(1 - out[:, :n_classes].sum(axis=1), 0)
    return out


def _n_classes(versions: Sequence[Objects], known: int | None) -> int:
    filled = [v for v in versions if len(v.confidences)]
    widths = [v.probabilities.shape[1] for v in filled if v.probabilities is not None]
    if len(set(widths)) > 1:
        raise InvalidInput(f"class vectors must have the same width; got {sorted(set(widths))}.")
    ids = [int(v.class_ids.max(initial=0)) + 1 for v in versions if v.class_ids is not None]
    return widths[0] if widths else max([*ids, known or 1])


def _overlaps(
    judged: Objects, other: Objects, items: NDArray[np.intp], iou: float, floor: float
) -> NDArray[np.float64]:
    """IoU of each judged object in some items with its same-class match, 0 without a match."""
    out = np.zeros(len(judged.confidences))
    judged_shapes, other_shapes = shapes_of([judged, other])
    for item in items[(judged.counts[items] > 0) & (other.counts[items] > 0)].tolist():
        a = np.arange(*judged.offsets[item : item + 2])
        b = np.arange(*other.offsets[item : item + 2])
        a, b = a[~(judged.confidences[a] < floor)], b[~(other.confidences[b] < floor)]
        overlap = shape_iou(judged_shapes[a], other_shapes[b])
        if judged.class_ids is not None and other.class_ids is not None:
            overlap = overlap * (judged.class_ids[a][:, None] == other.class_ids[b][None, :])
        rows, columns = match_boxes(overlap, iou)
        out[a[rows]] = overlap[rows, columns]
    return out


def present_versions(versions: Sequence[Objects]) -> NDArray[np.bool_]:
    """Which versions predicted each item, shape (n_items, n_versions).

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
        raise InvalidInput("objects must hold at least two model versions; got one.")
