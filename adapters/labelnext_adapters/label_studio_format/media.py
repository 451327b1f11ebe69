"""Where a labelling setup says that a task's image and text are, and what a task holds there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

import msgspec

from labelnext_adapters.label_studio_format.records import read_tasks

_MARKUP = re.compile(r"<(?:script|style).*?</(?:script|style)>|<[^>]*>", re.S | re.I)
_IMAGE = re.compile(
    r"data:image/.*|.*\.(jpe?g|png|webp|bmp|gif|tiff?|avif|heic)(\?.*)?", re.S | re.I
)
_LOOKED_AT = 20  # tasks
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


def text_of(value: Any) -> str | None:
    """The words of a task's text, or of the lines of a dialogue, without markup; None for no text.

    Example:
        >>> text_of([{"author": "a", "text": "so <b>what</b>"}])
        'so  what '
    """
    if isinstance(value, list):  # of a dialogue: who says what
        said = [row.get("text") for row in value if isinstance(row, dict)]
        value = " ".join(text for text in said if isinstance(text, str))
    return _MARKUP.sub(" ", value) if isinstance(value, str) and value.strip() else None


def shown_values(
    files: Mapping[str, bytes], label_config: str | None, key: str | None
) -> dict[str, tuple[str | None, str | None]]:
    """The address of the image and the text of each task of exports, by the items' ids.

    Args:
        files: what is in the exports, by their names.
        label_config: the labelling setup; when None, the keys are those that hold the address of an
            image, or words, in the first tasks.
        key: the data key that is an item's id; the number of the task when None.

    Raises:
        InvalidInput: if it is no export.
    """
    tasks = read_tasks(files, [])
    rows = [{name: msgspec.json.decode(raw) for name, raw in task.data.items()} for task in tasks]
    image, text = _likely_keys(rows) if label_config is None else shown_keys(label_config)
    shown = {}
    for task, row in zip(tasks, rows, strict=True):
        item = task.id if key is None else row.get(key)
        picture = None if image is None else row.get(image)
        words = None if text is None else text_of(row.get(text))
        if item is not None:
            shown[str(item)] = picture if isinstance(picture, str) else None, words
    return shown


def _likely_keys(rows: Sequence[Mapping[str, Any]]) -> tuple[str | None, str | None]:
    """The keys of the image and the text, by what the first tasks hold."""
    held = [(name, value) for row in rows[:_LOOKED_AT] for name, value in row.items() if value]
    texts = [(name, value) for name, value in held if isinstance(value, str)]
    image = next((name for name, value in texts if _IMAGE.fullmatch(value)), None)
    several = [(n, value) for n, value in texts if n != image and len(value.split()) > 1]
    words = [n for n, value in several if "://" not in value]
    dialogues = [n for n, value in held if isinstance(value, list) and text_of(value)]
    return image, next(iter(["text"] * ("text" in words) + words + dialogues), None)
