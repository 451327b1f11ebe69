"""A COCO results list: detections of images that another file lists."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from labelnext.adapter.formats import Format
from labelnext.adapter.options import Options
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.pool.pool import Pool


class CocoOptions(Options):
    """Keys of `source` for COCO results."""

    images: Path | None = None
    """File that lists the images and categories of a COCO results list; null takes the images of
    the file itself."""
    older: list[Path] = Field(default_factory=list)
    """COCO results lists of older model versions, oldest first; together they form a committee."""


def read(path: Path | str, options: CocoOptions, context: Context) -> Pool:
    """The images, with their detections as objects.

    Raises:
        NotFound: if another file does not exist.
        InvalidInput: if a record lacks a field or names an image or category that is not listed.
    """
    from labelnext_adapters.files.coco.pool import read_coco

    older = [context.path(one) for one in options.older]
    images = None if options.images is None else context.path(options.images)
    return read_coco([*older, Path(path)], images, context.key)


def files(options: CocoOptions, context: Context) -> list[Path]:
    """The list of the images, and the results of older versions."""
    images = [] if options.images is None else [options.images]
    return [context.path(one) for one in (*images, *options.older)]


def names(path: Path, options: CocoOptions, context: Context) -> dict[str, str]:
    """The file names of the images, by the ids that results know them by."""
    from labelnext_adapters.files.coco.pool import file_names

    images = None if options.images is None else context.path(options.images)
    return file_names(path, images, context.key)


def evidence(sample: Sample) -> str | None:
    """Whether the records are detections of COCO, alone or in a data set."""
    for record in sample.records[:1]:
        shapes = {"bbox", "segmentation", "keypoints"} & record.keys()
        scores = [name for name in ("score", "confidence") if name in record]
        if "image_id" in record and scores and shapes:
            return f"its records have image_id, {scores[0]} and {', '.join(sorted(shapes))}"
        if "image_id" in record and isinstance(record.get("segments_info"), list):
            return "its records have image_id and segments_info"
        if isinstance(record.get("annotations"), list) or isinstance(record.get("images"), list):
            parts = {"annotations", "images", "categories"} & record.keys()
            drawn = [one for one in record.get("annotations") or [] if isinstance(one, dict)]
            if len(parts) > 1 or any("image_id" in one for one in drawn[:5]):
                return f"it is an object with {', '.join(sorted(parts))}"
    return None


FORMAT = Format(
    "coco",
    "COCO detections: a results list and the file of its images, or a data set with scores",
    (".json",),
    CocoOptions,
    read,
    files,
    evidence=evidence,
    recognised_by="records with image_id and score",
    needs=("images",),
    names=names,
)
