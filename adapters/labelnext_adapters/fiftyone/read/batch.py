"""The batch of a run with what the model says of it, for people who label elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from labelnext.adapter.batch import Batch, Item, Kind, Origin
from labelnext.errors import InvalidInput
from labelnext.pool.objects import Notice
from labelnext.support.words import counted
from labelnext_adapters.fiftyone.database.connection import talking
from labelnext_adapters.fiftyone.database.marks import mask_of_label, read_marks
from labelnext_adapters.fiftyone.database.values import fetch
from labelnext_adapters.fiftyone.read.label_types import kind_of
from labelnext_adapters.fiftyone.read.own_runs import run_config

_KINDS: dict[str, Kind] = {
    "Classification": "items",
    "Detections": "box",
    "Detection": "box",
    "Polylines": "polygon",
    "Polyline": "polygon",
    "Keypoints": "keypoint",
    "Keypoint": "keypoint",
}
_MEDIA = {"group": "groups", "video": "videos", "3d": "scenes", "point-cloud": "point clouds"}
_HINTS = {
    "group": "select_group_slices(name).clone() makes a dataset of one slice.",
    "video": "to_frames(sample_frames=True).clone() makes a dataset of their frames.",
}


def origin_of(dataset: Any) -> Origin:
    """The dataset as the place where items come from.

    Args:
        dataset: a FiftyOne dataset.
    """
    return Origin("fiftyone", dataset.name, str(dataset._doc.id))


def read_batch(collection: Any, run: str) -> Batch:
    """The batch of a run, in the order of its ranks.

    Args:
        collection: a dataset, or a view: then only the samples of the batch that are in it.
        run: name of the run.

    Raises:
        NotFound: if labelnext has no run of that name there.
        InvalidInput: if the samples are no images, or their predictions cannot be sent.
    """
    dataset = collection._root_dataset
    config = run_config(dataset, run)
    if dataset.media_type not in (None, "image"):
        raise InvalidInput(
            f"a batch must be of images to be sent; {dataset.name} holds "
            f"{_MEDIA.get(dataset.media_type, dataset.media_type)}.",
            hint=_HINTS.get(dataset.media_type),
        )
    pred = _pred_field(config)
    held = kind_of(dataset, "pred_field", pred) if pred else None
    name = "Classification" if held is None else held.name
    if name not in _KINDS:
        raise InvalidInput(
            f"pred_field must be of {', '.join(_KINDS)} to be sent; {pred} is of {name}.",
        )
    in_batch = {f"{run}.rank": {"$gte": 1, "$lte": config.n_batch}}
    ranked = collection.match(in_batch).sort_by(f"{run}.rank")
    paths = ["id", "filepath", "metadata.width", "metadata.height"]
    paths = [path for path in paths if dataset.get_field(path) is not None]
    inner = held.path(str(pred)) if held is not None else None
    kind = _KINDS[name]
    with talking():
        columns = fetch(ranked, paths)
        n = len(columns["id"])
        marks = list(read_marks(ranked, inner, kind)) if inner else [None] * n
    sizes = [columns.get(f"metadata.{side}", [None] * n) for side in ("width", "height")]
    rows = zip(columns["id"], columns["filepath"], marks, *sizes, strict=True)
    items = [Item(i, path, m, (w, h) if w and h else None) for i, path, m, w, h in rows]
    notices: tuple[Notice, ...] = ()
    if kind == "box" and inner:
        kind, items, notices = _with_masks(ranked, inner, items)
    elif name.startswith("Polyline") and inner:
        notices = _open_lines(ranked, inner)
    return Batch(
        origin=origin_of(dataset),
        run=run,
        unit="items" if kind == "items" else "objects",
        classes=_classes(dataset, pred, inner, getattr(config, "gt_field", None)),
        model_version=pred or run,
        items=tuple(items),
        notices=notices,
        shape="box" if kind == "items" else kind,
    )


def _with_masks(
    ranked: Any, inner: str, items: list[Item]
) -> tuple[Kind, list[Item], tuple[Notice, ...]]:
    """The items with masks instead of boxes, if each of their objects has one."""
    held = [{f"{inner}.mask": {"$type": "binData"}}, {f"{inner}.mask_path": {"$type": "string"}}]
    with talking():
        n = int(ranked.match({"$or": held}).count())
        labels = ranked.values(inner) if n else []
    found = [each if isinstance(each, list) else [each] if each else [] for each in labels]
    drawn = [{d.id: d for d in each if d.label and d.has_mask} for each in found]
    if not n or any(
        mark.mark_id not in masks
        for item, masks in zip(items, drawn, strict=True)
        for mark in item.marks or ()
    ):
        said = f"{counted(n, 'sample')} {'has' if n == 1 else 'have'} masks, but not each object "
        said += "has one; only boxes are sent."
        return "box", items, (Notice("no_masks", said),) if n else ()
    made = []
    for item, masks in zip(items, drawn, strict=True):
        size = item.size or _size_of(str(item.media))
        marks = item.marks and tuple(
            replace(m, box=None, mask=mask_of_label(masks[str(m.mark_id)], size))
            for m in item.marks
        )
        made.append(replace(item, size=size, marks=marks))
    return "mask", made, ()


def _size_of(path: str) -> tuple[int, int]:
    """Width and height of an image.

    Raises:
        InvalidInput: if it can't be opened.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.size
    except OSError as error:
        raise InvalidInput(
            f"an image with masks must have its size; {path} can't be opened.",
            hint="dataset.compute_metadata() stores it.",
        ) from error


def _open_lines(ranked: Any, inner: str) -> tuple[Notice, ...]:
    """What is said of lines that aren't closed: Label Studio's polygons are."""
    with talking():
        n = int(ranked.match({inner: {"$elemMatch": {"closed": False, "filled": False}}}).count())
    said = f"{counted(n, 'sample')} {'has' if n == 1 else 'have'} open lines, which are sent as "
    return (Notice("open_lines", f"{said}polygons and come back closed."),) if n else ()


def _pred_field(config: Any) -> str | None:
    """Of a committee the first: people see one prediction."""
    field = config.pred_field
    first = field[0] if isinstance(field, (list, tuple)) else field
    return None if first is None else str(first)


def _classes(dataset: Any, pred: str | None, inner: str | None, gt: str | None) -> tuple[str, ...]:
    """What people can choose: the declared classes, else those that are predicted."""
    for field in (pred, gt):
        if field and dataset.classes.get(field):
            return tuple(dataset.classes[field])
    if dataset.default_classes:
        return tuple(dataset.default_classes)
    if not pred:
        return ()
    with talking():
        return tuple(sorted(str(label) for label in dataset.distinct(f"{inner}.label")))
