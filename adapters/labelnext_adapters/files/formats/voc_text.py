"""Text files of detections with corners: VOC's comp4, DOTA's Task1, KITTI, MOT, one an image."""

from __future__ import annotations

from pathlib import Path

from labelnext.adapter.formats import Format
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.pool.pool import Pool
from labelnext_adapters.files.vision.options import DetectionOptions

_LOOKED_AT = 20  # text files


def read(path: Path | str, options: DetectionOptions, context: Context) -> Pool:
    """The images, with their detections.

    Raises:
        InvalidInput: if it can't be told what a line holds.
    """
    from labelnext_adapters.files.content.item_ids import check_no_key
    from labelnext_adapters.files.vision.box_lines import read_box_lines

    check_no_key(context.key, "the names of the images are the ids")
    return read_box_lines(Path(path), options)


def evidence(sample: Sample) -> str | None:
    """Whether the lines of text files are a word, a confidence and corners in pixels."""
    texts = [sample] if sample.suffix == ".txt" else []
    if sample.is_folder:
        names = [name for name in sample.names if name.endswith(".txt")]
        texts = [Sample(sample.path / name) for name in names[:_LOOKED_AT]]
    lines = [line for text in texts for line in text.lines]
    if not lines:
        return None
    from labelnext_adapters.files.vision.box_lines import are_meant, places_in

    places = places_in(lines)
    if not places and not are_meant(lines):
        return None
    if any(place.kind is None for place in places):
        return "its lines are a frame, a track, a box and a confidence, as of MOT"
    return "its lines are a class or an image, a confidence and a box"


FORMAT = Format(
    "voc-text",
    "text lines of a class or an image, a confidence and a box: comp4, DOTA, KITTI, MOT, VisDrone",
    (),
    DetectionOptions,
    read,
    evidence=evidence,
    recognised_by="text lines of a word, a confidence and a box",
)
