"""Pickles of detections: numpy arrays in plain containers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labelnext.adapter.formats import Format
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext.support.started import how
from labelnext_adapters.files.vision.options import DetectionOptions


def read(path: Path | str, options: DetectionOptions, context: Context) -> Pool:
    """The images, with their detections as objects.

    Raises:
        InvalidInput: if the pickle holds more than arrays and plain containers, or no detections.
    """
    from labelnext_adapters.files.vision.arrays import (
        MMDETECTION,
        SUPERVISION,
        TORCHVISION,
        by_class,
        read_arrays,
    )
    from labelnext_adapters.files.vision.documents import expanded
    from labelnext_adapters.files.vision.unpickle import load_pickle

    value: Any = load_pickle(Path(path))
    value = by_class(value)
    for keys in (MMDETECTION, TORCHVISION, SUPERVISION):
        documents = list(expanded(value, keys.are_in))
        if any(keys.are_in(one.value) for one in documents):
            return read_arrays(documents, keys, options, context.key)
    raise InvalidInput(
        "a pickle must hold the detections of each image: bboxes, labels and scores, boxes, labels "
        "and scores, or xyxy and confidence.",
        hint=f"convert it to JSON where it was made; {how('formats')} lists what is read.",
    )


def evidence(sample: Sample) -> str | None:
    """Whether the first bytes are those of a pickle."""
    if sample.start[:1] == b"\x80" and sample.start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "its first bytes are those of a pickle"
    return None


FORMAT = Format(
    "pickle",
    "pickled numpy arrays of MMDetection, torchvision or supervision; nothing in them is run",
    (".pkl", ".pickle", ".pt", ".pth"),
    DetectionOptions,
    read,
    evidence=evidence,
)
