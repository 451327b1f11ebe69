"""Pascal VOC's XML, one file for each image, with scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.content.values import number_in
from labelnext_adapters.files.vision.detections import SCORES, refuse_labels
from labelnext_adapters.files.vision.documents import documents
from labelnext_adapters.files.vision.findings import Finding, Images, Said
from labelnext_adapters.files.vision.options import DetectionOptions
from labelnext_adapters.files.vision.xml_tree import parse_xml

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def read_voc(path: Path, options: DetectionOptions) -> Pool:
    """The images, with their objects.

    An item's id is the file name of its image, or the name of the XML file where one file name
    stands for several images.

    Args:
        path: a folder of XML files, or one.
        options: of the format.

    Raises:
        InvalidInput: if there are no XML files, or their objects have no scores.
    """
    annotations = documents(path, lambda value: True, load=parse_xml, endings=(".xml",))
    roots = [one.value for one in annotations if isinstance(one.value, Element)]
    objects = [o for root in roots for o in root.findall("object")]
    n_bare = sum(_score(element) is None for element in objects)
    cure = f"write {' or '.join(f'<{name}>' for name in SCORES)} into each object."
    refuse_labels("objects must have a score", n_bare, len(objects), cure)
    stated = [_text(one.value, "filename") for one in annotations]
    named = [name for name in stated if name]
    ids, notices = [name or one.name for name, one in zip(stated, annotations, strict=True)], []
    if len({*named}) < len(named):
        message = "Several files name the same image, so the ids are the names of the files."
        ids = [one.name for one in annotations]
        notices.append(Notice("repeated_names", message))
    places, said = [one.place for one in annotations], [_said(one.value) for one in annotations]
    images = Images(places, ids, said, notices)
    return images.pool(options.classes, options.image_size, what="object")


def _said(root: Any) -> Said | Unusable:
    """What is said of an image, or why it can't be used."""
    if isinstance(root, Unusable):
        return root
    objects = root.findall("object")
    if not objects and root.tag != "annotation":
        return Unusable(f"its root must be annotation; got {root.tag[:60]!r}")
    size = [number_in(_text(root, f"size/{side}")) for side in ("width", "height")]
    known = size if all(size) else None  # a side of 0 isn't known
    return Said(objects=[_finding(one) for one in objects], size=known)


def _finding(element: Element) -> Finding | Unusable:
    if (score := _score(element)) is None:
        return Unusable("it has no score")
    box = [_text(element, f"bndbox/{corner}") for corner in _CORNERS]
    return Finding(_text(element, "name"), score, box)


def _text(element: Any, path: str) -> str | None:
    told = element.findtext(path) if isinstance(element, Element) else None
    return (told or "").strip() or None


def _score(element: Element) -> str | None:
    return next((text for name in SCORES if (text := _text(element, name))), None)
