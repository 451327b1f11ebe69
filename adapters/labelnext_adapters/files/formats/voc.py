"""Pascal VOC's XML: a file for each image."""

from __future__ import annotations

from pathlib import Path

from labelnext.adapter.formats import Format
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.pool.pool import Pool
from labelnext_adapters.files.vision.options import DetectionOptions


def read(path: Path | str, options: DetectionOptions, context: Context) -> Pool:
    """The images, with their objects.

    Raises:
        InvalidInput: if there are no XML files, or their objects have no scores.
    """
    from labelnext_adapters.files.vision.voc import read_voc

    return read_voc(Path(path), options)


def evidence(sample: Sample) -> str | None:
    """Whether the root is annotation, as in Pascal VOC."""
    file = sample
    if sample.is_folder:
        names = [name for name in sample.names if name.lower().endswith(".xml")]
        if not names:
            return None
        file = Sample(sample.path / names[0])
    text = (file.text or "").lstrip("\ufeff \r\n\t")[:4000]
    if text.startswith("<") and ("<annotation>" in text or "<annotation " in text):
        return (
            "its root is annotation" if file is sample else f"the root of {names[0]} is annotation"
        )
    return None


FORMAT = Format(
    "voc",
    "a folder of Pascal VOC's XML, with <score> or <confidence> in each object",
    (),
    DetectionOptions,
    read,
    evidence=evidence,
    recognised_by="XML with the root annotation",
)
