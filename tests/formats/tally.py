"""Tries broken files: each is ranked as plain lines say, or refused in words."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable

from labelnext.errors import LabelnextError
from labelnext.pool import Pool
from tests.formats.told import Told, compared

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
