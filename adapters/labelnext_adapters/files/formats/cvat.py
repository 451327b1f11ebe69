"""CVAT's XML for images."""

from __future__ import annotations

from pathlib import Path

from labelnext.adapter.formats import Format
from labelnext.adapter.options import Options
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.pool.pool import Pool
from labelnext_adapters.files.formats.voc import first_xml


class CvatOptions(Options):
    """Keys of `source` for CVAT's XML."""

    classes: list[str] | None = None
    """Class names; null takes the labels of the file."""


def read(path: Path | str, options: CvatOptions, context: Context) -> Pool:
    """The images, with their shapes as objects, or with the scores of their tags.

    Raises:
        InvalidInput: if it is another kind of XML, or its shapes have no scores.
    """
    from labelnext_adapters.files.content.item_ids import check_no_key
    from labelnext_adapters.files.vision.cvat import read_cvat

    check_no_key(context.key, "the names of the images are the ids")
    return read_cvat(Path(path), options.classes)


def evidence(sample: Sample) -> str | None:
    """Whether the root is annotations, as CVAT writes it."""
    for name, file in first_xml(sample).items():
        text = (file.text or "")[:4000]
        if "<annotations" in text and text.lstrip("\ufeff \r\n\t").startswith("<"):
            return f"the root of {name} is annotations" if name else "its root is annotations"
    return None


FORMAT = Format(
    "cvat",
    "CVAT's XML for images 1.1, a file or a folder, with an attribute score or confidence",
    (),
    CvatOptions,
    read,
    evidence=evidence,
    recognised_by="XML with the root annotations",
)
