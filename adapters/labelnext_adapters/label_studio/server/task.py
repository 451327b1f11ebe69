"""A task as the server sends it, and the data keys that are ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from labelnext_adapters.label_studio_format.annotations import Annotation

PRIORITY = "labelnext_priority"
BATCH = "labelnext_batch"
WHY = "labelnext_why"


@dataclass(frozen=True)
class Keys:
    """The data keys of a purpose; each purpose has its own, so that two queues live side by side.

    Attributes:
        priority: the order, as a text.
        batch: the shard of those in the batch.
        why: why a task of the batch is next, in plain words.
    """

    priority: str
    batch: str
    why: str


KEYS: dict[str, Keys] = {
    "label": Keys(PRIORITY, BATCH, WHY),
    "review": Keys("labelnext_review_priority", "labelnext_review_batch", "labelnext_review_why"),
}
FIELDS = tuple(name for keys in KEYS.values() for name in (keys.priority, keys.batch, keys.why))
SORTED = tuple(name for keys in KEYS.values() for name in (keys.priority, keys.batch))
"""Of these, the ones by which a tab is ordered or filtered."""
STATE_FIELDS = "id,total_annotations,cancelled_annotations,is_labeled,overlap"
TASK_FIELDS = f"{STATE_FIELDS},data"


class Prediction(msgspec.Struct):
    """A stored prediction; `result` and `neighbors` are decoded only if they are used."""

    id: int
    task: int = 0
    model_version: str | None = None
    score: float | None = None
    cluster: int | None = None
    created_at: str | None = None
    result: msgspec.Raw = msgspec.Raw(b"[]")
    neighbors: msgspec.Raw = msgspec.Raw(b"null")


class Task(msgspec.Struct):
    """A task, as far as it was asked for."""

    id: int
    data: dict[str, msgspec.Raw] = {}
    total_annotations: int | None = 0
    cancelled_annotations: int | None = 0
    is_labeled: bool | None = None
    overlap: int | None = 1
    updated_at: str | None = None
    predictions: list[Prediction] = []
    annotations: list[Annotation] = []

    def __post_init__(self) -> None:
        """Number the predictions, which the server sends inside a task without its number."""
        for prediction in self.predictions:
            prediction.task = self.id

    @property
    def finished(self) -> bool:
        """Whether it has as many annotations as it needs."""
        made = self.total_annotations or 0
        return made > 0 and (self.is_labeled is not False or made >= (self.overlap or 1))


class Begun(NamedTuple):
    """What is known of a task that somebody annotated or skipped.

    Attributes:
        annotated: how many annotations it has.
        skipped: how often it was skipped.
        closed: whether the server hands it out no more.
    """

    annotated: int
    skipped: int
    closed: bool
