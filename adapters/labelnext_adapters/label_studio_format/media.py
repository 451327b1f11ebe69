"""Where a labelling setup says that a task's image and text are, and what stands there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element

import msgspec

from labelnext_adapters.label_studio_format.xml import tags_in

_MARKUP = re.compile(r"<(?:script|style).*?</(?:script|style)>|<[^>]*>", re.S | re.I)
_TEXTS = ("Text", "HyperText", "Paragraphs")


def shown_keys(label_config: str) -> tuple[str | None, str | None]:
    """The data keys of a labelling setup's first image and first text; None without one.

    Example:
        >>> shown_keys('<View><Image name="i" value="$photo"/></View>')
        ('photo', None)
    """
    tags = [*tags_in(label_config)]
    images = [tag for tag in tags if tag.tag == "Image"]
    texts = [tag for tag in tags if tag.tag in _TEXTS and tag.get("valueType") != "url"]
    return _key(images), _key(texts)


def value_of(raw: msgspec.Raw | None) -> Any:
    """What a data key holds; None without one."""
    return None if raw is None else msgspec.json.decode(raw)


def text_of(raw: msgspec.Raw | None) -> str | None:
    """The words of a data key with a text, a page or a dialogue; None without any.

    Example:
        >>> text_of(msgspec.Raw(b'"<b>a fine day</b>"'))
        ' a fine day '
    """
    value = value_of(raw)
    if isinstance(value, list):  # of a dialogue: who says what
        said = [row.get("text") for row in value if isinstance(row, dict)]
        value = " ".join(text for text in said if isinstance(text, str))
    return _MARKUP.sub(" ", value) if isinstance(value, str) and value.strip() else None


def _key(tags: Sequence[Element]) -> str | None:
    values = (tag.get("value", "") for tag in tags)
    return next((value[1:] for value in values if value[:1] == "$" and value[1:]), None)
