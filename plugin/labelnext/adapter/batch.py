"""What travels between two platforms: a batch on its way out, and labels on their way back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labelnext.acquisition import Unit
from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext.ranking.ranking import Ranking, ranking_alone


@dataclass(frozen=True)
class Mark:
    """One label, of an item or of a part of it.

    Attributes:
        label: name of the class.
        box: x1 y1 x2 y2 in [0, 1]; None for a label of the whole item.
        confidence: of a model, in [0, 1]; None if it has none, or a person said it.

    Example:
        >>> Mark.from_row(Mark("car", (0.0, 0.0, 0.5, 1.0), 0.9).to_row())
        Mark(label='car', box=(0.0, 0.0, 0.5, 1.0), confidence=0.9)
    """

    label: str
    box: tuple[float, float, float, float] | None = None
    confidence: float | None = None

    def to_row(self) -> list[Any]:
        """As JSON."""
        return [self.label, None if self.box is None else list(self.box), self.confidence]

    @classmethod
    def from_row(cls, row: list[Any]) -> Mark:
        """Back from `to_row`."""
        label, box, confidence = row
        return cls(label, None if box is None else (box[0], box[1], box[2], box[3]), confidence)


@dataclass(frozen=True)
class Origin:
    """Where items come from, so that their labels find back.

    Attributes:
        platform: name of the adapter.
        dataset: its name, for people.
        dataset_id: what tells it apart from others, also after it was renamed.
    """

    platform: str
    dataset: str
    dataset_id: str

    @property
    def key(self) -> str:
        """The name under which the other platform keeps the ids of the items.

        Example:
            >>> Origin("fiftyone", "street", "6561").key
            'fiftyone_id'
        """
        return f"{self.platform.replace('-', '_')}_id"


@dataclass(frozen=True)
class Item:
    """One item of a batch.

    Attributes:
        item_id: the platform's own id.
        media: path of a file, or an address; None where only the platform that holds it knows.
        marks: what the model says; None where it says nothing.
        size: width and height in pixels, if known.
    """

    item_id: str
    media: str | None
    marks: tuple[Mark, ...] | None = None
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Batch:
    """The batch of a run, the most useful item first.

    Attributes:
        origin: where the items come from.
        run: name of the run.
        unit: whether items or their objects are labelled.
        classes: what they can be labelled as.
        model_version: a name for the predictions.
        items: in the order of their ranks.
        ranking: of the items alone, for a platform that holds them already; None where the source
            gives none.
    """

    origin: Origin
    run: str
    unit: Unit
    classes: tuple[str, ...]
    model_version: str
    items: tuple[Item, ...]
    ranking: Ranking | None = None


def ranked_there(batch: Batch, known: Collection[str], where: str) -> tuple[Ranking, list[str]]:
    """The ranking of those items of a batch that a platform holds.

    Args:
        batch: with its ranking.
        known: ids of items that are there.
        where: they would be, for people.

    Returns:
        The ranking, and what is left out, one sentence each.

    Raises:
        InvalidInput: if none of the items is there, or the batch has no ranking.
    """
    if batch.ranking is None:
        raise InvalidInput(
            f"a batch must have its ranking to be marked in {where}; one of "
            f"{batch.origin.platform} has none.",
            hint="set send.adapter to a platform that takes its items in.",
        )
    ranking = batch.ranking
    there = np.isin(ranking.item_ids, list(known))
    missing = ranking.item_ids[~there].tolist()
    if missing and not there.any():
        raise InvalidInput(
            f"the items of the batch must be in {where}; none of {len(missing)} is: "
            f"{listed(missing)}.",
            hint="send.key names what holds their ids there; where they are not there yet, "
            "source.columns.media names the column of their images, and tasks are made.",
        )
    message = f"{len(missing)} items of the batch are not in {where}: {listed(missing)}."
    left_out = [message] if missing else []
    return ranking_alone(ranking, there), left_out


@dataclass(frozen=True)
class Labels:
    """What people said of items that were sent.

    Attributes:
        source: where they said it, for people.
        unit: whether items or their objects are labelled.
        known: the labels of each labelled item; an empty tuple says that it holds no object.
        waiting: items that are there and have no label.
        notices: what was left out.
    """

    source: str
    unit: Unit
    known: Mapping[str, tuple[Mark, ...]]
    waiting: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = field(default=())
