"""Pascal VOC's XML: a file for each image."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from labelnext.adapter.formats import Format
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.pool.pool import Pool
from labelnext_adapters.files.vision.options import DetectionOptions

_LOOKED_AT = 5  # files of a folder


def read(path: Path | str, options: DetectionOptions, context: Context) -> Pool:
    """The images, with their objects.

    Raises:
        InvalidInput: if there are no XML files, or their objects have no scores.
    """
    from labelnext_adapters.files.content.item_ids import check_no_key
    from labelnext_adapters.files.vision.voc import read_voc

    check_no_key(context.key, "the names of the images are the ids")
    return read_voc(Path(path), options)


def evidence(sample: Sample) -> str | None:
    """Whether the root is annotation, as in Pascal VOC."""
    for name, file in first_xml(sample).items():
        text = (file.text or "").lstrip("\ufeff \r\n\t")[:4000]
        if text.startswith("<") and ("<annotation>" in text or "<annotation " in text):
            return f"the root of {name} is annotation" if name else "its root is annotation"
    return None


def first_xml(sample: Sample) -> dict[str, Sample]:
    """The first XML files of a folder by name, as one may be odd; a file itself under ""."""
    if not sample.is_folder:
        return {"": sample}
    names = (name for name in sample.names if name.lower().endswith(".xml"))
    return {name: Sample(sample.path / name) for name in islice(names, _LOOKED_AT)}


FORMAT = Format(
    "voc",
    "a folder of Pascal VOC's XML, with <score> or <confidence> in each object",
    (),
    DetectionOptions,
    read,
    evidence=evidence,
    recognised_by="XML with the root annotation",
)
