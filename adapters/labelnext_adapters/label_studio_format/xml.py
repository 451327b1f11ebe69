"""The control tags of a labelling setup, from its XML or from the regions made with it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree

import msgspec

from labelnext.errors import InvalidInput
from labelnext_adapters.label_studio_format.controls import CONTROLS
from labelnext_adapters.label_studio_format.faults import UNDECODABLE, BrokenRegion
from labelnext_adapters.label_studio_format.region import (
    Label,
    Region,
    Remarks,
    probs_of,
    regions_of,
)

Tags = dict[str, dict[str, Any]]

#: What joins a path through a taxonomy, unless the tag says otherwise.
SEPARATOR = " / "

_TAGS = {name.lower(): name for name in CONTROLS}
_FLAG = "{{idx}}"  # stands for the number of a repetition, unless the Repeater says otherwise
_PLACES = ("x", "start", "ranges")  # a region has one; an answer about a whole item has none

_values = msgspec.json.Decoder(dict[str, Any])


def parse_config(xml: str) -> Tags:
    """The control tags by name, with type, to_name and labels, as Label Studio itself gives them.

    Raises:
        InvalidInput: if it is no XML.

    Example:
        >>> xml = '<View><Choices name="k" toName="t"><Choice value="a"/></Choices></View>'
        >>> parse_config(xml)["k"]["labels"]
        ['a']
    """
    try:
        root = ElementTree.fromstring(xml)  # noqa: S314  # expat limits how entities grow
    except (ElementTree.ParseError, ValueError) as error:
        raise InvalidInput(
            f"label_config must be a labelling setup in XML; {error}.",
            hint="copy it from Settings > Labeling Interface > Code.",
        ) from None
    flags = {
        id(tag): repeater.get("indexFlag") or _FLAG
        for repeater in root.iter("Repeater")
        for tag in repeater.iter()
    }
    tags: Tags = {}
    for tag in root.iter():
        if not (tag.get("name") and tag.get("toName")):
            continue
        tags[tag.attrib["name"]] = {
            "type": tag.tag,
            "to_name": tag.attrib["toName"].split(","),
            "labels": [label for label in map(_label, tag.iter()) if label is not None],
            "dynamic_labels": tag.get("value", "").startswith("$"),
        }
        if id(tag) in flags:
            tags[tag.attrib["name"]]["regex"] = {flags[id(tag)]: ".*"}
    return tags


def _label(tag: ElementTree.Element) -> str | None:
    return (tag.get("alias") or tag.get("value")) if tag.tag in ("Label", "Choice") else None


def find_tag(xml: object, name: str) -> ElementTree.Element | None:
    """A control tag in the XML of a setup; None without it, as for tags found in the data."""
    return next((tag for tag in tags_in(xml) if tag.get("name") == name), None)


def tags_in(xml: object) -> Iterable[ElementTree.Element]:
    """All tags of a setup; none without one."""
    try:
        return ElementTree.fromstring(str(xml or "")).iter()  # noqa: S314  # as above
    except (ElementTree.ParseError, ValueError):
        return ()


def attributes(tag: ElementTree.Element | None) -> dict[str, str]:
    """The attributes of a tag, by their names in lower case; the parsed setup lacks some."""
    return {} if tag is None else {name.lower(): value for name, value in tag.attrib.items()}


def paths(tag: ElementTree.Element, separator: str) -> dict[str, str]:
    """The paths through nested choices, from the root to every node; each also by the `value`s.

    Example:
        >>> xml = '<T><Choice value="A"><Choice value="x" alias="y"/></Choice></T>'
        >>> paths(ElementTree.fromstring(xml), " / ")
        {'A': 'A', 'A / y': 'A / x'}
    """
    chains: dict[str, str] = {}
    open_tags = [(child, "", "") for child in reversed(tag)]
    while open_tags:
        node, above, said = open_tags.pop()
        label = _label(node)
        if label is not None:
            value = node.get("value") or label
            above = f"{above}{separator}{label}" if above else label
            said = f"{said}{separator}{value}" if said else value
            chains.setdefault(above, said)
        open_tags += [(child, above, said) for child in reversed(node)]
    return chains


def other_names(tag: ElementTree.Element, separator: str) -> dict[str, str]:
    """The labels of a tag by their other names: `value` beside an `alias`, and their paths.

    Example:
        >>> xml = '<Choices><Choice value="Car" alias="c"><Choice value="van"/></Choice></Choices>'
        >>> other_names(ElementTree.fromstring(xml), " / ")
        {'c / van': 'van', 'Car / van': 'van', 'Car': 'c', 'van': 'van'}
    """
    nested = {
        path: label.rpartition(separator)[2]
        for label, said in paths(tag, separator).items()
        for path in (label, said)
        if separator in label
    }
    return nested | {
        str(node.get("value")): str(_label(node))
        for node in tag.iter()
        if _label(node) is not None and node.get("value")
    }


def pattern(name: str, regex: object) -> re.Pattern[str] | None:
    """Of the names of a tag's repetitions; None for a tag that isn't repeated.

    Args:
        name: of the tag.
        regex: what each flag in it stands for, as in the parsed setup.

    Example:
        >>> bool(pattern("box_{{idx}}", {"{{idx}}": ".*"}).fullmatch("box_12"))
        True
    """
    if not isinstance(regex, dict) or not regex:
        return None
    text = re.escape(name)
    for flag, stands_for in regex.items():
        text = text.replace(re.escape(str(flag)), f"(?:{stands_for})")
    try:
        return re.compile(text)
    except re.error:
        return None


def derived_tags(results: Iterable[msgspec.Raw]) -> tuple[Tags, set[str]]:
    """The control tags of regions, with the labels that occur, by their names in order.

    Args:
        results: of predictions and annotations; broken ones are passed over.

    Returns:
        The tags as of `parse_config`, with `per_region` for those that answer about regions, and
        `of_text` for those whose regions are spans of a text, and the names of those with several
        choices at once.
    """
    labels: dict[tuple[str, str], set[str]] = {}
    targets: dict[str, set[str]] = {}
    multiple: set[str] = set()
    per_region: set[str] = set()
    of_text: set[str] = set()
    for result in results:
        regions = _passable(result)
        shared = _shared_ids(regions)
        for region in regions:
            tag, value = _TAGS.get(region.type), _value(region)
            if tag is None:
                continue
            labels_here = _labels(region, value)
            labels.setdefault((region.from_name, tag), set()).update(labels_here)
            targets.setdefault(region.from_name, set()).update(_names(region.to_name))
            chosen = value.get("choices")
            if isinstance(chosen, list) and len(chosen) > 1:
                multiple.add(region.from_name)
            if "text" in value and "end" in value:
                of_text.add(region.from_name)
            if any(place in value for place in _PLACES) or region.id in shared:
                per_region.add(region.from_name)
    tags: Tags = {}
    for (name, tag), names in sorted(labels.items()):
        place = {"type": tag, "to_name": sorted(targets[name]), "labels": sorted(names)}
        tags[name] = {**place, "per_region": name in per_region, "of_text": name in of_text}
        if tag == "VideoRectangle":  # whose labels a tag of its own lists
            tags[f"{name} labels"] = {**place, "type": "Labels"}
    return tags, multiple


def named_tags(results: Iterable[msgspec.Raw]) -> set[str]:
    """The names of the control tags of regions; broken ones are passed over."""
    return {region.from_name for result in results for region in _passable(result)}


def scored_tags(results: Iterable[msgspec.Raw]) -> set[str]:
    """The names of the control tags of regions that have a score or class probabilities."""
    regions = (region for result in results for region in _passable(result))
    return {r.from_name for r in regions if r.score is not None or "probs" in _value(r)}


def unread_types(results: Iterable[msgspec.Raw]) -> list[str]:
    """The names of the control tags of regions, each with its type, none of which is read."""
    types = {f"{r.from_name} ({r.type})" for result in results for r in _passable(result)}
    return sorted(types)


def _passable(result: msgspec.Raw) -> list[Region]:
    try:
        regions = [*regions_of(result, Remarks())]
    except BrokenRegion:
        return []
    return [r for r in regions if isinstance(r.from_name, str) and isinstance(r.type, str)]


def _value(region: Region) -> dict[str, Any]:
    try:
        return _values.decode(region.value)
    except UNDECODABLE:
        return {}


def _names(to_name: object) -> list[str]:
    names = to_name if isinstance(to_name, list) else [to_name]
    return [name for name in names if isinstance(name, str)]


def _shared_ids(regions: Iterable[Region]) -> set[str]:
    """The ids that a part of an item shares with regions of other tags: these answer about it."""
    by_id: dict[str, dict[str, str]] = {}
    for region in regions:
        if isinstance(region.id, str):
            by_id.setdefault(region.id, {})[region.from_name] = _TAGS.get(region.type, "")
    return {
        number
        for number, tags in by_id.items()
        if len(tags) > 1 and any(t and CONTROLS[t].unit == "objects" for t in tags.values())
    }


def _labels(region: Region, value: dict[str, Any]) -> list[str]:
    """The labels that a region names, also in its class probabilities."""
    labels = value.get(region.type, value.get("labels")) or []
    if not isinstance(labels, list):
        return []
    named = [
        SEPARATOR.join(map(str, path)) if isinstance(path, list) and path else path
        for path in labels
    ]
    with suppress(BrokenRegion):
        probabilities = probs_of(region, value.get("probs"))
        named += [*probabilities] if isinstance(probabilities, dict) else []
    return [str(label) for label in named if isinstance(label, Label) and type(label) is not bool]
