"""From the regions of one prediction to a class distribution or to objects.

A new control tag is a parser and one entry in `CONTROLS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Literal, NamedTuple

import msgspec

from labelnext.pool.masks import Mask, mask_of
from labelnext_adapters.label_studio_format.distributions import Probs, scored_choices, vector_of
from labelnext_adapters.label_studio_format.faults import BrokenRegion as BrokenRegion
from labelnext_adapters.label_studio_format.faults import UnknownLabel as UnknownLabel


class Region(msgspec.Struct):
    """What all regions have. `value` and `meta` are decoded by the control tag's parser."""

    from_name: str | None = None
    score: float | None = None
    value: msgspec.Raw = msgspec.Raw(b"{}")
    meta: msgspec.Raw = msgspec.Raw(b"null")
    original_width: float | None = None
    original_height: float | None = None


class _Meta(msgspec.Struct):
    probs: Probs = None


class _Choices(msgspec.Struct):
    """What the tags that label a whole item may hold; each fills one."""

    choices: list[str] = []
    taxonomy: list[list[str]] = []
    selected: str | None = None
    rating: int | None = None
    probs: Probs = None

    def labels(self) -> list[str]:
        """The chosen classes; of a path through a taxonomy, its end."""
        if self.taxonomy:
            return [path[-1] for path in self.taxonomy if path]
        one = self.selected if self.rating is None else str(self.rating)
        return self.choices if one is None else [one]


class _Vertex(msgspec.Struct):
    x: float
    y: float


class _Shape(msgspec.Struct):
    """What the tags that label a part of an item may hold; numbers are percent of the image."""

    x: float | None = None
    y: float | None = None
    width: float | None = None
    height: float | None = None
    radiusX: float | None = None
    radiusY: float | None = None
    rotation: float | None = None
    points: list[tuple[float, float]] = []
    vertices: list[_Vertex] = []
    probs: Probs = None
    labels: list[str] = []
    rectanglelabels: list[str] = []
    polygonlabels: list[str] = []
    ellipselabels: list[str] = []
    keypointlabels: list[str] = []
    brushlabels: list[str] = []
    bitmasklabels: list[str] = []
    vectorlabels: list[str] = []
    ocrlabels: list[str] = []
    hypertextlabels: list[str] = []
    timeserieslabels: list[str] = []


class Found(NamedTuple):
    """One object of an item."""

    confidence: float
    class_id: int
    box: tuple[float, float, float, float] | None = None
    probabilities: list[float] | None = None
    mask: Mask | None = None


class Parsed(NamedTuple):
    """What a prediction says: a distribution, or objects, or neither because it has no score.

    `whole` is the one confidence of the item that the objects come down to: a choice with its
    score, or a prediction's score that stands in for each of its regions.
    """

    vector: list[float] | None = None
    objects: list[Found] | None = None
    whole: Found | None = None


@dataclass(frozen=True)
class Setup:
    """The control tag that is read, or several that label parts of an item.

    Attributes:
        from_name: its name.
        tag: its type, a key of `CONTROLS`.
        classes: position of each label, in the order of the labelling setup.
        multiple: several choices can be chosen at once.
        others: types of further control tags that are read with it, by their names.
    """

    from_name: str
    tag: str
    classes: Mapping[str, int]
    multiple: bool = False
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def tags(self) -> dict[str, str]:
        """The types of all control tags that are read, by their names."""
        return {self.from_name: self.tag, **self.others}

    def position(self, label: str) -> int:
        """The class position of a label."""
        if label not in self.classes:
            raise UnknownLabel(label)
        return self.classes[label]


@dataclass(frozen=True)
class Control:
    """How one control tag is read.

    Attributes:
        unit: whether it labels items or parts of items.
        parse: regions of the tag, the prediction's own score and the setup to what they say.
        true: one region of an annotation and the setup to what a person said.
        classed: it has labels; the others give confidences alone.
    """

    unit: Literal["items", "objects"]
    parse: Callable[[Sequence[Region], float | None, Setup], Parsed]
    true: Callable[[Region, Setup], list[Found]]
    classed: bool = True


