"""YOLO text files, as Ultralytics and others write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from labelnext.adapter.formats import Format
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.pool.pool import Pool
from labelnext_adapters.files.vision.options import YoloOptions

_MET = 20_000  # files
_LOOKED_AT = 20  # text files among them
_LINE = re.compile(r"\d+(\.0+)?(\s+-?[\d.]+(e-?\d+)?){4,}\s*$", re.I)
_CLASSIFIED = re.compile(r"[01]\.\d+\s+\S.*$")


def read(path: Path | str, options: YoloOptions, context: Context) -> Pool:
    """The images, those without a text file as images without objects.

    Raises:
        NotFound: if `data` or `image_folder` does not exist.
        InvalidInput: if there are no text files, or these hold labels without confidence.
    """
    from labelnext_adapters.files.content.item_ids import check_no_key
    from labelnext_adapters.files.vision.yolo import read_yolo

    check_no_key(context.key, "the names of the images are the ids")
    data = None if options.data is None else context.path(options.data)
    images = None if options.image_folder is None else context.path(options.image_folder)
    older = [context.path(one) for one in options.older]
    return read_yolo([*older, Path(path)], options, data, images)


def files(options: YoloOptions, context: Context) -> list[Path]:
    """The data.yaml, where one is named, and the folders of older versions."""
    data = [] if options.data is None else [options.data]
    return [context.path(one) for one in (*data, *options.older)]


def image_folders(path: Path, options: YoloOptions, context: Context) -> list[Path]:
    """Where the images of the text files may lie."""
    from labelnext_adapters.files.vision.yolo_folder import folders_of_images

    return folders_of_images(path, None if options.data is None else context.path(options.data))


def evidence(sample: Sample) -> str | None:
    """Whether a folder's text files hold a class and numbers on each line."""
    if not sample.is_folder:  # named, so that the error can say what to do
        like = sample.suffix == ".txt" and _like_yolo([sample], classified=False)
        return "its lines are a class and numbers" if like else None
    from labelnext.support.folders import files_below
    from labelnext_adapters.files.vision.yolo_folder import text_folders, texts_among

    folder = text_folders(sample.path)[0]
    names = islice(texts_among(islice(files_below(folder), _MET)), _LOOKED_AT)
    if not _like_yolo([Sample(folder / name) for name in names]):
        return None
    where = "it" if folder == sample.path else folder.relative_to(sample.path).as_posix()
    return f"{where} holds text files with a class and numbers on each line"


def _like_yolo(texts: Sequence[Sample], *, classified: bool = True) -> bool:
    """Whether most of the first lines are a class and numbers, or a probability and a class."""
    from labelnext_adapters.files.vision.box_lines import places_in
    from labelnext_adapters.files.vision.yolo_lines import spaced

    lines = [line for text in texts for line in text.lines[:5]]
    if places_in(lines):
        return False  # of VOC, with corners in pixels
    like = [
        line
        for line in lines
        if _LINE.match(spaced(line).strip()) or (classified and _CLASSIFIED.match(line.strip()))
    ]
    return len(like) > 0.5 * len(lines)


FORMAT = Format(
    "yolo",
    "a folder of YOLO text files with confidence: boxes, oriented boxes, segments, poses, classes",
    (),
    YoloOptions,
    read,
    files,
    evidence=evidence,
    recognised_by="a folder of .txt files of a class and numbers, as in runs/detect/predict",
    image_folders=image_folders,
)
