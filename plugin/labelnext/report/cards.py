"""Cards: the next items as the page shows them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.pool.pool import Pool
from labelnext.ranking.ranking import Ranking, floor_of
from labelnext.ranking.reasons import DOUBTFUL, class_name, why

_BOXES = 30_000  # on one page
_MOST = 30  # boxes of one item


@dataclass(frozen=True)
class Box:
    """One predicted box.

    Attributes:
        label: name of its class; empty without classes.
        corners: x1 y1 x2 y2 as fractions of the image.
        confidence: of the model, in [0, 1].
    """

    label: str
    corners: tuple[float, float, float, float]
    confidence: float

    @property
    def doubtful(self) -> bool:
        """Whether the model is unsure that there is such an object."""
        return DOUBTFUL[0] <= self.confidence <= DOUBTFUL[1]


@dataclass(frozen=True)
class Picture:
    """A thumbnail.

    Attributes:
        uri: the image as a data URI.
        width: in pixels.
        height: in pixels.
    """

    uri: str
    width: int
    height: int


@dataclass(frozen=True)
class Card:
    """One of the next items.

    Attributes:
        item_id: its id.
        rank: 1 is next.
        score: None without one.
        priority: in (0, 1]; larger is sooner.
        classes: names of the predicted classes.
        reason: the numbers behind the score.
        why: the reason in plain words.
        boxes: those that are drawn, the doubtful ones last, so that they lie on top.
        n_boxes: how many boxes there are.
        link: where to open the item; None if there is no address.
        text: the beginning of its text; None for other items.
        picture: its thumbnail; None without one.
        name: what people call it; None where that is its id.
        stands_for: how many near-duplicates of it were left out of the batch.
    """

    item_id: str
    rank: int
    score: float | None
    priority: float
    classes: tuple[str, ...] = ()
    reason: str = ""
    why: str = ""
    boxes: tuple[Box, ...] = ()
    n_boxes: int = 0
    link: str | None = None
    text: str | None = None
    picture: Picture | None = None
    name: str | None = None
    stands_for: int = 0

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Card:
        """The card of an entry of `Report.next_items`."""
        names = ("item_id", "rank", "score", "priority", "reason")
        return cls(**{name: row[name] for name in names})


def cards_of(
    pool: Pool, ranking: Ranking, rows: Sequence[Mapping[str, Any]], places: NDArray[np.intp]
) -> list[Card]:
    """The cards of ranked items, without pictures.

    Args:
        pool: the items.
        ranking: their ranking.
        rows: entries of `Report.next_items`, or as many more.
        places: the pool's row of each of them, or of more items.
    """
    most = max(min(_MOST, _BOXES // max(len(rows), 1)), 1)
    if len(rows) > 100:
        most = min(most, 10)
    best, floor = _best_classes(pool), floor_of(ranking)
    stand_for = {item: n for notice in ranking.notices for item, n in notice.stand_for}
    cards = []
    for entry, row in zip(rows, places[: len(rows)].tolist(), strict=True):
        boxes, n_boxes = _boxes(pool, row, most)
        cards.append(
            Card(
                item_id=entry["item_id"],
                rank=entry["rank"],
                score=entry["score"],
                priority=entry["priority"],
                classes=_classes(pool, row, best),
                reason=entry["reason"],
                why=why(pool, row, ranking.of, floor) if ranking.purpose == "label" else "",
                boxes=boxes,
                n_boxes=n_boxes,
                stands_for=stand_for.get(entry["item_id"], 0),
            )
        )
    return cards


def _best_classes(pool: Pool) -> NDArray[np.int64] | None:
    """The predicted class of each item, shape (n_items,); None if only objects have classes."""
    whole = pool.mean_probabilities is not None or pool.answer is not None
    return pool.predicted_classes if whole else None


def _classes(pool: Pool, row: int, best: NDArray[np.int64] | None) -> tuple[str, ...]:
    """The predicted classes of an item, in order."""
    version = pool.newest_versions[row]
    if pool.object_sets and version >= 0:
        objects = pool.object_sets[version]
        if objects.class_ids is None:
            return ()
        class_ids = objects.class_ids[objects.offsets[row] : objects.offsets[row + 1]]
        return tuple(class_name(pool, c) for c in np.unique(class_ids).tolist() if c >= 0)
    if best is None or best[row] < 0:
        return ()
    return (class_name(pool, int(best[row])),)


def _boxes(pool: Pool, row: int, most: int) -> tuple[tuple[Box, ...], int]:
    """The boxes to draw, of those in doubt and the most confident ones, and how many there are."""
    version = pool.newest_versions[row] if pool.object_sets else -1
    if version < 0 or pool.object_sets[version].boxes is None:
        return (), 0
    objects = pool.object_sets[version]
    assert objects.boxes is not None
    start, end = objects.offsets[row : row + 2].tolist()
    boxes = []
    for row_of_object in range(start, end):
        x1, y1, x2, y2 = objects.boxes[row_of_object].tolist()
        if math.isnan(x1):
            continue
        kind = -1 if objects.class_ids is None else int(objects.class_ids[row_of_object])
        label = "" if kind < 0 else class_name(pool, kind)
        boxes.append(Box(label, (x1, y1, x2, y2), float(objects.confidences[row_of_object])))
    boxes.sort(key=lambda box: (box.doubtful, box.confidence))
    return tuple(boxes[-most:]), len(boxes)
