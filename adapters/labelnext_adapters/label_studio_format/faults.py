"""What can be wrong with a region or a prediction."""

from __future__ import annotations

import re

import msgspec

#: What decoding raises for a record that is no JSON of its form, or no UTF-8.
UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError)

_EXPECTED = re.compile(r"Expected `([^`]+)`, got `([^`]+)`(?: - at `\$\.?([^`]*)`)?")
_KINDS = {
    "array": "a list",
    "object": "an object",
    "str": "text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
}


def in_words(error: Exception) -> str:
    """What is wrong with a value that can't be decoded.

    Example:
        >>> in_words(msgspec.ValidationError("Expected `array`, got `str` - at `$.choices`"))
        'choices must be a list; got text'
    """
    found = _EXPECTED.fullmatch(str(error))
    if found is None:
        return f"value: {error}"
    wanted, got = (
        " or ".join(dict.fromkeys(_KINDS.get(kind, kind) for kind in kinds.split(" | ")))
        for kinds in found.groups()[:2]
    )
    return f"{found[3] or 'value'} must be {wanted}; got {got}"


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
