"""Predictions that come down to one confidence per item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from labelnext.pool.objects import Objects
from labelnext_adapters.label_studio_format.controls import Unit
from labelnext_adapters.label_studio_format.regions import Found


def whole_items(
    answers: Mapping[int, Found | None], confidences: Mapping[int, Sequence[float]], unit: Unit
) -> dict[int, Found]:
    """The one confidence of each task, if the predictions come down to one or to nothing.

    Where most answers about items do, a few that name several classes are as sure as the least
    sure of these, so that they don't change how all others are ranked.

    Args:
        answers: by task, what its prediction comes down to, if it does.
        confidences: by task, those of its regions.
        unit: what the control tag labels.
    """
    filled = [task for task in answers if len(confidences[task])]
    several = [task for task in filled if answers[task] is None]
    # Without an answer, the prediction's score is one number for the item; beside answers, it is
    # that of no class.
    counting = filled if filled and unit == "items" else [*answers]
    whole = {task: one for task in counting if (one := answers[task]) is not None}
    if unit == "items" and 2 * len(several) < len(filled):
        return whole | {task: Found(min(confidences[task]), -1) for task in several}
    return {} if several else whole


def objects_of(task_ids: Sequence[int], whole: Mapping[int, Found]) -> Objects:
    """One confidence per item, of those that have one."""
    found = [whole[task] for task in task_ids if task in whole]
    return Objects(
        np.cumsum([0, *(task in whole for task in task_ids)]),
        np.array([each.confidence for each in found], dtype=np.float64),
        class_ids=np.array([each.class_id for each in found], dtype=np.int64),
        whole_items=True,
    )
