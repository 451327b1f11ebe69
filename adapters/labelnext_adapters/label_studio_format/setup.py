"""The control tags of a labelling setup, and which of them is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labelnext.errors import InvalidInput, NotFound
from labelnext_adapters.label_studio_format.regions import CONTROLS, Setup


def find_setup(project: dict[str, Any], from_name: str | Sequence[str] | None) -> Setup:
    """The control tag to read predictions of, or several that label parts of items.

    Raises:
        NotFound: if there is none that can be read, or not the named one.
        InvalidInput: if there are several and none is named, if those named cannot be read
            together, or if the labels cannot be known.
    """
    tags: dict[str, Any] = project["parsed_label_config"] or {}
    able = {name: tag for name, tag in tags.items() if tag.get("type") in CONTROLS}
    known = ", ".join(f"{name} ({tag.get('type')})" for name, tag in tags.items()) or "none"
    hint = f"the labelling setup has: {known}."
    if from_name is None:
        able = _most_telling(able)
    wanted = [from_name] if isinstance(from_name, str) else list(from_name or able)
    for name in wanted:
        if name not in able:
            raise NotFound(f"from_name must be a supported control tag; got {name!r}.", hint=hint)
    if not wanted:
        raise NotFound(
            f"the labelling setup must have a control tag of type {' or '.join(CONTROLS)}.",
            hint=hint,
        )
    if from_name is None and len(wanted) > 1:
        raise InvalidInput(
            f"from_name must be one of the control tags {', '.join(able)}; got None.",
            hint=f"{hint} You can combine tags that label parts of items in a list.",
        )
    units = {CONTROLS[able[name]["type"]].unit for name in wanted}
    if len(wanted) > 1 and units != {"objects"}:
        kinds = ", ".join(f"{name} ({able[name]['type']})" for name in wanted)
        raise InvalidInput(
            "from_name must be a list of tags that label parts of items, such as boxes; "
            f"got {kinds}.",
            hint="name one tag.",
        )
    labels = {label: None for name in wanted for label in _labels(project, name, able[name])}
    first, *others = wanted
    return Setup(
        first,
        able[first]["type"],
        {label: i for i, label in enumerate(labels)},
        _attributes(project, first).get("choice") == "multiple"
        or able[first]["type"] == "Taxonomy",
        {name: able[name]["type"] for name in others},
    )


def _most_telling(able: dict[str, Any]) -> dict[str, Any]:
    """Without the tags that only go with others: free text, and the labels of a video's boxes."""
    classed = {n: tag for n, tag in able.items() if CONTROLS[tag["type"]].classed}
    tracks = {
        to for tag in able.values() if tag["type"] == "VideoRectangle" for to in tag["to_name"]
    }
    alone = {
        n: tag
        for n, tag in classed.items()
        if tag["type"] != "Labels" or not tracks.intersection(tag["to_name"])
    }
    return alone or able


def _labels(project: dict[str, Any], name: str, tag: dict[str, Any]) -> list[str]:
    """The classes of a control tag, in the order of the labelling setup."""
    kind = tag["type"]
    if kind == "Pairwise":
        return ["left", "right"]
    if kind == "Rating":
        most = int(_attributes(project, name).get("maxRating", 5))
        return [str(stars) for stars in range(1, most + 1)]
    labels: list[str] = list(tag.get("labels") or ())
    if kind == "VideoRectangle":  # its labels stand in a tag of their own
        labels = [
            label
            for other in project["parsed_label_config"].values()
            if other.get("type") == "Labels" and {*other["to_name"]} & {*tag["to_name"]}
            for label in other["labels"]
        ]
    if CONTROLS[kind].classed and (tag.get("dynamic_labels") or not labels):
        raise InvalidInput(
            f"control tag {name!r} must list its labels in the labelling setup; it has none.",
            hint="labels from each task's data aren't supported yet.",
        )
    return labels if CONTROLS[kind].classed else []


def _attributes(project: dict[str, Any], from_name: str) -> dict[str, str]:
    """The attributes of a tag; the parsed setup does not have them all."""
    from xml.etree import ElementTree

    try:
        root = ElementTree.fromstring(str(project.get("label_config") or ""))
    except ElementTree.ParseError:
        return {}
    return next((dict(tag.attrib) for tag in root.iter() if tag.get("name") == from_name), {})