_regions = msgspec.json.Decoder(list[Region])
_meta = msgspec.json.Decoder(_Meta | None)
_choices = msgspec.json.Decoder(_Choices)
_shape = msgspec.json.Decoder(_Shape)


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
        tags = setup.tags
        own = [r for r in regions if r.from_name in tags]
        if regions and not own:
            return None
        if len(tags) == 1:
            return CONTROLS[setup.tag].parse(own, score, setup)
        parts = [
            CONTROLS[tag].parse([r for r in own if r.from_name == name], score, setup)
            for name, tag in tags.items()
        ]
    except msgspec.MsgspecError as error:
        raise BrokenRegion(str(error)) from error
    known = [part.objects for part in parts if part.objects is not None]
    if len(known) < len(parts):
        return Parsed()
    whole = {part.whole for part in parts}
    one = whole.pop() if len({each and each.confidence for each in whole}) == 1 else None
    return Parsed(
        objects=[found for objects in known for found in objects],
        whole=one and (Found(one.confidence, -1) if whole else one),
    )


def true_labels(result: bytes | msgspec.Raw, setup: Setup) -> list[Found]:
    """What a person said in an annotation: the classes, and where, of the tags that are read.

    Raises:
        BrokenRegion: if a region is not what the tag makes.
        UnknownLabel: if a label is not of the labelling setup.
    """
    try:
        return [
            found
            for region in _regions.decode(result)
            if region.from_name in setup.tags
            for found in CONTROLS[setup.tags[region.from_name]].true(region, setup)
        ]
    except msgspec.MsgspecError as error:
        raise BrokenRegion(str(error)) from error


def _true_choices(region: Region, setup: Setup) -> list[Found]:
    value = _choices.decode(region.value)
    return [Found(1.0, setup.position(label)) for label in value.labels()]


def _true_shape(region: Region, setup: Setup, *, key: str, boxed: bool = False) -> list[Found]:
    value = _shape.decode(region.value)
    labels = _labels(region, value, key)
    box = _box(region, value) if boxed else None
    class_id = setup.position(labels[0]) if labels else -1
    return [Found(1.0, class_id, box, mask=_mask(region, value))]


def _parse_choices(regions: Sequence[Region], score: float | None, setup: Setup) -> Parsed:
    values = [_choices.decode(r.value) for r in regions]
    for probs in [v.probs for v in values] + [_meta_probs(r) for r in regions]:
        if probs is not None:
            return Parsed(vector=vector_of(probs, setup))
    chosen = [
        (setup.position(label), _first(region.score, score))
        for region, value in zip(regions, values, strict=True)
        for label in value.labels()
    ]
    known = [(c, s) for c, s in chosen if s is not None]
    if len(known) < len(chosen):
        return Parsed()
    one_each = all(len(value.labels()) == 1 for value in values)
    scored = all(region.score is not None for region in regions)
    if one_each and scored and (vector := scored_choices(known, setup)):
        return Parsed(vector=vector)
    if len(known) == 1 and len(setup.classes) == 2 and not setup.multiple:
        ((chosen_class, s),) = known
        return Parsed(vector=[s, 1 - s] if chosen_class == 0 else [1 - s, s])
    found = [Found(s, c) for c, s in known]
    own = any(region.score is not None for region in regions)
    return Parsed(
        objects=found, whole=found[0] if len(found) == 1 else None if own else _of_all(found, score)
    )


def _parse_shapes(
    regions: Sequence[Region],
    score: float | None,
    setup: Setup,
    *,
    key: str,
    boxed: bool = False,
) -> Parsed:
    """Regions of one tag as objects; `key` is where their labels are, none when empty."""
    found, stand_ins = [], 0
    for region in regions:
        value = _shape.decode(region.value)
        probs = _first(value.probs, _meta_probs(region))
        vector = None if probs is None else vector_of(probs, setup)
        labels = _labels(region, value, key)
        class_id = setup.position(labels[0]) if labels else -1
        of_class = vector[class_id] if vector is not None and labels else None
        confidence = _first(region.score, of_class, score)
        box = _box(region, value) if boxed else None
        if confidence is None:
            return Parsed()
        stand_ins += region.score is None and vector is None
        found.append(Found(confidence, class_id, box, vector, _mask(region, value)))
    if stand_ins == len(found):
        return Parsed(objects=found, whole=_of_all(found, score))
    return Parsed(objects=found, whole=found[0] if not key and len(found) == 1 else None)


def _of_all(found: Sequence[Found], score: float | None) -> Found | None:
    """A prediction's score as the confidence of the item, of the class that all regions have."""
    classes = {each.class_id for each in found}
    return None if score is None else Found(score, min(classes) if len(classes) == 1 else -1)


