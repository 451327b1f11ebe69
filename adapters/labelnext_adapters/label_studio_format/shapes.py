"""The shapes of regions: boxes in fractions of the image, and the masks of polygons."""

from __future__ import annotations

import math

import msgspec

from labelnext.pool.masks import Mask, mask_of
from labelnext_adapters.label_studio_format.faults import UNDECODABLE, BrokenRegion
from labelnext_adapters.label_studio_format.region import Probs, Region, size_of

Box = tuple[float, float, float, float]

_MOST_PIXELS = 1e9  # of a mask; a larger size is no image's
_FAR = 100.0  # images; a larger shape is none


class _Vertex(msgspec.Struct):
    x: float
    y: float


class Shape(msgspec.Struct):
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


_shape = msgspec.json.Decoder(Shape, strict=False)


def box_of(region: Region, value: Shape) -> Box:
    """The upright box around a shape, in fractions of the image.

    Raises:
        BrokenRegion: if the shape is not whole, or outside the image.
    """
    x1, y1, x2, y2 = box = _hull(region, value)
    if not (x1 < 1 and y1 < 1 and x2 > 0 and y2 > 0 and x2 - x1 < _FAR and y2 - y1 < _FAR):
        inside = 0 <= x1 <= x2 <= 1 and 0 <= y1 <= y2 <= 1  # a line or point along the edge
        if not inside:
            raise BrokenRegion(
                "a shape must overlap its image, in percent; got "
                f"{', '.join(f'{100 * side:.6g}' for side in box)}"
            )
    return box


def _hull(region: Region, value: Shape) -> Box:
    """The box, wherever it is."""
    points = value.points or [(vertex.x, vertex.y) for vertex in value.vertices]
    if points:
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        return min(xs) / 100, min(ys) / 100, max(xs) / 100, max(ys) / 100
    x, y, width, height = value.x, value.y, value.width, value.height
    if x is None or y is None:
        raise BrokenRegion("a shape without x and y")
    round_ = value.radiusX is not None and value.radiusY is not None
    if not round_ and (width is None or height is None):
        raise BrokenRegion("a shape without width and height")
    if not round_ and not value.rotation:
        x1, x2 = x, x + (width or 0)
        y1, y2 = y, y + (height or 0)
        return min(x1, x2) / 100, min(y1, y2) / 100, max(x1, x2) / 100, max(y1, y2) / 100
    return _turned(region, value, x, y)


def _turned(region: Region, value: Shape, x: float, y: float) -> Box:
    """The upright box around an ellipse or a rectangle that is turned.

    Label Studio turns in pixels, so the image's form counts; it is taken as square if unknown.
    """
    aspect = (size_of(region.original_width) or 1) / (size_of(region.original_height) or 1)
    angle = math.radians(value.rotation or 0)
    cos, sin = (math.cos(angle), math.sin(angle)) if angle else (1.0, 0.0)
    if value.radiusX is not None and value.radiusY is not None:
        across, along = value.radiusX * aspect, value.radiusY  # both in percent of the height
        dx, dy = (
            math.hypot(across * cos, along * sin) / aspect,
            math.hypot(across * sin, along * cos),
        )
        return (x - dx) / 100, (y - dy) / 100, (x + dx) / 100, (y + dy) / 100
    # A rectangle is turned about its top left corner.
    width, height = value.width or 0, value.height or 0
    corners = [(0.0, 0.0), (width, 0.0), (0.0, height), (width, height)]
    xs = [x + dx * cos - dy * sin / aspect for dx, dy in corners]
    ys = [y + dx * sin * aspect + dy * cos for dx, dy in corners]
    return min(xs) / 100, min(ys) / 100, max(xs) / 100, max(ys) / 100


def place_of(region: Region) -> Box | None:
    """The box that an answer about a region repeats; None where there is none, as in a text."""
    try:
        return box_of(region, _shape.decode(region.value))
    except (*UNDECODABLE, BrokenRegion):
        return None


def polygon_mask(region: Region, value: Shape) -> Mask | None:
    """The pixels of a polygon; None for other shapes, or where the image's size is not known."""
    if len(value.points) < 3:
        return None
    width, height = int(size_of(region.original_width)), int(size_of(region.original_height))
    if not 0 < width * height < _MOST_PIXELS:
        return None
    corners = [
        x * side / 100
        for point in value.points
        for x, side in zip(point, (width, height), strict=True)
    ]
    return mask_of([corners], height, width)
