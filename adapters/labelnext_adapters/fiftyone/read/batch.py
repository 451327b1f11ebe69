"""The batch of a run with what the model says of it, for people who label elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labelnext.adapter.batch import Batch, Further, Item, Origin, shape_of, unit_of
from labelnext.errors import InvalidInput, NotFound
from labelnext_adapters.fiftyone.database.connection import talking
from labelnext_adapters.fiftyone.database.values import fetch
from labelnext_adapters.fiftyone.read.held import Held, Pictures, attribute_of, read_held
from labelnext_adapters.fiftyone.read.own_runs import run_config

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


def read_batch(
    collection: Any, run: str, fields: Sequence[str] = (), attributes: Sequence[str] = ()
) -> Batch:
    """The batch of a run, in the order of its ranks.

    Args:
        collection: a dataset, or a view: then only the samples of the batch that are in it.
        run: name of the run.
        fields: further fields that people label.
        attributes: of objects, which people correct.

    Raises:
        NotFound: if labelnext has no run of that name there, or a field is gone.
        InvalidInput: if the samples are no images, or what they hold cannot be sent.
    """
    dataset = collection._root_dataset
    config = run_config(dataset, run)
    _check_sendable(dataset, run)
    pred = _pred_field(config)
    in_batch = {f"{run}.rank": {"$gte": 1, "$lte": config.n_batch}}
    ranked = collection.match(in_batch).sort_by(f"{run}.rank")
    paths = ["id", "filepath", "metadata.width", "metadata.height"]
    paths = [path for path in paths if dataset.get_field(path) is not None]
    with talking():
        columns = fetch(ranked, paths)
    n = len(columns["id"])
    ranked = collection.select(columns["id"])  # whatever another process ranks meanwhile
    sides = [columns.get(f"metadata.{side}", [None] * n) for side in ("width", "height")]
    sizes = [(w, h) if w and h else None for w, h in zip(*sides, strict=True)]
    pictures = Pictures(columns["id"], columns["filepath"], sizes)
    if pred is None:
        held = Held("items", None, [None] * n)
    else:
        held = read_held(ranked, "pred_field", pred, pictures, attributes)
    if pred in fields:
        raise InvalidInput(f"send.fields must be other fields than pred_field; got {pred!r}.")
    further = {f: read_held(ranked, "send.fields", f, pictures, attributes) for f in fields}
    rows = zip(columns["id"], columns["filepath"], held.marks, pictures.sizes, strict=True)
    gt = getattr(config, "gt_field", None)
    return Batch(
        origin=origin_of(dataset),
        run=run,
        unit=unit_of(held.kind),
        classes=_classes(dataset, (pred, gt), held),
        model_version=pred or run,
        items=tuple(Item(*row) for row in rows),
        notices=tuple(n for each in (held, *further.values()) for n in each.notices),
        shape=shape_of(held.kind),
        further=tuple(
            Further(name, each.kind, _classes(dataset, (name,), each), tuple(each.marks))
            for name, each in further.items()
        ),
        attributes=tuple(
            attribute_of(dataset, name, [held, *further.values()]) for name in attributes
        ),
    )


def _check_sendable(dataset: Any, run: str) -> None:
    """Raise unless samples are images, and the ranking is still there."""
    if dataset.media_type not in (None, "image"):
        raise InvalidInput(
            f"a batch must be of images to be sent; {dataset.name} holds "
            f"{_MEDIA.get(dataset.media_type, dataset.media_type)}.",
            hint=_HINTS.get(dataset.media_type),
        )
    if dataset.get_field(run) is None:
        raise NotFound(
            f"field {run} of {dataset.name} must hold the ranking; somebody has deleted or renamed "
            "it.",
            hint="rank again.",
        )


def _pred_field(config: Any) -> str | None:
    """Of a committee the first: people see one prediction."""
    field = config.pred_field
    first = field[0] if isinstance(field, (list, tuple)) else field
    return None if first is None else str(first)


def _classes(dataset: Any, fields: Sequence[str | None], held: Held) -> tuple[str, ...]:
    """What people can choose: the declared classes, else those that the field holds."""
    if held.targets is not None or held.kind == "number":
        return tuple((held.targets or {}).values())
    for field in fields:
        if field and dataset.classes.get(field):
            return tuple(dataset.classes[field])
    # The dataset's own classes are those of what is ranked.
    if dataset.default_classes and len(fields) > 1:
        return tuple(dataset.default_classes)
    if held.inner is None:
        return ()
    with talking():
        found = {str(label) for label in dataset.distinct(f"{held.inner}.label")}
    if len(fields) == 1 and found <= {*dataset.default_classes}:
        return tuple(dataset.default_classes)
    return tuple(sorted(found))
