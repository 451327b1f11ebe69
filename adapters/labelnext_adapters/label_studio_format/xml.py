"""The control tags of a labelling setup, from its XML or from the regions made with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree

import msgspec

from labelnext.errors import InvalidInput
from labelnext_adapters.label_studio_format.regions import CONTROLS

Tags = dict[str, dict[str, Any]]

_TAGS = {name.lower(): name for name in CONTROLS}


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
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise InvalidInput(
            f"label_config must be a labelling setup in XML; {error}.",
            hint="copy it from Settings > Labeling Interface > Code.",
        ) from None
    return {
        tag.attrib["name"]: {
            "type": tag.tag,
            "to_name": tag.attrib["toName"].split(","),
            "labels": [
                child.get("alias") or child.get("value")
                for child in tag.iter()
                if child.tag in ("Label", "Choice")
            ],
            "dynamic_labels": tag.get("value", "").startswith("$"),
        }
        for tag in root.iter()
        if tag.get("name") and tag.get("toName")
    }


class _Region(msgspec.Struct):
    from_name: str = ""
    to_name: str = ""
    type: str = ""
    value: dict[str, Any] = {}


_regions = msgspec.json.Decoder(list[_Region])


def derived_tags(results: Iterable[msgspec.Raw]) -> tuple[Tags, set[str]]:
    """The control tags of regions, with the labels that occur, by their names in order.

    Args:
        results: of predictions and annotations; broken ones are passed over.

    Returns:
        The tags as of `parse_config`, and the names of those with several choices at once.
    """
    labels: dict[tuple[str, str], set[str]] = {}
    targets: dict[str, set[str]] = {}
    multiple: set[str] = set()
    for result in results:
        try:
            regions = _regions.decode(result)
        except msgspec.DecodeError:
            continue
        for region in regions:
            tag = _TAGS.get(region.type)
            if tag is None:
                continue
            own = _labels(region)
            labels.setdefault((region.from_name, tag), set()).update(own)
            targets.setdefault(region.from_name, set()).add(region.to_name)
            if tag == "Choices" and len(own) > 1:
                multiple.add(region.from_name)
    tags: Tags = {}
    for (name, tag), found in sorted(labels.items()):
        place = {"type": tag, "to_name": sorted(targets[name]), "labels": sorted(found)}
        tags[name] = place
        if tag == "VideoRectangle":  # whose labels a tag of its own lists
            tags[f"{name} labels"] = {**place, "type": "Labels"}
    return tags, multiple


def _labels(region: _Region) -> list[str]:
    """The labels that a region names, also in its class probabilities."""
    found = region.value.get(region.type, region.value.get("labels")) or []
    if not isinstance(found, list):
        return []
    ends = [path[-1] if isinstance(path, list) and path else path for path in found]
    probabilities = region.value.get("probs")
    named = [*probabilities] if isinstance(probabilities, dict) else []
    return [label for label in (*ends, *named) if isinstance(label, str)]


__all__ = ["derived_tags", "parse_config"]
