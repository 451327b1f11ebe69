"""The control tags whose regions are read. A new tag is one row in `CONTROLS`."""

from __future__ import annotations

from typing import Literal, NamedTuple

Unit = Literal["items", "objects"]


class Control(NamedTuple):
    """How one control tag is read.

    Attributes:
        unit: whether it labels items or parts of items.
        key: where the labels of a part are; empty for a tag without labels, whose confidence is all
            that can be ranked.
        boxed: its regions have a box; where it is None, those that have one.
        single: its one region answers for the whole item.
    """

    unit: Unit
    key: str = ""
    boxed: bool | None = False
    single: bool = False

    @property
    def classed(self) -> bool:
        """Whether it has labels."""
        return self.unit == "items" or bool(self.key)

    @property
    def answers(self) -> bool:
        """Whether its regions are answers to a question, about the item or about a part of it."""
        return self.unit == "items" or self.single


_ITEMS = Control("items")


def _objects(key: str, *, boxed: bool | None = False) -> Control:
    return Control("objects", key, boxed)


CONTROLS: dict[str, Control] = {
    "Choices": _ITEMS,
    "Taxonomy": _ITEMS,
    "Pairwise": _ITEMS,
    "Rating": _ITEMS,
    "RectangleLabels": _objects("rectanglelabels", boxed=True),
    "PolygonLabels": _objects("polygonlabels", boxed=True),
    "EllipseLabels": _objects("ellipselabels", boxed=True),
    "VectorLabels": _objects("vectorlabels", boxed=True),
    "OcrLabels": _objects("ocrlabels", boxed=True),
    # Labels of a text or a sound have no box, those of shapes in an image have.
    "Labels": _objects("labels", boxed=None),
    # The rest have no box: a point, a mask, a span of text, sound or time, a track of boxes.
    "KeyPointLabels": _objects("keypointlabels"),
    "BrushLabels": _objects("brushlabels"),
    "BitmaskLabels": _objects("bitmasklabels"),
    "HyperTextLabels": _objects("hypertextlabels"),
    "ParagraphLabels": _objects("paragraphlabels"),
    "TimeSeriesLabels": _objects("timeserieslabels"),
    "TimelineLabels": _objects("timelinelabels"),
    "VideoRectangle": _objects("labels"),
    # These have no class: their confidence is all that can be ranked.
    "TextArea": Control("objects", boxed=None, single=True),
    "Number": Control("objects", boxed=None, single=True),
    "DateTime": Control("objects", boxed=None, single=True),
    "Ranker": Control("objects", single=True),
    "ReactCode": Control("objects", boxed=None, single=True),
    "Rectangle": _objects("", boxed=True),
    "Polygon": _objects("", boxed=True),
    "Ellipse": _objects("", boxed=True),
    "Vector": _objects("", boxed=True),
    "KeyPoint": _objects(""),
    "Brush": _objects(""),
    "Bitmask": _objects(""),
}
