"""What can be wrong with a region or a prediction."""

from __future__ import annotations

import msgspec

#: What decoding raises for a record that is no JSON of its form, or no UTF-8.
UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError)


class BrokenRegion(Exception):
    """A region that is not what its control tag makes; its text says why."""


class UnknownLabel(Exception):
    """A label that the labelling setup does not have."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.label = label


class OutOfRange(Exception):
    """A score or probability that is not in [0, 1]."""

    def __init__(self, value: float) -> None:
        super().__init__(value)
        self.value = value
