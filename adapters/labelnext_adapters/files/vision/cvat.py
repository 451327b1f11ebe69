"""CVAT's XML for images, with scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext.support.folders import files_below
from labelnext_adapters.files.content.content import guarded
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.gather import Gathered
from labelnext_adapters.files.vision.detections import SCORES, Detections, around
from labelnext_adapters.files.vision.xml_tree import parse_xml

_SHAPES = ("box", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "skeleton")
_MOST_LABELS = 0.1


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
    _refuse_labels(shapes or tags)
    if classes is None:
        met = {str(shape.get("label")) for shape in shapes or tags}
        told = [_names(root, met) for root in roots.values()]
        classes = told[0] if all(names == told[0] for names in told) else None
    gathered = Gathered("shape" if shapes else "tag", classes=classes)
    if tags and shapes and any(map(_score, tags)):
        gathered.notice("tags_ignored", "Tags of images aren't used, because there are shapes too.")
    if tags and not shapes:
        return _tagged(gathered, images)
    detections = Detections(gathered, None)
    for image in images:
        name, size = _name(image), (_number(image, "width"), _number(image, "height"))
        shapes_here = _shapes(image)
        if not name or not shapes_here:
            with gathered.record(f"image {name}", name):
                gathered.nothing(gathered.new_item(name))
            continue
        row = gathered.new_item(name)
        for shape in shapes_here:
            with gathered.record(f"{shape.tag} in image {name}", name):
                if shape.tag not in _SHAPES:
                    raise Unusable(f"its kind must be one of {', '.join(_SHAPES)}")
                if _score(shape) is None:
                    raise Unusable("it has no score")
                box = _box(shape)
                known = size if None not in size else None
                detections.add(row, shape.get("label"), _score(shape), box, known)
    return detections.pool()


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


def _tagged(gathered: Gathered, images: Sequence[Element]) -> Pool:
    """Images with the scores of their tags, or one tag each."""
    one_each = all(len(image.findall("tag")) <= 1 for image in images)
    for image in images:
        name = _name(image)
        with gathered.record(f"image {name}", name):
            row = gathered.new_item(name)
            tags = image.findall("tag")
            if any(_score(tag) is None or not tag.get("label") for tag in tags):
                raise Unusable("a tag has no label or no score")
            if one_each and tags:
                gathered.answer(row, tags[0].get("label"), _score(tags[0]))
            elif tags:
                gathered.scores(row, {tag.get("label"): _score(tag) for tag in tags})
    return gathered.pool()


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


def _refuse_labels(shapes: Sequence[Element]) -> None:
    bare = sum(_score(shape) is None for shape in shapes)
    if bare > _MOST_LABELS * len(shapes):
        raise InvalidInput(
            f"shapes must have a score; {bare:,} of {len(shapes):,} have none, so these are "
            "labels, not predictions.",
            hint="give the labels an attribute score or confidence.",
        )


def _number(element: Element, name: str) -> float | None:
    try:
        return float(element.get(name) or "")
    except ValueError:
        return None


def _box(shape: Element) -> Any:
    """The box around a shape in pixels; None if it has none that can be read."""
    try:
        if points := shape.get("points"):
            pairs = [point.split(",") for point in points.split(";")]
            return around((pair[0] for pair in pairs), (pair[-1] for pair in pairs))
        if shape.tag == "box":
            return [shape.get(name) for name in ("xtl", "ytl", "xbr", "ybr")]
        if shape.tag == "mask":
            x, y, width, height = _numbers(shape, "left", "top", "width", "height")
            return [x, y, x + width, y + height]
        if shape.tag == "ellipse":
            x, y, rx, ry = _numbers(shape, "cx", "cy", "rx", "ry")
            return [x - rx, y - ry, x + rx, y + ry]
    except ValueError:  # Unusable is one
        pass
    return None


def _numbers(shape: Element, *names: str) -> list[float]:
    return [float(shape.get(name) or "") for name in names]
