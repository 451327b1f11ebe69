"""What the numbers of a YOLO line mean: boxes, oriented boxes, segments or poses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext_adapters.files.vision.yolo_lines import Lines

Task = Literal["detect", "segment", "pose", "obb", "classify"]
_BOX = 5  # class, centre, width and height
_FITS = 0.9
_SURELY = 0.98
_NEAR = 0.02  # of the image's side


@dataclass(frozen=True)
class Layout:
    """What stands where in a line.

    Attributes:
        task: what was predicted; obb also stands for any shape made of points.
        points: numbers of key points after the box.
        tracked: the last number of a line may be the id of a track, after the confidence.
    """

    task: Task
    points: int = 0
    tracked: bool = False

    @property
    def in_words(self) -> str:
        """The numbers of a line."""
        shape = {"detect": "x y width height", "pose": "x y width height points"}
        track = " track" if self.tracked else ""
        return f"class {shape.get(self.task, 'x1 y1 x2 y2 …')} confidence{track}"


def confidence_last(lines: Lines, stated: Literal["last", "second"] | None = None) -> Lines:
    """The lines with the confidence as the last number, where it is the second.

    The last is Ultralytics' own. It is the second where boxes lie in their images only so.

    Args:
        lines: of a class and numbers.
        stated: where it is, if it is known.

    Raises:
        InvalidInput: if neither fits.
    """
    six = np.flatnonzero(lines.widths == _BOX + 1)
    if stated == "last" or len(six) < max(_FITS * len(lines), 1):
        return lines
    numbers = np.stack([lines.at(column, six) for column in range(1, _BOX + 1)])
    last, second = _inside(numbers[:-1]), _inside(numbers[1:])
    if stated is None:
        outside = (numbers[0] < 0) | (numbers[0] > 1)
        many = outside.mean() > 1 - _FITS
        if last >= _FITS or second <= last or (many and second < _SURELY):
            return lines
        if many:
            raise InvalidInput(
                "the second number of a line seems to be the confidence, which must be in [0, 1]; "
                f"got {numbers[0][outside][0]:g}.",
                hint="divide percentages by 100.",
            )
        if second < _SURELY:
            raise InvalidInput(
                f"the confidence must be the second or the last number of a line; {second:.0%} of "
                f"the boxes lie in their images if it is the second, {last:.0%} if it is the last.",
                hint="set source.confidence: last or second.",
            )
    values = lines.values.copy()
    for column, moved in enumerate([*numbers[1:], numbers[0]], 1):
        values[lines.starts[six] + column] = moved
    return replace(lines, values=values)


def _inside(boxes: NDArray[np.float64]) -> float:
    """The share of boxes (middle and size) that lie in their images, but for rounding."""
    middles, sizes = boxes[:2], boxes[2:]
    inside = (middles - sizes / 2 >= -_NEAR) & (middles + sizes / 2 <= 1 + _NEAR) & (sizes >= 0)
    return float(inside.all(axis=0).mean())


def layout_of(
    lines: Lines, task: Task | None = None, key_points: Sequence[int] | None = None
) -> Layout:
    """The layout that most lines have.

    Args:
        lines: at least one line of numbers.
        task: if it is known.
        key_points: how many there are, and numbers of each, if it is known.
    """
    widths = lines.widths[lines.widths > 0]
    usual = int(np.bincount(widths).argmax())
    if task is None and key_points is not None:
        task = "pose"
    if task is None and usual <= 7:
        task = "detect"
    if task in (None, "pose"):
        points = _key_points(lines, usual, key_points, known=task == "pose")
        if points:
            return Layout("pose", points, _tracked(lines, lines.widths == _BOX + points + 2))
    task = "obb" if task in (None, "pose", "classify") else task
    longer = lines.widths == _BOX + 2 if task == "detect" else lines.widths % 2 == 1
    return Layout(task, 0, _tracked(lines, longer))


def _key_points(lines: Lines, usual: int, stated: Sequence[int] | None, *, known: bool) -> int:
    """Numbers of key points in a line; 0 if they are no poses.

    With a visibility for each point, and a confidence, a line has 6 + 3 k numbers; a polygon can
    have as many, but its other points aren't in a box made of the first two.
    """
    if stated is not None:
        return int(np.prod(stated))
    same = np.flatnonzero(lines.widths == usual)
    near = np.abs(lines.widths - usual) <= 1  # with the id of a track, or without
    if near.sum() < _FITS * len(lines) or usual < (8 if known else 12):
        return 0
    more = (usual - _BOX) % 3  # a confidence, and the id of a track
    if more == 2 and not _whole(lines.at(usual - 1, same)):
        return usual - _BOX - (usual - _BOX) % 2 if known else 0
    points = usual - _BOX - more
    if known:
        return points
    x, y, width, height = (lines.at(column, same) for column in range(1, 5))
    inside = (width > 0) & (height > 0)
    for column in range(_BOX, _BOX + points, 3):
        px, py, seen = (lines.at(column + i, same) for i in range(3))
        hidden = (seen < 0.5) | ((px == 0) & (py == 0))
        near = (np.abs(px - x) <= 0.75 * width + 0.02) & (np.abs(py - y) <= 0.75 * height + 0.02)
        inside &= (hidden | near) & (seen >= 0) & (seen <= 2)
    return points if inside.mean() >= _FITS else 0


def _whole(values: NDArray[np.float64]) -> bool:
    """Whether they are ids of tracks: whole numbers from 1."""
    return bool(((values >= 1) & (values == np.round(values))).mean() >= _FITS)


def _tracked(lines: Lines, longer: NDArray[np.bool_]) -> bool:
    """Whether the lines that have one number more end in the id of a track.

    A tracker gives no ids in an image in which it finds nothing again.
    """
    these = np.flatnonzero(longer)
    return len(these) > 0 and _whole(lines.at(lines.widths[these] - 1, these))


def confidence_places(lines: Lines, layout: Layout) -> NDArray[np.int64]:
    """Where each line has its confidence, counted from its first number.

    Shape (n_lines,); −1 where the line has none, −2 where its length fits no object.
    """
    widths = lines.widths
    if layout.task in ("detect", "pose"):
        box = _BOX + layout.points
        sure = (widths == box + 1) | ((widths == box + 2) & layout.tracked)
        places = np.where(sure, box, np.where(widths == box, -1, -2))
    else:
        bare = widths - (widths % 2) * layout.tracked
        places = np.where(bare % 2 == 0, bare - 1, -1)
        places = np.where(bare < 7, -2, places)  # a triangle has 7 numbers
    return np.where(lines.widths == 0, -2, places).astype(np.int64)


def boxes_of(lines: Lines, layout: Layout, used: NDArray[np.intp]) -> NDArray[np.float64]:
    """Boxes x1 y1 x2 y2 as fractions of the image, around the points where there are points.

    Args:
        lines: of all files.
        layout: what they mean.
        used: positions of the lines that have a confidence.

    Returns:
        Shape (n_used, 4).
    """
    if not len(used):
        return np.zeros((0, 4))
    if layout.task in ("detect", "pose"):
        x, y, width, height = (lines.at(column, used) for column in range(1, 5))
        return np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1)
    counts = confidence_places(lines, layout)[used] - 1
    offsets = np.concatenate([[0], np.cumsum(counts)[:-1]])
    within = np.arange(counts.sum()) - np.repeat(offsets, counts)
    values = lines.values[np.repeat(lines.starts[used] + 1, counts) + within]
    corners = []
    for axis in (0, 1):
        of_axis = within % 2 == axis
        low = np.minimum.reduceat(np.where(of_axis, values, np.inf), offsets)
        high = np.maximum.reduceat(np.where(of_axis, values, -np.inf), offsets)
        corners.append((low, high))
    (x1, x2), (y1, y2) = corners
    return np.stack([x1, y1, x2, y2], axis=1)


def polygons_of(lines: Lines, layout: Layout, used: NDArray[np.intp]) -> list[NDArray[np.float64]]:
    """The points of each of these lines: x1 y1 x2 y2 … as fractions of the image.

    Args:
        lines: of all files.
        layout: what they mean, of shapes made of points.
        used: positions of the lines that have a confidence.
    """
    begins = lines.starts[used] + 1
    ends = begins + confidence_places(lines, layout)[used] - 1
    return [lines.values[a:b] for a, b in zip(begins.tolist(), ends.tolist(), strict=True)]
