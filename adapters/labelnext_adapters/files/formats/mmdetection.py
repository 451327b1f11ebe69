"""Predictions of MMDetection: a JSON file for each image."""

from __future__ import annotations

from pathlib import Path

from labelnext.adapter.formats import Format
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.pool.pool import Pool
from labelnext_adapters.files.vision.options import DetectionOptions


def read(path: Path | str, options: DetectionOptions, context: Context) -> Pool:
    """The images, with their detections as objects.

    Raises:
        InvalidInput: if there are no JSON files, or too much can't be used.
    """
    from labelnext_adapters.files.vision.arrays import MMDETECTION, read_arrays
    from labelnext_adapters.files.vision.documents import documents

    path = Path(path)
    if (path / "preds").is_dir():  # as the folder `outputs` has them, beside the images in `vis`
        path /= "preds"
    return read_arrays(documents(path, MMDETECTION.are_in), MMDETECTION, options, context.key)


def evidence(sample: Sample) -> str | None:
    """Whether an image has bboxes, labels and scores."""
    from labelnext_adapters.files.vision.arrays import MMDETECTION
    from labelnext_adapters.files.vision.documents import first_documents

    if any(MMDETECTION.are_in(one.value) for one in first_documents(sample, MMDETECTION.are_in)):
        return "its images have bboxes, labels and scores"
    return None


FORMAT = Format(
    "mmdetection",
    "MMDetection's `preds/*.json`: bboxes, labels and scores of each image",
    (),
    DetectionOptions,
    read,
    evidence=evidence,
    of_json=True,
    recognised_by="JSON with bboxes, labels and scores",
)
