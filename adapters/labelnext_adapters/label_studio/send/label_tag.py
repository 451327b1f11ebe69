"""The control tag with which a batch is labelled: found in a project, or made of classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

from labelnext.acquisition import Unit
from labelnext.adapter.batch import Mark
from labelnext.errors import InvalidInput, NotFound

TAGS: dict[Unit, str] = {"items": "Choices", "objects": "RectangleLabels"}


@dataclass(frozen=True)
class Tag:
    """A control tag for the labels of a batch.

    Attributes:
        unit: whether it labels images or boxes in them.
        from_name: its name.
        to_name: name of the image's tag.
        data_key: where a task's data holds the image.
        labels: its labels.
    """

    unit: Unit
    from_name: str
    to_name: str
    data_key: str
    labels: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Tag:
        """Back from `to_dict`."""
        return cls(**{**data, "labels": tuple(data["labels"])})


def find_tag(project: dict[str, Any], from_name: str | None, units: Sequence[Unit]) -> Tag:
    """The control tag of a project that labels images, or boxes in them.

    Args:
        project: its settings.
        from_name: of the tag; the only one that fits when None.
        units: what it may label.

    Raises:
        NotFound: if there is none, or not the named one.
        InvalidInput: if several fit and none is named.
    """
    tags: dict[str, Any] = project["parsed_label_config"] or {}
    able = {
        name: unit
        for name, tag in tags.items()
        for unit in units
        if tag.get("type") == TAGS[unit] and [i["type"] for i in tag["inputs"]] == ["Image"]
    }
    known = ", ".join(f"{name} ({tag.get('type')})" for name, tag in tags.items()) or "none"
    wanted = " or ".join(TAGS[unit] for unit in units)
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
    return Tag(able[name], name, tag["to_name"][0], tag["inputs"][0]["value"], labels)


def make_tag(unit: Unit, classes: Sequence[str]) -> tuple[Tag, str]:
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
    name, part = TAGS[unit], "Choice" if unit == "items" else "Label"
    parts = "".join(f"<{part} value={quoteattr(label)}/>" for label in classes)
    setup = (
        '<View><Image name="image" value="$image"/>'
        f'<{name} name="label" toName="image">{parts}</{name}></View>'
    )
    return Tag(unit, "label", "image", "image", tuple(classes)), setup


def regions(
    marks: Sequence[Mark], tag: Tag, size: tuple[int, int] | None
) -> tuple[list[dict[str, Any]], int]:
    """What a model says as regions of a task.

    Args:
        marks: of one image.
        tag: the control tag.
        size: of the image in pixels, if known.

    Returns:
        The regions, and how many marks the tag has no label or box for.

    Example:
        >>> tag = make_tag("objects", ["car"])[0]
        >>> (region,), left_out = regions([Mark("car", (0.1, 0.2, 0.5, 0.4), 0.9)], tag, None)
        >>> region["value"]["x"], region["value"]["width"], region["score"], left_out
        (10.0, 40.0, 0.9, 0)
    """
    made = []
    for number, mark in enumerate(marks):
        if mark.label not in tag.labels or (tag.unit == "objects" and mark.box is None):
            continue
        region: dict[str, Any] = {
            "id": f"labelnext-{number}",
            "from_name": tag.from_name,
            "to_name": tag.to_name,
            "type": TAGS[tag.unit].lower(),
            "value": {"choices": [mark.label]} if mark.box is None else _rectangle(mark),
        }
        if mark.confidence is not None:
            region["score"] = min(max(mark.confidence, 0.0), 1.0)
        if mark.box is not None and size is not None:
            region |= {
                "original_width": size[0],
                "original_height": size[1],
                "image_rotation": 0,
            }
        made.append(region)
    return made, len(marks) - len(made)


def _rectangle(mark: Mark) -> dict[str, Any]:
    """In percent of the image, without the digits that only rounding made."""
    assert mark.box is not None
    x1, y1, x2, y2 = mark.box
    parts = {"x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1}
    percent = {name: round(100 * value, 10) for name, value in parts.items()}
    return {**percent, "rotation": 0, "rectanglelabels": [mark.label]}