def _labels(region: Region, value: _Shape, key: str) -> list[str]:
    """The labels of a region; those of tags that `_Shape` doesn't list are decoded separately."""
    if not key:
        return []
    if key in _Shape.__struct_fields__:
        return list(getattr(value, key))
    return list(getattr(_labels_decoder(key).decode(region.value), key))


@cache
def _labels_decoder(key: str) -> Any:
    return msgspec.json.Decoder(msgspec.defstruct("_Labels", [(key, list[str], [])]))


def _box(region: Region, value: _Shape) -> tuple[float, float, float, float]:
    """The upright box, in fractions of the image, around a shape.

    Label Studio turns in pixels, so the image's form counts; it is taken as square if unknown.
    """
    points = value.points or [(vertex.x, vertex.y) for vertex in value.vertices]
    if points:
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        return min(xs) / 100, min(ys) / 100, max(xs) / 100, max(ys) / 100
    aspect = (region.original_width or 1) / (region.original_height or 1)
    angle = math.radians(value.rotation or 0)
    cos, sin = (math.cos(angle), math.sin(angle)) if angle else (1.0, 0.0)
    x, y = value.x, value.y
    if x is None or y is None:
        raise BrokenRegion("a shape without x and y")
    if value.radiusX is not None and value.radiusY is not None:
        across, along = value.radiusX * aspect, value.radiusY  # both in percent of the height
        dx, dy = (
            math.hypot(across * cos, along * sin) / aspect,
            math.hypot(across * sin, along * cos),
        )
        return (x - dx) / 100, (y - dy) / 100, (x + dx) / 100, (y + dy) / 100
    if value.width is None or value.height is None:
        raise BrokenRegion("a shape without width and height")
    # A rectangle is turned about its top left corner.
    corners = [(0.0, 0.0), (value.width, 0.0), (0.0, value.height), (value.width, value.height)]
    xs = [x + dx * cos - dy * sin / aspect for dx, dy in corners]
    ys = [y + dx * sin * aspect + dy * cos for dx, dy in corners]
    return min(xs) / 100, min(ys) / 100, max(xs) / 100, max(ys) / 100


def _mask(region: Region, value: _Shape) -> Mask | None:
    """The pixels of a polygon; None for other shapes, or where the image's size is not known."""
    width, height = int(region.original_width or 0), int(region.original_height or 0)
    if not value.polygonlabels or len(value.points) < 3 or width < 1 or height < 1:
        return None
    corners = [
        x * side / 100
        for point in value.points
        for x, side in zip(point, (width, height), strict=True)
    ]
    return mask_of([corners], height, width)


def _meta_probs(region: Region) -> Probs:
    if region.meta == b"null":
        return None
    meta = _meta.decode(region.meta)
    return None if meta is None else meta.probs


def _first(*values: Any) -> Any:
    return next((v for v in values if v is not None), None)


def _items() -> Control:
    return Control("items", _parse_choices, _true_choices)


def _objects(key: str, *, boxed: bool = False) -> Control:
    return Control(
        "objects",
        partial(_parse_shapes, key=key, boxed=boxed),
        partial(_true_shape, key=key, boxed=boxed),
        bool(key),
    )


CONTROLS: dict[str, Control] = {
    "Choices": _items(),
    "Taxonomy": _items(),
    "Pairwise": _items(),
    "Rating": _items(),
    "RectangleLabels": _objects("rectanglelabels", boxed=True),
    "PolygonLabels": _objects("polygonlabels", boxed=True),
    "EllipseLabels": _objects("ellipselabels", boxed=True),
    "VectorLabels": _objects("vectorlabels", boxed=True),
    "OcrLabels": _objects("ocrlabels", boxed=True),
    # The rest have no box: a point, a mask, a span of text, sound or time, a track of boxes.
    "KeyPointLabels": _objects("keypointlabels"),
    "BrushLabels": _objects("brushlabels"),
    "BitmaskLabels": _objects("bitmasklabels"),
    "Labels": _objects("labels"),
    "HyperTextLabels": _objects("hypertextlabels"),
    "TimeSeriesLabels": _objects("timeserieslabels"),
    "VideoRectangle": _objects("labels"),
    # And these have no class: their confidence is all that can be ranked.
    "TextArea": _objects(""),
    "Number": _objects(""),
    "DateTime": _objects(""),
    "Ranker": _objects(""),
}
