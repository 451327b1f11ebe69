"""A region as stored: what every region has, and its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from labelnext_adapters.label_studio_format.faults import UNDECODABLE, BrokenRegion, OutOfRange

#: How far beyond [0, 1] rounding may take a score.
ROUNDING = 1e-6

Probs = dict[str, Any] | list[Any] | None
Label = str | int | float  # a number stands for its text


class Region(msgspec.Struct):
    """What all regions have. `value` and `meta` are decoded when the region is read."""

    id: Any = None
    from_name: Any = None
    to_name: Any = None
    type: Any = None
    item_index: Any = None
    origin: Any = None
    score: Any = None
    value: msgspec.Raw = msgspec.Raw(b"{}")
    meta: msgspec.Raw = msgspec.Raw(b"null")
    original_width: Any = None
    original_height: Any = None


@dataclass
class Remarks:
    """What was left out of one prediction or annotation, or read with a reservation.

    Attributes:
        broken: why regions were left out.
        unknown: labels of regions that were left out because the setup does not have them.
        unscored: regions that were left out because they have no score, though others do.
        stand_ins: regions, or whole predictions, whose score is the prediction's.
        texts: scores that are text.
        more_labels: regions with several labels, of which the first counts.
        spread: a list of the likeliest classes was completed.
    """

    broken: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    unscored: int = 0
    stand_ins: int = 0
    texts: int = 0
    more_labels: int = 0
    spread: bool = False


class _Meta(msgspec.Struct):
    probs: Probs = None


_regions = msgspec.json.Decoder(list[Region])
_region = msgspec.json.Decoder(Region)
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_meta = msgspec.json.Decoder(_Meta | None)


def regions_of(result: bytes | msgspec.Raw, remarks: Remarks) -> Iterator[Region]:
    """The regions of a `result`; what is no region is remarked.

    Raises:
        BrokenRegion: if it is no list, or holds nothing but what is no region.
    """
    try:
        yield from _regions.decode(result)
        return
    except UNDECODABLE:
        pass
    try:
        raws = _raws.decode(result)
    except UNDECODABLE as error:
        raise BrokenRegion("its result is no list of regions") from error
    for raw in raws:
        try:
            yield _region.decode(raw)
        except UNDECODABLE:
            remarks.broken.append(f"a region must be an object; got {shown(raw)}")
    if len(remarks.broken) == len(raws):
        raise BrokenRegion(remarks.broken[0])


def named_regions(result: bytes | msgspec.Raw, remarks: Remarks) -> Iterator[Region]:
    """The regions that name their control tag; others are remarked, but for relations.

    Raises:
        BrokenRegion: if it is no list, or holds nothing but what is no such region.
    """
    named = False
    for region in regions_of(result, remarks):
        if isinstance(region.from_name, str) or region.type == "relation":
            named = True
            yield region
        else:
            name = _short(repr(region.from_name))
            remarks.broken.append(f"from_name must be the name of a control tag; got {name}")
    if remarks.broken and not named:
        raise BrokenRegion(remarks.broken[0])


def number_of(value: object, what: str, remarks: Remarks) -> float | None:
    """A score, also one that is text, such as "0.5" or "50%"; None for null.

    Raises:
        BrokenRegion: if it is no number.
        OutOfRange: if it is not in [0, 1].
    """
    if value is None or (type(value) is float and 0 <= value <= 1):  # nearly all
        return value
    share = value.strip() if isinstance(value, str) else ""
    number = _float(share[:-1]) / 100 if share.endswith("%") else _float(value)
    if math.isnan(number):
        kind = "text, " if isinstance(value, str) else ""
        raise BrokenRegion(f"{what} must be a number; got {kind}{_short(repr(value))}")
    remarks.texts += isinstance(value, str)
    if not -ROUNDING <= number <= 1 + ROUNDING:
        raise OutOfRange(number)
    return min(max(number, 0.0), 1.0)


def _float(value: object) -> float:
    try:
        return math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return math.nan


def probs_of(region: Region, probs: Probs) -> Probs:
    """The class probabilities of a region: its value's own, else those of its `meta`.

    Raises:
        BrokenRegion: if `meta` is no object.
    """
    if probs is not None or region.meta == b"null":
        return probs
    try:
        meta = _meta.decode(region.meta)
    except UNDECODABLE as error:
        raise BrokenRegion(f"meta must be an object; got {shown(region.meta)}") from error
    return None if meta is None else meta.probs


def size_of(value: object) -> float:
    """The width or height of an image in pixels, also as text; 0 where it is not known."""
    try:
        number = 0.0 if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return number if 0 < number < 1e9 else 0.0


def shown(raw: bytes | msgspec.Raw) -> str:
    """The beginning of a piece of JSON, for a message."""
    return _short(bytes(raw).decode("utf-8", "replace"))


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."
