"""What can be wrong with a region."""

from __future__ import annotations


class BrokenRegion(Exception):
    """A region that is not what its control tag makes; the prediction is left out and counted."""


class UnknownLabel(Exception):
    """A label that the labelling setup does not have."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.label = label
