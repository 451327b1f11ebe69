"""auto: picks the acquisition function that suits the pool, and says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labelnext.acquisition.function import Unit
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool

AUTO = "auto"
"""Stands for the function that suits the pool."""

AUTO_FUNCTIONS = ("margin", "least_confidence", "entropy", "bald", "committee_certainty")
"""The functions auto may choose."""

_DETECTION_FLOOR = 0.1  # tuned on separate seeds, see docs/detection.md


@dataclass(frozen=True)
class Choice:
    """The acquisition function that auto chose.

    Attributes:
        name: of the function; None if there is nothing to score.
        of: what it scores; None without a function.
        options: of the function.
        why: the reason for the choice.
    """

    name: str | None
    of: Unit | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""

    def __str__(self) -> str:
        if self.name is None:
            return f"auto chose no acquisition function: {self.why}."
        given = ", ".join(f"{name} {value}" for name, value in self.options.items())
        return f"auto chose {self.name} of {self.of}{f' ({given})' if given else ''}: {self.why}."


def auto_acquisition(pool: Pool, of: Unit | None = None) -> Choice:
    """The acquisition function that suits a pool.

    - Class probabilities: margin.
    - One confidence per item, such as that of its predicted class: least confidence, over the
      whole range. Of several versions, that of their `consensus`.
    - Independent labels: entropy, the sum of the labels' binary entropies.
    - Several classifier versions: BALD.
    - Detected objects: entropy, summed over an item's objects with class weights, ignoring
      confidences below 0.1, items without objects last. Of all variants tried, this one beat
      random in rounds of active learning. Until objects are labelled, the sum is unweighted.
    - Spans of texts: entropy, too, but its mean over a text's spans. A sum puts long texts first,
      and lost against random for the same number of words read.
    - Answers about parts that are there, such as the kind of each marked cell: the same, over the
      whole range of confidences; without class probabilities, least confidence.
    - Several detector versions: committee certainty, which ranks disagreement first.

    Args:
        pool: the items.
        of: what to score if the pool has both item probabilities and objects; items when None.

    Example:
        >>> auto_acquisition(Pool(["a"], probabilities=[[0.9, 0.1]])).name
        'margin'
        >>> print(auto_acquisition(Pool(["a"], objects=Objects([0, 1], [0.9]))))
        auto chose entropy of objects (reduce sum, floor 0.1, no_objects last): classes are unknown.
    """
    members, newest = pool.members, pool.newest_objects
    if newest is not None and (of == "objects" or members is None):
        return _of_objects(pool, newest)
    if pool.answers:
        if pool.estimates is not None:
            why = "numbers are predicted, and how far a committee's lie apart is the doubt"
            return Choice("least_confidence", "items", why=why)
        any_sure = any(np.isfinite(one.confidences).any() for one in pool.answers)
        why = "the pool has one confidence per item"
        why = why if any_sure else "no item has class probabilities or a confidence"
        why += " from each of several model versions" if len(pool.answers) > 1 else ""
        return Choice("least_confidence", "items", why=why)
    if members is None:
        return Choice(None, why="the pool has neither class probabilities nor objects")
    if pool.multilabel:
        together = {"reduce": "sum"}
        return Choice("entropy", "items", together, "an item's labels are independent")
    if len(members) > 1:
        return Choice("bald", "items", why="the pool has several classifier versions")
    return Choice("margin", "items", why="the pool has class probabilities")


def _of_objects(pool: Pool, objects: Objects) -> Choice:
    if len(pool.object_sets) > 1:
        why = "the pool has several detector versions; in our tests a single version did better"
        together = {"reduce": "min", "no_objects": "last"}
        return Choice("committee_certainty", "objects", together, why)
    reduce, why = "sum", "items with many uncertain objects teach most"
    if objects.spans:
        reduce, why = "mean", "a sum over the spans of a text would put long texts first"
    elif objects.class_ids is None:
        why = "classes are unknown"
    elif _labelled_classes(pool):
        reduce, why = "weighted_sum", "labelled objects provide class weights"
    name, floor = "entropy", _DETECTION_FLOOR
    if objects.answers:
        name = "least_confidence" if objects.probabilities is None else name
        floor, why = 0.0, why if objects.spans else "each answers about a part that is there"
    options = {"reduce": reduce, "floor": floor, "no_objects": "last"}
    return Choice(name, "objects", options, why)


def _labelled_classes(pool: Pool) -> bool:
    truth = pool.truth
    if truth is None or truth.class_ids is None:
        return False
    return bool(np.any(pool.labelled[truth.item_positions] & (truth.class_ids >= 0)))
