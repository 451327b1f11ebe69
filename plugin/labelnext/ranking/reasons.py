"""Why an item has its score, in a few words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.box_committee import class_flips
from labelnext.acquisition.matching import merge_boxes
from labelnext.acquisition.objects import object_statistics
from labelnext.pool.checks import mean_of_members
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool
from labelnext.support.words import counted


def reason(pool: Pool, row: int, of: str | None) -> str:
    """Why an item stands where it stands: its two best classes, or its objects.

    Args:
        pool: the items.
        row: position of the item.
        of: items or objects.
    """
    if pool.missing[row]:
        return "no prediction"
    sets = pool.object_sets
    if (of == "objects" or pool.members is None) and sets:
        if len(sets) > 1 and all(objects.boxes is not None for objects in sets):
            return _versions_reason(sets, row)
        return objects_reason(pool, sets[pool.newest_versions[row]], row)
    if pool.members is None:
        return ""
    vectors = pool.members[:, row]
    members = vectors[~np.isnan(vectors).any(axis=1)]
    if not len(members):
        return "no whole prediction"
    mean = mean_of_members(members[:, None])[0]
    best = np.argsort(-mean, kind="stable")[:2].tolist()
    text = ", ".join(f"{class_name(pool, c)} {mean[c]:.2f}" for c in best)
    if len(vectors) == 1:
        return text
    votes = np.bincount(members.argmax(axis=1))
    won = np.argsort(-votes, kind="stable")[: np.count_nonzero(votes)].tolist()
    return f"{text}; votes: {', '.join(f'{class_name(pool, c)} {votes[c]}' for c in won[:5])}"


def objects_reason(pool: Pool, objects: Objects, row: int, most: int = 5) -> str:
    """The objects of an item, the surest first."""
    start, end = objects.offsets[row : row + 2].tolist()
    if start == end:
        return "no objects"
    confidences = objects.confidences[start:end]
    order = np.argsort(-confidences, kind="stable")
    ids = None if objects.class_ids is None else objects.class_ids[start:end]
    parts = [
        f"{'object' if ids is None else class_name(pool, int(ids[i]))} {confidences[i]:.2f}"
        for i in order[:most].tolist()
    ]
    more = f" and {len(order) - most} more" if len(order) > most else ""
    return f"{counted(len(order), 'object')}: {', '.join(parts)}{more}"


def _versions_reason(versions: tuple[Objects, ...], row: int) -> str:
    clusters = merge_boxes(versions, start=row, stop=row + 1)
    flips = int(class_flips(clusters, versions).sum())
    unmatched = int((clusters.members < 0).any(axis=1).sum())
    return (
        f"{len(clusters)} boxes in {len(versions)} versions: {flips} change class, "
        f"{unmatched} not found by all"
    )


def class_name(pool: Pool, position: int) -> str:
    """Name of a class, for people: short, and its position where the pool names none."""
    if position < 0:
        return "unknown"
    name = str(position) if pool.classes is None else pool.classes[position]
    return name if len(name) <= 40 else f"{name[:37]}..."


def predictions_by_class(
    pool: Pool, of: str | None
) -> tuple[NDArray[np.int64], NDArray[np.intp]] | None:
    """The predicted class of each item, or of each object, and the item that it belongs to.

    Args:
        pool: the items.
        of: items or objects.

    Returns:
        Class positions, −1 for none, and positions of items, of one shape; None where the pool
        predicts no classes. Both in the order of the items; of several versions that predict
        objects, each item has those of the newest that predicted it.
    """
    if pool.probabilities is not None and of != "objects":
        assert pool.top_classes is not None, "there are probabilities"
        return pool.top_classes, np.arange(len(pool))
    pairs = [(o.class_ids, o.item_positions) for o in pool.shown_objects if o.class_ids is not None]
    if len(pairs) < 2:
        return pairs[0] if pairs else None
    predicted, owners = (np.concatenate(columns) for columns in zip(*pairs, strict=True))
    by_item = np.argsort(owners, kind="stable")
    return predicted[by_item], owners[by_item]


def counted_objects(pool: Pool, floor: float) -> NDArray[np.int64] | None:
    """How many objects of each item reach the floor, shape (n_items,); None without objects.

    Of several model versions, the newest that predicted the item counts.
    """
    if not pool.object_sets:
        return None
    counts = [object_statistics(objects, floor=floor).count for objects in pool.shown_objects]
    total: NDArray[np.int64] = np.sum(counts, axis=0)
    return total
