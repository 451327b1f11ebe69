"""Roboflow's inference JSON."""

from __future__ import annotations

from pathlib import Path

from labelnext.adapter.formats import Format
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.pool.pool import Pool
from labelnext_adapters.files.vision.options import DetectionOptions


def read(path: Path | str, options: DetectionOptions, context: Context) -> Pool:
    """The images, with their detections as objects, or with the scores of their classes.

    Raises:
        InvalidInput: if too much can't be used.
    """
    from labelnext_adapters.files.vision.documents import documents
    from labelnext_adapters.files.vision.roboflow import is_response, read_responses

    return read_responses(documents(Path(path), is_response), options, context.key)


def evidence(sample: Sample) -> str | None:
    """Whether an image has predictions with class and confidence."""
    from labelnext_adapters.files.vision.documents import first_documents
    from labelnext_adapters.files.vision.roboflow import (
        are_foreign,
        has_several_blocks,
        is_response,
    )

    told = [one.value for one in first_documents(sample, is_response)]
    if any(map(are_foreign, told)):
        return None
    if any(is_response(value) or has_several_blocks(value) for value in told):
        return "its images have predictions with class and confidence"
    return None


FORMAT = Format(
    "roboflow",
    "Roboflow's inference JSON of one image, a list of images, or a folder with a file for each",
    (),
    DetectionOptions,
    read,
    evidence=evidence,
    of_json=True,
    recognised_by="JSON with predictions that have class and confidence",
)
