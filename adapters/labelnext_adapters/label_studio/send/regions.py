"""What a model says, as the regions of a task's prediction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from labelnext.adapter.batch import WHOLE, Kind, Mark
from labelnext_adapters.label_studio.send.brush import rle_of
from labelnext_adapters.label_studio.send.label_tag import ANSWERS, FLAGS, TAGS, Tag

PART = "-labelnext-"  # between the id of a label and the number of its part
_DOT = 0.75  # the size of a point that people see, in percent of the image's width


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
        >>> tag = Tag("objects", "label", "image", "image", ("car",))
        >>> (region,), left_out = regions([Mark("car", (0.1, 0.2, 0.5, 0.4), 0.9)], tag, None)
        >>> region["value"]["x"], region["value"]["width"], region["score"], left_out
        (10.0, 40.0, 0.9, 0)
    """
    if tag.kind == "classes":
        return _one_of_all(marks, tag)
    made, left_out = [], 0
    for number, mark in enumerate(marks):
        fits = tag.kind == "number" or mark.label in tag.labels
        values = [*_values(mark, tag.kind)] if fits else []
        left_out += not values
        for suffix, value in values:
            answer = {} if tag.kind == "number" else {TAGS[tag.kind].lower(): [mark.label]}
            region: dict[str, Any] = {
                "id": f"{mark.mark_id or f'labelnext-{number}'}{suffix}",
                "from_name": tag.from_name,
                "to_name": tag.to_name,
                "type": TAGS[tag.kind].lower(),
                "value": {**value, **answer},
            }
            if mark.confidence is not None:
                region["score"] = _score(mark.confidence)
            shown = size if mark.mask is None else mark.mask["size"][::-1]
            if tag.kind not in WHOLE and shown is not None:
                region |= {
                    "original_width": shown[0],
                    "original_height": shown[1],
                    "image_rotation": 0,
                }
            made += [region, *_attributes(mark, tag, region, value)]
    return made, left_out


def _score(confidence: float) -> float:
    return min(max(confidence, 0.0), 1.0)


def _one_of_all(marks: Sequence[Mark], tag: Tag) -> tuple[list[dict[str, Any]], int]:
    """One region for all classes of an image, with the mean of their confidences."""
    known = [mark for mark in marks if mark.label in tag.labels]
    if not known:
        return [], len(marks)
    region: dict[str, Any] = {
        "id": f"labelnext-{tag.from_name}",
        "from_name": tag.from_name,
        "to_name": tag.to_name,
        "type": "choices",
        "value": {"choices": [mark.label for mark in known]},
    }
    scores = [_score(mark.confidence) for mark in known if mark.confidence is not None]
    if scores:
        region["score"] = sum(scores) / len(scores)
    return [region], len(marks) - len(known)


def _attributes(
    mark: Mark, tag: Tag, region: dict[str, Any], value: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """The attributes of an object: regions with its id and place, as Label Studio keeps them."""
    for attribute in tag.attributes:
        said = mark.attributes.get(attribute.name)
        if said is None:
            continue
        kind, key = ANSWERS[attribute.kind]
        text = FLAGS[not said] if attribute.kind == "flag" else str(said)
        if kind == "Choices" and text not in (*attribute.choices, *FLAGS):
            continue
        answer = said if kind == "Number" else [text]
        same = {k: v for k, v in region.items() if k != "score"}
        parts = {**value, key: answer}
        yield {**same, "from_name": attribute.name, "type": kind.lower(), "value": parts}


def _values(mark: Mark, kind: Kind) -> Iterator[tuple[str, dict[str, Any]]]:
    """The places of a mark, each with the end of its region's id; none for another shape."""
    if kind == "items":
        yield "", {}
    elif kind == "number" and mark.number is not None:
        yield "", {"number": mark.number}
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
