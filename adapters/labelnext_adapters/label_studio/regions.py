"""From the regions of one prediction to a class distribution or to objects.

A new control tag is a parser and one entry in `CONTROLS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import msgspec

_SUM_ERROR = 1e-3  # some scored choices that reach 1 this closely are a whole distribution


class BrokenRegion(Exception):
    """A region that is not what its control tag makes; the prediction is left out and counted."""


class UnknownLabel(Exception):
    """A label that the labelling setup does not have."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.label = label


class Region(msgspec.Struct):
    """What all regions have. `value` and `meta` are decoded by the control tag's parser."""

    from_name: str | None = None
    score: float | None = None
    value: msgspec.Raw = msgspec.Raw(b"{}")
    meta: msgspec.Raw = msgspec.Raw(b"null")
    original_width: float | None = None
    original_height: float | None = None


Probs = dict[str, float] | list[float] | None


class _Meta(msgspec.Struct):
    probs: Probs = None


class _Choices(msgspec.Struct):
    choices: list[str] = []
    probs: Probs = None


class _Rectangle(msgspec.Struct):
    x: float
    y: float
    width: float
    height: float
    rotation: float | None = None
    rectanglelabels: list[str] = []
    probs: Probs = None


class Found(NamedTuple):
    """One object of an item."""

    confidence: float
    class_id: int
    box: tuple[float, float, float, float] | None = None
    probabilities: list[float] | None = None


class Parsed(NamedTuple):
    """What a prediction says: a distribution, or objects, or neither because it has no score."""

    vector: list[float] | None = None
    objects: list[Found] | None = None


@dataclass(frozen=True)
class Setup:
    """The control tag that is read.

    Attributes:
        from_name: its name.
        tag: its type, a key of `CONTROLS`.
        classes: position of each label, in the order of the labelling setup.
        multiple: several choices can be chosen at once.
    """

    from_name: str
    tag: str
    classes: Mapping[str, int]
    multiple: bool = False

    def position(self, label: str) -> int:
        """The class position of a label."""
        if label not in self.classes:
            raise UnknownLabel(label)
        return self.classes[label]


@dataclass(frozen=True)
class Control:
    """How predictions of one control tag are read.

    Attributes:
        unit: whether it labels items or objects of items.
        parse: regions of the tag, the prediction's own score and the setup to what they say.
    """

    unit: Literal["items", "objects"]
    parse: Callable[[Sequence[Region], float | None, Setup], Parsed]


_regions = msgspec.json.Decoder(list[Region])
_meta = msgspec.json.Decoder(_Meta | None)
_choices = msgspec.json.Decoder(_Choices)
_rectangle = msgspec.json.Decoder(_Rectangle)


def parse_result(result: bytes | msgspec.Raw, score: float | None, setup: Setup) -> Parsed | None:
    """What a stored prediction says.

    Args:
        result: its `result`, JSON.
        score: its own score.
        setup: the control tag.

    Returns:
        None when all regions are another control tag's.

    Raises:
        BrokenRegion: if a region is not what the tag makes.
        UnknownLabel: if a label is not of the labelling setup.
    """
    try:
        regions = _regions.decode(result)
        own = [r for r in regions if r.from_name == setup.from_name]
        if regions and not own:
            return None
        return CONTROLS[setup.tag].parse(own, score, setup)
    except msgspec.MsgspecError as error:
        raise BrokenRegion(str(error)) from error


def _parse_choices(regions: Sequence[Region], score: float | None, setup: Setup) -> Parsed:
    values = [_choices.decode(r.value) for r in regions]
    for probs in [v.probs for v in values] + [_meta_probs(r) for r in regions]:
        if probs is not None:
            return Parsed(vector=_vector(probs, setup))
    chosen = [
        (setup.position(label), _first(region.score, score))
        for region, value in zip(regions, values, strict=True)
        for label in value.choices
    ]
    known = [(c, s) for c, s in chosen if s is not None]
    if len(known) < len(chosen):
        return Parsed()
    one_each = all(len(value.choices) == 1 for value in values)
    scored = all(region.score is not None for region in regions)
    if one_each and scored and (vector := _scored_choices(known, setup)):
        return Parsed(vector=vector)
    if len(known) == 1 and len(setup.classes) == 2 and not setup.multiple:
        ((chosen_class, s),) = known
        return Parsed(vector=[s, 1 - s] if chosen_class == 0 else [1 - s, s])
    return Parsed(objects=[Found(s, c) for c, s in known])


def _scored_choices(known: Sequence[tuple[int, float]], setup: Setup) -> list[float] | None:
    """One scored region per class: a distribution if it is whole."""
    row = [0.0] * len(setup.classes)
    for c, s in known:
        row[c] = s
    distinct = len({c for c, _ in known})
    whole = distinct == len(row) or abs(math.fsum(row) - 1) <= _SUM_ERROR
    return row if distinct == len(known) and distinct > 1 and whole else None


def _parse_rectangles(regions: Sequence[Region], score: float | None, setup: Setup) -> Parsed:
    found = []
    for region in regions:
        value = _rectangle.decode(region.value)
        probs = _first(value.probs, _meta_probs(region))
        vector = None if probs is None else _vector(probs, setup)
        labels = value.rectanglelabels
        class_id = setup.position(labels[0]) if labels else -1
        of_class = vector[class_id] if vector is not None and labels else None
        confidence = _first(region.score, of_class, score)
        if confidence is None:
            return Parsed()
        found.append(Found(confidence, class_id, _hull(region, value), vector))
    return Parsed(objects=found)


def _hull(region: Region, value: _Rectangle) -> tuple[float, float, float, float]:
    """The upright box, in fractions, around a rectangle that is turned about its top left corner.

    Label Studio turns in pixels, so the image's shape counts; it is taken as square if unknown.
    """
    aspect = (region.original_width or 1) / (region.original_height or 1)
    angle = math.radians(value.rotation or 0)
    cos, sin = (math.cos(angle), math.sin(angle)) if angle else (1.0, 0.0)
    corners = [(0.0, 0.0), (value.width, 0.0), (0.0, value.height), (value.width, value.height)]
    xs = [value.x + dx * cos - dy * sin / aspect for dx, dy in corners]
    ys = [value.y + dx * sin * aspect + dy * cos for dx, dy in corners]
    return min(xs) / 100, min(ys) / 100, max(xs) / 100, max(ys) / 100


def _meta_probs(region: Region) -> Probs:
    if region.meta == b"null":
        return None
    meta = _meta.decode(region.meta)
    return None if meta is None else meta.probs


def _vector(probs: dict[str, float] | list[float], setup: Setup) -> list[float]:
    """Probabilities in the order of the classes; a class that is not named has none."""
    if isinstance(probs, list):
        if len(probs) != len(setup.classes):
            raise BrokenRegion(f"probs has {len(probs)} numbers for {len(setup.classes)} classes")
        return probs
    row = [0.0] * len(setup.classes)
    for label, p in probs.items():
        row[setup.position(label)] = p
    return row


def _first(*values: Any) -> Any:
    return next((v for v in values if v is not None), None)


CONTROLS: dict[str, Control] = {
    "Choices": Control("items", _parse_choices),
    "RectangleLabels": Control("objects", _parse_rectangles),
}
