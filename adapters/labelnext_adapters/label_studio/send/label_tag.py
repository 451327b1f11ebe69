"""The control tag with which a batch is labelled: found in a project, or made of classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

from labelnext.acquisition import Unit
from labelnext.adapter.batch import Kind, Mark, Shape
from labelnext.errors import InvalidInput, NotFound
from labelnext_adapters.label_studio.send.brush import rle_of

TAGS: dict[Kind, str] = {
    "items": "Choices",
    "box": "RectangleLabels",
    "polygon": "PolygonLabels",
    "keypoint": "KeyPointLabels",
    "mask": "BrushLabels",
}
PART = "-labelnext-"  # between the id of a label and the number of its part
_DOT = 0.75  # the size of a point that people see, in percent of the image's width


@dataclass(frozen=True)
class Tag:
    """A control tag for the labels of a batch.

    Attributes:
        unit: whether it labels images or objects in them.
        from_name: its name.
        to_name: name of the image's tag.
        data_key: where a task's data holds the image.
        labels: its labels.
        shape: how objects are drawn.
    """

    unit: Unit
    from_name: str
    to_name: str
    data_key: str
    labels: tuple[str, ...]
    shape: Shape = "box"

    @property
    def kind(self) -> Kind:
        """What it labels."""
        return "items" if self.unit == "items" else self.shape

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Tag:
        """Back from `to_dict`."""
        return cls(**{**data, "labels": tuple(data["labels"])})


def find_tag(project: dict[str, Any], from_name: str | None, kinds: Sequence[Kind]) -> Tag:
    """The control tag of a project that labels images, or objects in them.

    Args:
        project: its settings.
        from_name: of the tag; the only one that fits when None.
        kinds: what it may label.

    Raises:
        NotFound: if there is none, or not the named one.
        InvalidInput: if several fit and none is named.
    """
    tags: dict[str, Any] = project["parsed_label_config"] or {}
    able = {
        name: kind
        for name, tag in tags.items()
        for kind in kinds
        if tag.get("type") == TAGS[kind] and [i["type"] for i in tag["inputs"]] == ["Image"]
    }
    known = ", ".join(f"{name} ({tag.get('type')})" for name, tag in tags.items()) or "none"
    wanted = " or ".join(TAGS[kind] for kind in kinds)
    if not able or from_name not in (None, *able):
        raise NotFound(
            f"project {project['id']} must have a control tag {wanted} of an image"
            f"{'' if from_name is None else f' named {from_name!r}'}; it has: {known}.",
            hint="change its labelling setup, or leave out send.project to create a new project.",
        )
    if from_name is None and len(able) > 1:
        raise InvalidInput(
            f"send.from_name must be one of {', '.join(able)}, as several fit; got None."
        )
    name = from_name or next(iter(able))
    tag = tags[name]
    labels = tuple(tag["labels"])
    return _tag(able[name], name, tag["to_name"][0], tag["inputs"][0]["value"], labels)


def _tag(kind: Kind, name: str, to_name: str, data_key: str, labels: tuple[str, ...]) -> Tag:
    if kind == "items":
        return Tag("items", name, to_name, data_key, labels)
    return Tag("objects", name, to_name, data_key, labels, kind)


def make_tag(kind: Kind, classes: Sequence[str]) -> tuple[Tag, str]:
    """A control tag for these classes, and the labelling setup that holds it.

    Raises:
        InvalidInput: if there is no class.

    Example:
        >>> print(make_tag("items", ["a", "b"])[1])
        <View><Image name="image" value="$image"/><Choices name="label" toName="image"><Choice \
value="a"/><Choice value="b"/></Choices></View>
    """
    if not classes:
        raise InvalidInput(
            "the items have no classes, so labelnext can't create a labelling setup.",
            hint="set source.classes for files, dataset.default_classes for a FiftyOne dataset, or "
            "send.project to an existing project.",
        )
    name, part = TAGS[kind], "Choice" if kind == "items" else "Label"
    parts = "".join(f"<{part} value={quoteattr(label)}/>" for label in classes)
    setup = (
        '<View><Image name="image" value="$image"/>'
        f'<{name} name="label" toName="image">{parts}</{name}></View>'
    )
    return _tag(kind, "label", "image", "image", tuple(classes)), setup


def regions(
    marks: Sequence[Mark], tag: Tag, size: tuple[int, int] | None
) -> tuple[list[dict[str, Any]], int]:
    """What a model says as regions of a task.

    Args:
        marks: of one image.
        tag: the control tag.
        size: of the image in pixels, if known.

    Returns:
        The regions, and how many marks the tag has no label or place for.

    Example:
        >>> tag = make_tag("box", ["car"])[0]
        >>> (region,), left_out = regions([Mark("car", (0.1, 0.2, 0.5, 0.4), 0.9)], tag, None)
        >>> region["value"]["x"], region["value"]["width"], region["score"], left_out
        (10.0, 40.0, 0.9, 0)
    """
    made, left_out = [], 0
    for number, mark in enumerate(marks):
        values = [*_values(mark, tag.kind)] if mark.label in tag.labels else []
        left_out += not values
        for suffix, value in values:
            region: dict[str, Any] = {
                "id": f"{mark.mark_id or f'labelnext-{number}'}{suffix}",
                "from_name": tag.from_name,
                "to_name": tag.to_name,
                "type": TAGS[tag.kind].lower(),
                "value": {**value, TAGS[tag.kind].lower(): [mark.label]},
            }
            if mark.confidence is not None:
                region["score"] = min(max(mark.confidence, 0.0), 1.0)
            shown = size if mark.mask is None else mark.mask["size"][::-1]
            if tag.kind != "items" and shown is not None:
                region |= {
                    "original_width": shown[0],
                    "original_height": shown[1],
                    "image_rotation": 0,
                }
            made.append(region)
    return made, left_out


def _values(mark: Mark, kind: Kind) -> Iterator[tuple[str, dict[str, Any]]]:
    """The places of a mark, each with the end of its region's id; none for another shape."""
    if kind == "items":
        yield "", {}
    elif kind == "box" and mark.box is not None:
        x1, y1, x2, y2 = mark.box
        yield "", {**_percent(x=x1, y=y1, width=x2 - x1, height=y2 - y1), "rotation": 0}
    elif kind == "mask" and mark.mask is not None:
        yield "", {"format": "rle", "rle": rle_of(mark.mask)}
    elif kind == "polygon":
        several = len(mark.paths) > 1
        for number, path in enumerate(mark.paths):
            points = [[*_percent(x=x, y=y).values()] for x, y in path]
            yield f"{PART}{number}" if several else "", {"points": points, "closed": True}
    elif kind == "keypoint":
        # The number stays with a point, also where others aren't seen.
        for number, ((x, y),) in ((n, path) for n, path in enumerate(mark.paths) if path):
            yield f"{PART}{number}", {**_percent(x=x, y=y), "width": _DOT}


def _percent(**parts: float) -> dict[str, float]:
    """In percent of the image, without the digits that only rounding made."""
    return {name: round(100 * value, 10) for name, value in parts.items()}
