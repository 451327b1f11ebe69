"""auto: the acquisition function for what the pool holds, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labelnext.acquisition.function import Unit
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool

AUTO = "auto"
"""In place of a name: what suits the pool."""

AUTO_FUNCTIONS = ("margin", "entropy", "bald", "committee_certainty")
"""What it can be."""

_DETECTION_FLOOR = 0.1  # chosen on seeds of its own, see docs/detection.md


@dataclass(frozen=True)
class Choice:
    """An acquisition function with what it is given.

    Attributes:
        name: of the function; None where there is nothing to score.
        of: what it scores; None without a function.
        options: of the function.
        why: what the pool holds that speaks for it.
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

    For class probabilities the margin; for labels that are independent their entropy, for several
    versions of a classifier BALD. For detected objects their entropy, summed over an item with the
    weight of each class, from a confidence of 0.1 on, items without objects last: of what was
    tried, the one that beat random in rounds of active learning. Before any object is labelled
    all classes weigh the same, and the sum is plain. For several versions of a detector the
    certainty of their committee, which asks for what they disagree on.

    Args:
        pool: the items.
        of: what to score where the pool holds both items' probabilities and objects; items when
            None.

    Example:
        >>> auto_acquisition(Pool(["a"], probabilities=[[0.9, 0.1]])).name
        'margin'
        >>> print(auto_acquisition(Pool(["a"], objects=Objects([0, 1], [0.9]))))
        auto chose entropy of objects (reduce sum, floor 0.1, no_objects last): no class is known.
    """
    members, newest = pool.members, pool.newest_objects
    if newest is not None and (of == "objects" or members is None):
        return _of_objects(pool, newest)
    if members is None:
        return Choice(None, why="there are neither class probabilities nor objects")
    if pool.multilabel:
        return Choice("entropy", "items", why="the labels of an item are independent")
    if len(members) > 1:
        return Choice("bald", "items", why="there are several versions of a classifier")
    return Choice("margin", "items", why="there are class probabilities")


def _of_objects(pool: Pool, objects: Objects) -> Choice:
    if len(pool.object_sets) > 1:
        why = "there are several versions of a detector; where measured, one alone did better"
        together = {"reduce": "min", "no_objects": "last"}
        return Choice("committee_certainty", "objects", together, why)
    reduce, why = "sum", "no object is labelled yet"
    if objects.class_ids is None:
        why = "no class is known"
    elif _labelled_classes(pool):
        reduce, why = "weighted_sum", "there are labelled objects to weigh the classes by"
    options = {"reduce": reduce, "floor": _DETECTION_FLOOR, "no_objects": "last"}
    return Choice("entropy", "objects", options, why)


def _labelled_classes(pool: Pool) -> bool:
    truth = pool.truth
    if truth is None or truth.class_ids is None:
        return False
    return bool(np.any(pool.labelled[truth.item_positions] & (truth.class_ids >= 0)))
