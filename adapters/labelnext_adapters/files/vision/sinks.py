"""Rows of supervision's CSVSink and JSONSink: one for each detection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.gather import Gathered
from labelnext_adapters.files.vision.detections import Detections, class_of, refuse_labels
from labelnext_adapters.files.vision.documents import IMAGE_KEYS, image_key
from labelnext_adapters.files.vision.options import DetectionOptions

CORNERS = ("x_min", "y_min", "x_max", "y_max")
_BASE = frozenset({*CORNERS, "class_id", "confidence", "tracker_id", "class_name"})


def are_rows(value: Any) -> bool:
    """Whether a value is a list of a sink's rows."""
    return isinstance(value, list) and 2 * sum(map(is_row, value)) > len(value)


def is_row(row: Any) -> bool:
    """Whether a record has the columns of a sink."""
    return isinstance(row, dict) and {*CORNERS, "class_id", "confidence"} <= row.keys()


def read_rows(rows: Sequence[Any], options: DetectionOptions, key: str | None) -> Pool:
    """The images that rows name, with their detections as objects.

    Args:
        rows: of a sink; the first is on line 2 of a CSV file.
        options: of the format.
        key: `source.key`, the column of the images.

    Raises:
        InvalidInput: if no column names the image, or rows have no confidence.
    """
    if not rows:
        raise InvalidInput("the file must hold at least one detection; it has none.")
    n_bare = sum(isinstance(row, dict) and row.get("confidence") in ("", None) for row in rows)
    refuse_labels("detections must have a confidence", n_bare, len(rows))
    key = image_key(rows) if key is None else key
    _refuse_nameless(rows, key)
    gathered = Gathered("detection", classes=options.classes)
    detections = Detections(gathered, options.image_size)
    for number, row in enumerate(rows, 1):
        name = _name(row, key)
        with gathered.record(f"detection {number}", "" if name is None else name):
            if not isinstance(row, dict):
                raise Unusable(f"it must be an object; got {row!r:.60}")
            if name is None:
                raise Unusable(f"it must name its image in {key or IMAGE_KEYS[0]}")
            item = gathered.item(name)
            box = [row.get(corner) for corner in CORNERS]
            kind = row.get("class_name") or class_of(row.get("class_id"), options.classes)
            detections.add(item, None if kind == "" else kind, row.get("confidence"), box)
    return detections.pool()


def _name(row: Any, key: str | None) -> Any:
    name = row.get(key) if isinstance(row, dict) else None
    return None if name == "" else name


def _refuse_nameless(rows: Sequence[Any], key: str | None) -> None:
    if any(_name(row, key) is not None for row in rows):
        return
    columns: Mapping[str, Any] = next((row for row in rows if isinstance(row, dict)), {})
    extra = [str(name) for name in columns if name not in _BASE]
    raise InvalidInput(
        f"a column must name the image of each detection: {key or ', '.join(IMAGE_KEYS[:4])}, …; "
        f"got {', '.join(extra[:8]) or 'no column of your own'}.",
        hint='append with custom_data={"file_name": name}, or set source.key to the column.',
    )
