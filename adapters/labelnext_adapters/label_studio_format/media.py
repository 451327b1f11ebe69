"""Where a labelling setup says that a task's image and text are."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

_TEXTS = ("Text", "HyperText", "Paragraphs")


def shown_keys(label_config: str) -> tuple[str | None, str | None]:
    """The data keys of a labelling setup's first image and first text; None without one.

    Example:
        >>> shown_keys('<View><Image name="i" value="$photo"/></View>')
        ('photo', None)
    """
    try:
        root = ElementTree.fromstring(label_config)  # noqa: S314  # expat limits how entities grow
    except (ElementTree.ParseError, ValueError):
        return None, None
    images = [tag.get("value", "") for tag in root.iter("Image")]
    texts = [
        tag.get("value", "")
        for tag in root.iter()
        if tag.tag in _TEXTS and tag.get("valueType") != "url"
    ]
    return _key(images), _key(texts)


def _key(values: Sequence[str]) -> str | None:
    return next((value[1:] for value in values if value[:1] == "$" and value[1:]), None)
