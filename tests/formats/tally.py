"""Tries broken files: each is ranked as plain lines say, or refused in words."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from labelnext import rank
from labelnext.errors import LabelnextError
from labelnext.pool import Pool
from tests.formats.told import Told

#: What labelnext says of items without leaving out or changing one of their confidences.
_HARMLESS = {"bad_boxes", "no_boxes", "clipped_boxes", "spread", "without_image"}
#: What a reader raises where it forgot to look at a value.
FORGOTTEN = (AttributeError, TypeError, LookupError, AssertionError, NameError, OverflowError)


class Tally:
    """Counts what became of the files of each family."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}

    def try_(
        self, family: str, read: Callable[[], Pool], told: Callable[[], Told] | None = None
    ) -> Pool | None:
        """Read a broken file; the pool, or None if it is refused.

        Args:
            family: of its format.
            read: labelnext's reader.
            told: what plain lines read; whatever they raise means that they can't.
        """
        counts = self._counts.setdefault(family, Counter())
        counts["tried"] += 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                pool = read()
                there = {} if told is None else _plainly(told)
                n_items = compared(pool, there)
        except LabelnextError as error:
            if isinstance(error.__cause__, FORGOTTEN):
                raise error.__cause__ from None
            counts["refused"] += 1
            return None
        assert all(isinstance(name, str) and name for name in pool.item_ids.tolist())
        counts["ranked"] += 1
        counts["compared"] += n_items > 1
        return pool

    def tell(self, *, tried: int, compared: int) -> None:
        """Print a line for each family; check how many there were.

        Args:
            tried: at least so many files.
            compared: in each family, at least so many rankings of two items or more.
        """
        for family, counts in sorted(self._counts.items()):
            names = ("tried", "ranked", "compared", "refused")
            print(f"{family}: " + ", ".join(f"{counts[name]} {name}" for name in names))
        assert sum(counts["tried"] for counts in self._counts.values()) >= tried
        few = [family for family, counts in self._counts.items() if counts["compared"] < compared]
        assert not few


def _plainly(told: Callable[[], Told]) -> Told:
    try:
        return told()
    except Exception:  # the plain lines have no rules for what is broken
        return {}


def compared(pool: Pool, told: Told) -> int:
    """Compare labelnext's order with what is told; the number of items that could be compared.

    Raises:
        AssertionError: if an item that is told with more confidence comes first.
    """
    if pool.multilabel or len(pool.object_sets) > 1 or len(pool.answers) > 1:
        return 0
    detected = bool(pool.object_sets)
    judged = pool.members is not None and len(pool.members) > 1
    named_function = "vote_entropy" if judged else "least_confidence"
    ranking = rank(pool, "mean_object_confidence" if detected else named_function)
    changed = {item for n in pool.notices if n.code not in _HARMLESS for item in n.item_ids}
    stems = {item: Path(item).stem for item in pool.item_ids.tolist()}
    shared = {stem for stem, count in Counter(stems.values()).items() if count > 1}
    values = []
    for item in map(str, ranking.item_ids):
        stem = stems[item]
        found = told.get(item, told.get(stem) if stem not in shared else None)
        if found is None or item in changed:
            continue
        if detected:
            values.append((float(np.mean(found)) if found else -1.0, item))
        elif found and judged:
            values.append((sum(share * math.log(share) for share in found), item))
        elif found:
            values.append((max(found), item))
    numbers = np.array([value for value, _ in values])
    assert (np.diff(numbers) >= -1e-6).all(), f"{values} isn't in order"
    return len(values)
