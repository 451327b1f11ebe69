"""Detections of supervision: CSVSink, JSONSink, and the arrays as JSON."""

from __future__ import annotations

from pathlib import Path

from labelnext.adapter.formats import Format
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.pool.pool import Pool
from labelnext_adapters.files.vision.options import DetectionOptions

_COLUMNS = {"x_min", "y_min", "x_max", "y_max", "class_id", "confidence", "tracker_id"}


def read(path: Path | str, options: DetectionOptions, context: Context) -> Pool:
    """The images, with their detections as objects.

    Raises:
        InvalidInput: if nothing names the images, or detections have no confidence.
    """
    from labelnext_adapters.files.vision.arrays import SUPERVISION
    from labelnext_adapters.files.vision.findings import read_findings
    from labelnext_adapters.files.vision.sinks import are_rows, read_rows
    from labelnext_adapters.files.vision.ultralytics import load

    path = Path(path)
    if path.is_file():
        value = load(path)
        if are_rows(value) or value == [] or ".csv" in path.suffixes:
            return read_rows(value, options, context.key)
    return read_findings(path, SUPERVISION, options, context.key)


def evidence(sample: Sample) -> str | None:
    """Whether rows have the columns of a sink, or images xyxy and confidence."""
    rows = "its rows have x_min, y_min, x_max, y_max, class_id and confidence"
    if sample.header >= _COLUMNS:
        return rows
    if not sample.may_hold_json:
        return None
    from labelnext_adapters.files.vision.arrays import SUPERVISION
    from labelnext_adapters.files.vision.findings import evidence_of
    from labelnext_adapters.files.vision.sinks import are_rows

    return rows if are_rows(sample.records[:20]) else evidence_of(sample, SUPERVISION)


FORMAT = Format(
    "supervision",
    "supervision's CSVSink and JSONSink, with a column that names the image; Detections as JSON",
    (),
    DetectionOptions,
    read,
    evidence=evidence,
    recognised_by="rows with x_min, y_min, x_max, y_max, class_id and confidence",
)
