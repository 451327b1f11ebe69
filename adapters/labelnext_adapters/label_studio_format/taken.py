"""A stored prediction as it is kept until it is known which of a task's counts."""

from __future__ import annotations

from array import array
from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from labelnext_adapters.label_studio_format.region import Remarks
from labelnext_adapters.label_studio_format.regions import Found
from labelnext_adapters.label_studio_format.remarks import Problem

CLEAN = Remarks()  # most predictions need no remark of their own


@dataclass(frozen=True, slots=True)
class Said:
    """How and when a task's label was made.

    Attributes:
        made: as of `moment`.
        parent: number of the prediction that it began as; None for one made afresh.
        digest: hash of its regions, as stored.
        untouched: all of its regions are still that prediction's.
    """

    made: float
    parent: int | None
    digest: int
    untouched: bool


@dataclass(slots=True)
class Taken:
    """What is known of a prediction; `place` is where its objects begin and end."""

    made: float
    number: int
    version: str | None
    digest: int
    vector: array[float] | None = None
    place: tuple[int, int] | None = None
    whole: Found | None = None
    problem: Problem | None = None
    beyond: float | None = None
    remarks: Remarks = field(default_factory=lambda: CLEAN)

    @property
    def is_empty(self) -> bool:
        """Whether it has no regions at all."""
        return self.place is not None and self.place[0] == self.place[1]

    @property
    def is_other(self) -> bool:
        """Whether all of its regions are of other control tags."""
        return self.problem is not None and self.problem.code == "other_control"


def age(taken: Taken) -> tuple[float, int]:
    """The larger, the newer."""
    return taken.made, taken.number


def counting(rows: Sequence[Taken], others: Set[str | None]) -> Sequence[Taken]:
    """A task's predictions, without those that another version, or record, makes of other tags.

    Args:
        rows: of one task.
        others: the versions that have regions of other control tags only.

    Returns:
        All of them if none would be left.
    """
    silent = others | {row.version for row in rows if not row.is_other}
    here = [
        row
        for row in rows
        if not (row.is_other and row.version in silent)
        and not (row.is_empty and row.version in others)
    ]
    return here or rows
