"""Detections of torchvision's models, saved as JSON."""

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
        InvalidInput: if too much can't be used.
    """
    from labelnext_adapters.files.vision.arrays import BOXES, TORCHVISION, read_arrays
    from labelnext_adapters.files.vision.documents import documents

    outputs = documents(Path(path), lambda one: TORCHVISION.are_in(one) or BOXES.are_in(one))
    kinds = (TORCHVISION, BOXES)
    keys = max(kinds, key=lambda kind: sum(kind.are_in(one.value) for one in outputs))
    return read_arrays(outputs, keys, options, context.key)


def evidence(sample: Sample) -> str | None:
    """Whether an image has boxes, labels and scores."""
    from labelnext_adapters.files.vision.arrays import BOXES, TORCHVISION
    from labelnext_adapters.files.vision.documents import first_documents

    for keys in (TORCHVISION, BOXES):
        if any(keys.are_in(one.value) for one in first_documents(sample, keys.are_in)):
            return f"its images have {keys.boxes}, {keys.classes} and {keys.scores}"
    return None


FORMAT = Format(
    "torchvision",
    "torchvision's boxes, labels and scores of each image, as JSON",
    (),
    DetectionOptions,
    read,
    evidence=evidence,
    of_json=True,
    recognised_by="JSON with boxes, labels and scores",
)
