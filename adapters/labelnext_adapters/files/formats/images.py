"""A folder of images without predictions."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from labelnext.adapter.formats import Format
from labelnext.adapter.options import Options
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.pool.pool import Pool

_MET = 20_000  # files


class ImagesOptions(Options):
    """Keys of `source` for a folder of images."""

    folders_are_labels: bool = False
    """Whether the folders inside a folder of images are classes: an image that was moved into one
    is labelled, and those outside are not."""


def read(path: Path | str, options: ImagesOptions, context: Context) -> Pool:
    """The images, without predictions.

    Raises:
        InvalidInput: if there are none, or two have one name where folders are labels.
    """
    from labelnext_adapters.files.content.item_ids import check_no_key
    from labelnext_adapters.files.vision.image_folder import read_images

    check_no_key(context.key, "the names of the images are the ids")
    return read_images(Path(path), options.folders_are_labels)


def evidence(sample: Sample) -> str | None:
    """Whether a folder holds nothing but images."""
    if not sample.is_folder:
        return None
    from labelnext.support.folders import files_below
    from labelnext_adapters.files.vision.image_folder import only_images

    names = islice(files_below(sample.path), _MET)
    return "it holds nothing but images" if only_images(sample.path, names) else None


def names(path: Path, options: ImagesOptions, context: Context) -> Mapping[str, str]:
    """Where each image lies in the folder, by its id, if that isn't the id."""
    if not options.folders_are_labels:
        return {}
    from labelnext.support.folders import files_below
    from labelnext_adapters.files.image_names import images_among
    from labelnext_adapters.files.vision.image_folder import by_own_name

    return by_own_name(images_among(files_below(path)))


FORMAT = Format(
    "images",
    "a folder of images without predictions, for a probe; folders inside it may be the labels",
    (),
    ImagesOptions,
    read,
    evidence=evidence,
    recognised_by="a folder that holds nothing but images",
    names=names,
)
