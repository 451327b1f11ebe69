"""The batch of a run with what the model says of it, for people who label elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labelnext.acquisition import Unit
from labelnext.adapter.batch import Batch, Item, Mark, Origin
from labelnext.errors import InvalidInput
from labelnext.pool.objects import Notice
from labelnext.support.words import counted
from labelnext_adapters.fiftyone.database.connection import talking
from labelnext_adapters.fiftyone.database.values import fetch
from labelnext_adapters.fiftyone.read.label_types import kind_of
from labelnext_adapters.fiftyone.read.own_runs import run_config

_UNITS: dict[str, Unit] = {"Classification": "items", "Detections": "objects"}
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
    kind = kind_of(dataset, "pred_field", pred).name if pred else "Classification"
    if kind not in _UNITS:
        raise InvalidInput(
            f"pred_field must be of {' or '.join(_UNITS)} to be sent; {pred} is of {kind}.",
            hint="dataset.annotate sends other shapes.",
        )
    in_batch = {f"{run}.rank": {"$gte": 1, "$lte": config.n_batch}}
    ranked = collection.match(in_batch).sort_by(f"{run}.rank")
    paths = ["id", "filepath", "metadata.width", "metadata.height"]
    paths = [path for path in paths if dataset.get_field(path) is not None]
    inner = f"{pred}.detections" if kind == "Detections" else pred
    parts = ("label", "confidence", "bounding_box")[: 3 if kind == "Detections" else 2]
    with talking():
        columns = fetch(ranked, [*paths, *(f"{inner}.{part}" for part in parts if pred)])
    n = len(columns["id"])
    said = [columns[f"{inner}.{part}"] if pred else [None] * n for part in parts]
    made = _boxes if kind == "Detections" else _label
    marks = [made(*row) for row in zip(*said, strict=True)]
    sizes = [columns.get(f"metadata.{side}", [None] * n) for side in ("width", "height")]
    rows = zip(columns["id"], columns["filepath"], marks, *sizes, strict=True)
    items = [Item(i, path, m, (w, h) if w and h else None) for i, path, m, w, h in rows]
    return Batch(
        origin=origin_of(dataset),
        run=run,
        unit=_UNITS[kind],
        classes=_classes(dataset, pred, inner, getattr(config, "gt_field", None)),
        model_version=pred or run,
        items=tuple(items),
        notices=_without_masks(ranked, f"{pred}.detections") if kind == "Detections" else (),
    )


def _without_masks(ranked: Any, inner: str) -> tuple[Notice, ...]:
    """What is said of masks, which stay behind."""
    held = [{f"{inner}.mask": {"$type": "binData"}}, {f"{inner}.mask_path": {"$type": "string"}}]
    with talking():
        n = int(ranked.match({"$or": held}).count())
    said = f"{counted(n, 'sample')} {'has' if n == 1 else 'have'} masks; only boxes are sent."
    return (Notice("no_masks", said),) if n else ()


def _pred_field(config: Any) -> str | None:
    """Of a committee the first: people see one prediction."""
    field = config.pred_field
    first = field[0] if isinstance(field, (list, tuple)) else field
    return None if first is None else str(first)


def _label(label: str | None, confidence: float | None) -> tuple[Mark, ...] | None:
    return None if label is None else (Mark(label, None, confidence),)


def _boxes(
    labels: Sequence[str | None] | None,
    confidences: Sequence[float | None] | None,
    boxes: Sequence[Sequence[float] | None] | None,
) -> tuple[Mark, ...] | None:
    if labels is None or confidences is None or boxes is None:
        return None
    rows = zip(labels, confidences, boxes, strict=True)
    return tuple(
        Mark(label, (x, y, x + w, y + h), confidence)
        for label, confidence, (x, y, w, h) in ((n, c, b) for n, c, b in rows if n and b)
    )


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
