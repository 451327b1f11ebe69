"""Pascal VOC's XML, one file for each image, with scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.gather import Gathered
from labelnext_adapters.files.vision.detections import SCORES, Detections
from labelnext_adapters.files.vision.documents import Document, documents
from labelnext_adapters.files.vision.options import DetectionOptions
from labelnext_adapters.files.vision.xml_tree import parse_xml

_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_MOST_LABELS = 0.1


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
    _refuse_labels(objects)
    gathered = Gathered("object", classes=options.classes)
    stated = [_text(root, "filename") for root in roots]
    distinct = len({name for name in stated if name}) == sum(map(bool, stated))
    if not distinct:
        message = "Several files name the same image, so the ids are the names of the files."
        gathered.notice("repeated_names", message)
    detections = Detections(gathered, options.image_size)
    for one in annotations:
        _add(detections, one, by_name=distinct)
    return detections.pool()


def _add(detections: Detections, one: Document, *, by_name: bool) -> None:
    """The objects of an image."""
    gathered, root = detections.found, one.value
    stated = _text(root, "filename") if isinstance(root, Element) and by_name else None
    name = stated or one.name
    objects = root.findall("object") if isinstance(root, Element) else []
    if not objects:
        with gathered.record(one.place, name):
            row = gathered.item(name)
            if isinstance(root, Unusable):
                raise root
            if root.tag != "annotation":
                raise Unusable(f"its root must be annotation; got {root.tag[:60]!r}")
            gathered.nothing(row)
        return
    row = gathered.item(name)
    size = (_whole(root, "size/width"), _whole(root, "size/height"))
    for number, element in enumerate(objects, 1):
        with gathered.record(f"{one.place}, object {number}", name):
            score = _score(element)
            if score is None:
                raise Unusable("it has no score")
            box = [_text(element, f"bndbox/{corner}") for corner in _CORNERS]
            known = size if None not in size else None
            detections.add(row, _text(element, "name"), score, box, known)


def _text(element: Element, path: str) -> str | None:
    return (element.findtext(path) or "").strip() or None


def _whole(element: Element, path: str) -> Any:
    """A side of the image in pixels; None if it isn't known, as 0 says."""
    try:
        return float(_text(element, path) or "") or None
    except ValueError:
        return None


def _score(element: Element) -> str | None:
    return next((text for name in SCORES if (text := _text(element, name))), None)


def _refuse_labels(objects: list[Element]) -> None:
    bare = sum(_score(element) is None for element in objects)
    if bare > _MOST_LABELS * len(objects):
        raise InvalidInput(
            f"objects must have a score; {bare:,} of {len(objects):,} have none, so these are "
            "labels, not predictions.",
            hint=f"write {' or '.join(f'<{name}>' for name in SCORES)} into each object.",
        )
