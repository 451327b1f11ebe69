"""Strategy: the acquisition function and selection method of a replay."""

from __future__ import annotations

from dataclasses import dataclass

from labelnext.acquisition import acquisition_names
from labelnext.errors import unknown
from labelnext.selection import get_selection, selection_names

RANDOM = "random"


@dataclass(frozen=True)
class Strategy:
    """How to choose each batch.

    Attributes:
        name: as in the configuration.
        acquisition: name of the acquisition function, or None.
        selection: name of the selection method; None for a random choice.
    """

    name: str
    acquisition: str | None
    selection: str | None

    @classmethod
    def parse(cls, text: str) -> Strategy:
        """Parse ``random``, an acquisition function, a selection method, or both with a slash.

        Raises:
            UnknownName: for an unknown name.

        Example:
            >>> Strategy.parse("margin").selection, Strategy.parse("image_diversity").acquisition
            ('top_k', None)
        """
        first, slash, second = (part.strip() for part in text.partition("/"))
        if slash:
            if first not in acquisition_names():
                raise unknown("replay.strategies", first, acquisition_names())
            return cls(text, first, get_selection(second).name)
        if text == RANDOM:
            return cls(text, None, None)
        if text in acquisition_names():
            return cls(text, text, "top_k")
        if text in selection_names():
            needs_score = "utilities" in get_selection(text).needs
            return cls(text, "margin" if needs_score else None, text)
        raise unknown("replay.strategies", text, [RANDOM, *acquisition_names(), *selection_names()])
