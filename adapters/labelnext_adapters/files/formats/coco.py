"""A COCO results list: detections of images that another file lists."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from labelnext.adapter.formats import Format
from labelnext.adapter.options import Options
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.errors import ConfigError
from labelnext.pool.pool import Pool


class CocoOptions(Options):
    """Keys of `source` for COCO results."""

    images: Path | None = Field(None, validate_default=True)
    """File that lists the images and categories of a COCO results list."""
    older: list[Path] = Field(default_factory=list)
    """COCO results lists of older model versions, oldest first; together they form a committee."""

    @field_validator("images")
    @classmethod
    def _given(cls, images: Path | None) -> Path | None:
        if images is None:
            raise ConfigError(
                "images must be the file that lists the images and categories of a COCO results "
                "list; got None.",
                hint="set source.images.",
            )
        return images


def read(path: Path | str, options: CocoOptions, context: Context) -> Pool:
    """The images, with their detections as objects.

    Raises:
        NotFound: if another file does not exist.
        InvalidInput: if a record lacks a field or names an image or category that is not listed.
    """
    from labelnext_adapters.files.coco import read_coco

    images, *older = files(options, context)
    return read_coco([*older, Path(path)], images, context.key)


def files(options: CocoOptions, context: Context) -> list[Path]:
    """The list of the images, and the results of older versions."""
    images = [] if options.images is None else [options.images]
    return [context.path(one) for one in (*images, *options.older)]


def evidence(sample: Sample) -> str | None:
    """Whether the records are detections of COCO."""
    for record in sample.records[:1]:
        shapes = {"bbox", "segmentation", "keypoints"} & record.keys()
        if {"image_id", "score"} <= record.keys() and shapes:
            return f"its records have image_id, score and {', '.join(sorted(shapes))}"
    return None


FORMAT = Format(
    "coco",
    "a COCO results list: the detections of the images that `images` lists",
    (),
    CocoOptions,
    read,
    files,
    evidence=evidence,
    recognised_by="records with image_id and score",
    needs=("images",),
)
