"""Rows of supervision's CSVSink and JSONSink: one for each detection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.vision.detections import refuse_labels
from labelnext_adapters.files.vision.documents import IMAGE_KEYS, by_image
from labelnext_adapters.files.vision.findings import Finding, Images, Said
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
    read = by_image(rows, key)
    if all(one.name is None for one in read):
        raise _nameless(rows, key)
    ids = [one.value if one.name is None else one.name for one in read]
    images = Images([one.place for one in read], ids, [_said(one.value) for one in read])
    return images.pool(options.classes, options.image_size)


def _said(rows: Any) -> Said | Unusable:
    return rows if isinstance(rows, Unusable) else Said(objects=[_finding(row) for row in rows])


def _finding(row: Mapping[str, Any]) -> Finding:
    kind = row.get("class_name") or row.get("class_id")
    box = [row.get(corner) for corner in CORNERS]
    return Finding(None if kind == "" else kind, row.get("confidence"), box)


def _nameless(rows: Sequence[Any], key: str | None) -> InvalidInput:
    """The error for rows without an image."""
    columns: Mapping[str, Any] = next((row for row in rows if isinstance(row, dict)), {})
    extra = [str(name) for name in columns if name not in _BASE]
    return InvalidInput(
        f"a column must name the image of each detection: {key or ', '.join(IMAGE_KEYS[:4])}, …; "
        f"got {', '.join(extra[:8]) or 'no column of your own'}.",
        hint='append with custom_data={"file_name": name}, or set source.key to the column.',
    )
