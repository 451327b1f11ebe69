"""What a field holds of the samples of a batch, as marks that people can correct elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from labelnext.adapter.batch import WHOLE, Attribute, Kind, Mark
from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext.support.words import counted
from labelnext_adapters.fiftyone.database.connection import field_of, talking
from labelnext_adapters.fiftyone.database.fields import MARKER
from labelnext_adapters.fiftyone.database.marks import (
    marks_of_mask,
    mask_of_label,
    read_marks,
    targets_of,
)
from labelnext_adapters.fiftyone.read.fetched import fetched_fields
from labelnext_adapters.fiftyone.read.label_types import KINDS, class_name, kind_of
from labelnext_adapters.fiftyone.read.own_runs import run_config, run_names

_KINDS: dict[str, Kind] = {
    "Classification": "items",
    "Classifications": "classes",
    "Regression": "number",
    "Detections": "box",
    "Detection": "box",
    "Polylines": "polygon",
    "Polyline": "polygon",
    "Keypoints": "keypoint",
    "Keypoint": "keypoint",
}
_VALUES = ("StringField", "BooleanField", "IntField", "FloatField")
_MOST_CHOICES = 50  # different texts of an attribute; of more, people write one
_Marks = list[tuple[Mark, ...] | None]


@dataclass
class Pictures:
    """The images of a batch.

    Attributes:
        ids: of the samples.
        paths: of their files.
        sizes: width and height in pixels, where known; filled where masks need them.
    """

    ids: Sequence[str]
    paths: Sequence[str]
    sizes: list[tuple[int, int] | None]

    def size(self, at: int) -> tuple[int, int]:
        """Width and height of an image.

        Raises:
            InvalidInput: if it can't be opened.
        """
        from PIL import Image

        known = self.sizes[at]
        if known is None:
            try:
                with Image.open(self.paths[at]) as image:
                    known = self.sizes[at] = image.size
            except OSError as error:
                raise InvalidInput(
                    f"an image with masks must have its size; {self.paths[at]} can't be opened.",
                    hint="dataset.compute_metadata() stores it.",
                ) from error
        return known


@dataclass(frozen=True)
class Held:
    """What a field holds.

    Attributes:
        kind: what people label.
        inner: path of the labels; None without a field.
        marks: the labels of each sample of the batch; None for a sample without.
        notices: what of them isn't sent.
        targets: of a segmentation, the classes by their pixels.
    """

    kind: Kind
    inner: str | None
    marks: _Marks
    notices: tuple[Notice, ...] = ()
    targets: dict[int, str] | None = None


def read_held(
    ranked: Any, option: str, field: str, pictures: Pictures, attributes: Sequence[str]
) -> Held:
    """What a field holds of the samples of a batch.

    Args:
        ranked: the samples, as a view.
        option: that names the field.
        field: its name.
        pictures: their images.
        attributes: of objects.

    Raises:
        NotFound: if there is no such field.
        InvalidInput: if it can't be sent.
    """
    dataset = ranked._root_dataset
    if "." in field:
        raise InvalidInput(f"{option} must be of samples' own fields to be sent; got {field!r}.")
    name = class_name(field_of(dataset, option, field))
    if name == "Segmentation":
        targets = targets_of(dataset, field)
        with talking():
            found = by_sample(ranked, field)
        held = [found.get(i) for i in pictures.ids]
        sized = [None if s is None else pictures.size(at) for at, s in enumerate(held)]
        rows = zip(held, sized, strict=True)
        marks: _Marks = [None if z is None else marks_of_mask(s, targets, z) for s, z in rows]
        return Held("mask", field, marks, targets=targets)
    if name not in _KINDS:
        raise InvalidInput(
            f"{option} must be of {', '.join(_KINDS)} or Segmentation to be sent; {field} is of "
            f"{name}.",
        )
    inner, kind = kind_of(dataset, option, field).path(field), _KINDS[name]
    with talking():
        read = read_marks(ranked, inner, kind, attributes=attributes)
    marks = [read.get(i) for i in pictures.ids]
    if kind == "box":
        drawn, notices = _with_masks(ranked, inner, marks, pictures)
        return Held("box" if drawn is None else "mask", inner, drawn or marks, notices)
    notices = _open_lines(ranked, inner) if name.startswith("Polyline") else ()
    return Held(kind, inner, marks, notices)


def by_sample(samples: Any, path: str) -> dict[str, Any]:
    """What each sample has at a path, by its id: another process may change the samples."""
    return dict(zip(*samples.values(["id", path]), strict=True))


def sendable(dataset: Any, run: str) -> tuple[list[str], list[str]]:
    """The further fields that a batch can be sent with, and the declared attributes of its objects.

    Args:
        dataset: a FiftyOne dataset.
        run: name of the run.
    """
    pred = run_config(dataset, run).pred_field
    preds = pred if isinstance(pred, list) else [pred]
    ours = {*fetched_fields(dataset), *preds}
    schema = dataset.get_field_schema()
    named = {
        n: class_name(f)
        for n, f in schema.items()
        if n not in ours and MARKER not in (f.info or {})
    }
    fields = [n for n, name in named.items() if name in _KINDS or name == "Segmentation"]
    field = schema.get(preds[0])
    if field is None or _KINDS.get(class_name(field)) in (None, *WHOLE):
        return fields, []
    held = dataset.get_field(KINDS[class_name(field)].path(preds[0]))
    held = getattr(held, "field", held)
    stock = {*held.document_type._fields_ordered, *run_names(dataset)}
    known = held.get_field_schema().items()
    return fields, [n for n, f in known if n not in stock and class_name(f) in _VALUES]


def attribute_of(dataset: Any, name: str, held: Sequence[Held]) -> Attribute:
    """How people are asked for an attribute of objects: by the values that it has.

    Args:
        dataset: a FiftyOne dataset.
        name: of the attribute.
        held: what the fields hold that people label.

    Raises:
        InvalidInput: if no object has it, or its values can't be shown.
    """
    inners = [each.inner for each in held if each.kind not in WHOLE and each.targets is None]
    if not inners:
        raise InvalidInput(
            f"send.attributes must be left out where people label whole images; got {name!r}."
        )
    with talking():
        found = [value for inner in inners for value in dataset.distinct(f"{inner}.{name}")]
    values = [value for value in found if value is not None]
    types = {type(value) for value in values}
    if types == {bool}:
        return Attribute(name, "flag")
    if types and types <= {int, float}:
        return Attribute(name, "number")
    if types == {str}:
        choices = tuple(sorted({*values}))
        many = len(choices) > _MOST_CHOICES
        return Attribute(name, "text") if many else Attribute(name, "choice", choices)
    kinds = listed(sorted(kind.__name__ for kind in types))
    raise InvalidInput(
        f"send.attributes must be attributes of objects with texts, numbers or truth values; "
        f"{name} holds {kinds if types else 'nothing'}."
    )


def _with_masks(
    ranked: Any, inner: str, marks: _Marks, pictures: Pictures
) -> tuple[_Marks | None, tuple[Notice, ...]]:
    """The labels with masks instead of boxes; None unless each of them has one."""
    held = [{f"{inner}.mask": {"$type": "binData"}}, {f"{inner}.mask_path": {"$type": "string"}}]
    with talking():
        n = int(ranked.match({"$or": held}).count())
        labels = by_sample(ranked, inner) if n else {}
    if not n:
        return None, ()
    found = [
        each if isinstance(each, list) else [each] if each else []
        for each in map(labels.get, pictures.ids)
    ]
    drawn = [{d.id: d for d in each if d.label and d.has_mask} for each in found]
    rows = [*zip(marks, drawn, strict=True)]
    if any(mark.mark_id not in masks for of_item, masks in rows for mark in of_item or ()):
        said = f"{counted(n, 'sample')} {'has' if n == 1 else 'have'} masks, but not each object "
        said += "has one; only boxes are sent."
        return None, (Notice("no_masks", said),)
    sizes = [pictures.size(at) for at in range(len(rows))]
    made = [
        of_item
        and tuple(
            replace(m, box=None, mask=mask_of_label(masks[str(m.mark_id)], size)) for m in of_item
        )
        for (of_item, masks), size in zip(rows, sizes, strict=True)
    ]
    return made, ()


def _open_lines(ranked: Any, inner: str) -> tuple[Notice, ...]:
    """What is said of lines that aren't closed: Label Studio's polygons are."""
    with talking():
        n = int(ranked.match({inner: {"$elemMatch": {"closed": False, "filled": False}}}).count())
    said = f"{counted(n, 'sample')} {'has' if n == 1 else 'have'} open lines, which are sent as "
    return (Notice("open_lines", f"{said}polygons and come back closed."),) if n else ()
