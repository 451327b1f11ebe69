"""Records that can't be used: left out and counted, unless there are too many."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from labelnext.errors import InvalidInput
from labelnext.pool.objects import Notice
from labelnext.support.words import counted

ROUNDING = 1e-3  # a probability may miss [0, 1] by this much, as numbers of few digits do
FEW = 0.1  # the share of records that may be left out
MOST = 1 - FEW
_SHOWN = 5


def mostly(facts: Iterable[bool]) -> bool:
    """Whether nine in ten are true: one odd record never decides for all.

    Example:
        >>> mostly([True] * 19 + [False]), mostly([True, False]), mostly([])
        (True, False, True)
    """
    told = list(facts)
    return sum(told) >= MOST * len(told)


class Unusable(ValueError):
    """A record can't be used; the text says why, to follow "line 3 (item a.jpg): "."""


@dataclass(frozen=True)
class Broken:
    """A record that can't even be parsed, in place of its value.

    Attributes:
        why: the cause, as in `Unusable`.
    """

    why: str

    def __repr__(self) -> str:
        """As it stands in messages about values."""
        return f"<{self.why}>"


def unbroken(record: Any) -> Any:
    """The record itself.

    Raises:
        Unusable: if it is broken.
    """
    if isinstance(record, Broken):
        raise Unusable(record.why)
    return record


@dataclass
class Oddities:
    """Counts the records of a file, and keeps those that can't be used.

    Args:
        what: a record in words, such as "detection" or "row".
        of: the column of which single values are left out, where their items stay.

    Attributes:
        seen: how many records were met.
        left_out: place, item id ("" if unknown) and reason of each that was left out.

    Example:
        >>> odd = Oddities("row")
        >>> for number, text in enumerate(["0.5"] * 19 + ["?"], 1):
        ...     with odd.record(f"line {number}", "a"):
        ...         if text == "?":
        ...             raise Unusable("confidence must be a number; got '?'")
        >>> odd.notices()[0].message
        "Left out 1 of 20 rows: line 20 (item a): confidence must be a number; got '?'."
    """

    what: str = "record"
    seen: int = 0
    left_out: list[tuple[str, str, str]] = field(default_factory=list)
    of: str = ""

    def record(self, place: str, item: object = "") -> AbstractContextManager[None]:
        """Count a record; if the block raises Unusable, leave the record out."""
        return _Record(self, place, item)

    def leave_out(self, place: str, item: object, why: str) -> None:
        """Keep a record that can't be used; `seen` must count it."""
        self.left_out.append((place, str(item) if item is not None else "", why))

    @property
    def too_many(self) -> bool:
        """Whether more than a tenth of the records can't be used."""
        return len(self.left_out) > FEW * self.seen

    @property
    def _all(self) -> str:
        if self.of:
            return f"{counted(self.seen, 'value')} of {self.of}"
        return counted(self.seen, self.what)

    def notices(self, hint: str | None = None) -> list[Notice]:
        """A notice of what was left out; none if there was nothing.

        Args:
            hint: the cure, where it is too much.

        Raises:
            InvalidInput: if more than a tenth of the records can't be used, naming the first five.
        """
        if not self.left_out:
            return []
        shown = "; ".join(map(_told, self.left_out[:_SHOWN]))
        if self.too_many:
            amount = (
                self._all
                if len(self.left_out) == self.seen
                else f"{len(self.left_out):,} of {self._all}"
            )
            raise InvalidInput(f"can't use {amount}: {shown}.", hint=hint)
        stay = ", but not the items" if self.of else ""
        message = f"Left out {len(self.left_out):,} of {self._all}{stay}: {shown}."
        items = tuple(dict.fromkeys(item for _, item, _ in self.left_out if item))
        return [Notice("left_out", message, items, column=self.of)]


class _Record:
    """The block of a record: a generator would take twice the time, and there are millions."""

    __slots__ = ("item", "odd", "place")

    def __init__(self, odd: Oddities, place: str, item: object) -> None:
        self.odd, self.place, self.item = odd, place, item

    def __enter__(self) -> None:
        self.odd.seen += 1

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Unusable):
            return False
        self.odd.leave_out(self.place, self.item, str(error))
        return True


def _told(entry: tuple[str, str, str]) -> str:
    place, item, why = entry
    if not place:
        return f"item {item[:80]}: {why}"
    return f"{place} (item {item[:80]}): {why}" if item else f"{place}: {why}"
