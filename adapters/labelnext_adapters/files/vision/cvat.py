"""CVAT's XML for images, with scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from labelnext.errors import InvalidInput
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.support.folders import files_below
from labelnext_adapters.files.content.content import guarded
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.content.values import number_in
from labelnext_adapters.files.vision.boxes import around, from_corner
from labelnext_adapters.files.vision.detections import SCORES, refuse_labels
from labelnext_adapters.files.vision.findings import Finding, Images, Said
from labelnext_adapters.files.vision.xml_tree import parse_xml

_SHAPES = ("box", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "skeleton")


def read_cvat(path: Path, classes: Sequence[str] | None) -> Pool:
    """The images, with their shapes as objects, or with the scores of their tags.

    Args:
        path: of the file, or of a folder of such files.
        classes: names of the classes; those of the file when None.

    Raises:
        InvalidInput: if it is another kind of XML, its shapes have no scores, or two images share
            a name.
    """
    roots = _roots(path)
    images = _images(roots)
    if not images:
        raise InvalidInput("the file must hold at least one image; it has none.")
    shapes = [shape for image in images for shape in _shapes(image)]
    tags = [tag for image in images for tag in image.iter("tag")]
    n_bare = sum(_score(shape) is None for shape in shapes or tags)
    cure = "give the labels an attribute score or confidence."
    refuse_labels("shapes must have a score", n_bare, len(shapes or tags), cure)
    if classes is None:
        met = {str(shape.get("label")) for shape in shapes or tags}
        told = [_names(root, met) for root in roots.values()]
        classes = told[0] if all(names == told[0] for names in told) else None
    notices = []
    if tags and shapes and any(map(_score, tags)):
        message = "Tags of images aren't used, because there are shapes too."
        notices.append(Notice("tags_ignored", message))
    ids = [_name(image) for image in images]
    said = [_tagged(image) if tags and not shapes else _drawn(image) for image in images]
    read = Images([f"image {name}" for name in ids], ids, said, notices)
    return read.pool(classes, independent=False, what="shape")


def _drawn(image: Element) -> Said:
    """The shapes of an image."""
    size = (number_in(image.get("width")), number_in(image.get("height")))
    found = [_finding(shape) for shape in _shapes(image)]
    return Said(objects=found, size=None if None in size else size)


def _finding(shape: Element) -> Finding | Unusable:
    if shape.tag not in _SHAPES:
        return Unusable(f"its kind must be one of {', '.join(_SHAPES)}; got {shape.tag:.40}")
    if (score := _score(shape)) is None:
        return Unusable("it has no score")
    return Finding(shape.get("label"), score, _box(shape))


def _tagged(image: Element) -> Said | Unusable:
    """The scores of an image's tags."""
    tags = image.findall("tag")
    if any(_score(tag) is None or not tag.get("label") for tag in tags):
        return Unusable("a tag has no label or no score")
    return Said(classes=[Finding(tag.get("label"), _score(tag)) for tag in tags], skipped=not tags)


def _roots(path: Path) -> dict[str, Element]:
    """The root of a file, or those of the files of a folder, by their names.

    Raises:
        InvalidInput: if one is another kind of XML.
    """
    if not path.is_dir():
        return {path.name: _root(path)}
    names = sorted(name for name in files_below(path) if name.lower().endswith(".xml"))
    return {name: guarded(name, "CVAT", partial(_root, path / name)) for name in names}


def _images(roots: Mapping[str, Element]) -> list[Element]:
    files: dict[str, str] = {}
    images = []
    for file, root in roots.items():
        for image in root.findall("image"):
            name = _name(image)
            if name in files:
                raise InvalidInput(
                    f"item ids must be distinct; {name!r:.80} is in {files[name]} and again in "
                    f"{file}.",
                    hint="keep one of them, or rename the images of one job.",
                )
            if name:
                files[name] = file
            images.append(image)
    return images


def _root(path: Path) -> Element:
    root = parse_xml(path)
    if root.tag != "annotations":
        raise InvalidInput(f"the root of CVAT's XML must be annotations; got {root.tag[:60]!r}.")
    if root.find("image") is None and root.find("track") is not None:
        raise InvalidInput(
            "the file must be CVAT's XML for images; it is that for video, with tracks.",
            hint="export the task as 'CVAT for images 1.1'.",
        )
    return root


def _shapes(image: Element) -> list[Element]:
    """What is labelled in an image, also of kinds that are unknown."""
    return [s for s in image if s.tag in _SHAPES or (s.tag != "tag" and s.get("label"))]


def _name(image: Element) -> str:
    return image.get("name") or image.get("id") or ""


def _names(root: Element, met: set[str]) -> list[str] | None:
    """The labels of the task, in its order; None if others were met."""
    meta = root.find("meta")
    declared = [] if meta is None else [label.find("name") for label in meta.iter("label")]
    labels = [(n.text or "").strip() for n in declared if n is not None]
    distinct = list(dict.fromkeys(filter(None, labels)))
    return distinct if distinct and met <= set(distinct) else None


def _score(shape: Element) -> str | None:
    """The score of a shape: an attribute of the label, or of the element."""
    for attribute in shape.iter("attribute"):
        if (attribute.get("name") or "").lower() in SCORES and (attribute.text or "").strip():
            return (attribute.text or "").strip()
    return next((shape.get(name) for name in SCORES if shape.get(name)), None)


def _box(shape: Element) -> Any:
    """The box around a shape in pixels; None if it has none that can be read."""
    try:
        if points := shape.get("points"):
            pairs = [point.split(",") for point in points.split(";")]
            return around((pair[0] for pair in pairs), (pair[-1] for pair in pairs))
        if shape.tag == "box":
            return [shape.get(name) for name in ("xtl", "ytl", "xbr", "ybr")]
        if shape.tag == "mask":
            return from_corner(*_numbers(shape, "left", "top", "width", "height"))
        if shape.tag == "ellipse":
            x, y, rx, ry = _numbers(shape, "cx", "cy", "rx", "ry")
            return [x - rx, y - ry, x + rx, y + ry]
    except ValueError:  # Unusable is one
        pass
    return None


def _numbers(shape: Element, *names: str) -> list[float]:
    return [float(shape.get(name) or "") for name in names]
