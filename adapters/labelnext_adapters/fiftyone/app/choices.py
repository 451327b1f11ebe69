"""What a dataset allows: its fields of predictions, labels and vectors, and what they can do.

A form asks this at every keystroke, so it looks at the schema, at the first samples, and for
one sample where a field says how sure a model is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from typing import TYPE_CHECKING, Any

from labelnext.acquisition import (
    AUTO,
    acquisition_names,
    auto_acquisition,
    get_acquisition,
)
from labelnext.pool.pool import Pool
from labelnext.selection import INPUTS, get_selection, selection_names
from labelnext.support.started import how_to_install
from labelnext_adapters.fiftyone.database.connection import open_collection, talking
from labelnext_adapters.fiftyone.database.fields import PRELABELS, frames_of, temporary_frames
from labelnext_adapters.fiftyone.database.values import fetch, flat
from labelnext_adapters.fiftyone.read.groups import GROUP_FIELDS
from labelnext_adapters.fiftyone.read.label_types import (
    KINDS,
    LABELS,
    OTHER_VECTORS,
    SEGMENTATION,
    VECTORS,
    certainties,
    class_name,
    holding,
    is_filled,
    kind_of,
)
from labelnext_adapters.fiftyone.read.read import read_pool

if TYPE_CHECKING:
    from labelnext_adapters.fiftyone.options import FiftyOneSource

_LOOKED_AT = 100  # samples
_COLUMNS = {  # of inputs
    "labelled_embeddings": "embeddings",
    "labelled_classes": "labels",
    "objects": "newest_objects",
}
_OF_OBJECT_EMBEDDINGS = ("object_diversity",)  # objects alone are not enough for these
_VIDEOS = 5


@dataclass(frozen=True)
class Choice:
    """One row of a form's list.

    Attributes:
        name: as in the configuration.
        summary: one line on what it means.
        obstacle: why it cannot be chosen, as a sentence; None when it can.
    """

    name: str
    summary: str
    obstacle: str | None = None


def label_fields(collection: Any) -> dict[str, str]:
    """The fields that hold labels which labelnext reads, and their kinds.

    Args:
        collection: a dataset or view.
    """
    kinds = {name: class_name(field) for name, field in _fields(collection).items()}
    return {name: kind for name, kind in kinds.items() if kind in LABELS}


def _fields(collection: Any) -> dict[str, Any]:
    """The fields by name, without pre-labels, which nothing is to be read from."""
    schema = collection.get_field_schema()
    inner = {
        name: field
        for name, field in _inner_fields(schema)
        if class_name(field) in (*LABELS, "Regression", "Heatmap", "Segmentation")
    }
    fields = {**schema, **inner}
    return {name: field for name, field in fields.items() if PRELABELS not in (field.info or {})}


def _inner_fields(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of embedded documents, however deep, by their paths."""
    for name, field in schema.items():
        if type(field).__name__ == "EmbeddedDocumentField" and class_name(field) not in KINDS:
            inner = {f"{name}.{key}": part for key, part in field.get_field_schema().items()}
            yield from inner.items()
            yield from _inner_fields(inner)


def prediction_choices(collection: Any) -> list[Choice]:
    """The fields that can say how sure a model was, labels first, and why one cannot.

    Args:
        collection: a dataset or view.
    """
    labels, others = [], []
    for name, field in _fields(collection).items():
        kind = class_name(field)
        if kind not in (*KINDS, "Segmentation"):
            continue
        with talking():
            values = collection.exists(name).limit(1).values("id")
            sure = kind in (*LABELS, "Regression") and _says_how_sure(collection, name)
        if kind in LABELS and sure:
            labels.append(Choice(name, kind))
        elif kind == "Segmentation" and values:
            others.append(Choice(name, kind, SEGMENTATION))
        elif kind == "Regression" and sure:
            others.append(Choice(name, "a confidence beside a number"))
        elif kind == "Heatmap" and values:
            others.append(Choice(name, kind))
        elif kind == "FloatField" and values and _within_one(collection, name):
            others.append(Choice(name, "a number in [0, 1]"))
    return labels + others


def _within_one(collection: Any, name: str) -> bool:
    """Whether all numbers of a field are in [0, 1]."""
    outside = {"$or": [{name: {"$lt": 0}}, {name: {"$gt": 1}}]}
    with talking():
        return not collection.match(outside).limit(1).values("id")


def _says_how_sure(collection: Any, name: str) -> bool:
    return bool(_sure(collection, name).limit(1).values("id"))


def _sure(collection: Any, name: str) -> Any:
    kind = KINDS[class_name(collection.get_field(name))]
    return holding(collection, chain.from_iterable(certainties(kind, name).values()))


def embedding_choices(collection: Any) -> list[Choice]:
    """The vector fields, and the similarity indexes of whole samples.

    Args:
        collection: a dataset or view.
    """
    schema, dataset = collection.get_field_schema(), collection._root_dataset
    fields = [Choice(n, "a field") for n, f in schema.items() if type(f).__name__ == "VectorField"]
    with talking():
        indexes = [
            Choice(key, "a similarity index")
            for key in dataset.list_brain_runs(type="similarity")
            if not getattr(dataset.get_brain_info(key).config, "patches_field", None)
        ]
    return [*fields, *(index for index in indexes if index.name not in schema)]


def object_vectors(collection: Any, name: str) -> list[str]:
    """The attributes of a field's objects that hold an embedding of each, by the first samples.

    Args:
        collection: a dataset or view.
        name: of the field.
    """
    kind = KINDS[class_name(collection.get_field(name))]
    if not kind.of_objects or kind.has_vectors:
        return []
    path = kind.path(name)
    field = collection.get_field(path)
    stock = getattr(field, "field", field).document_type._fields_ordered
    with talking():
        labels = fetch(collection.exists(name).limit(_LOOKED_AT), [path])[path]
    found = flat(labels) if kind.listed else labels
    held = {key for one in found if one for key, value in one.items() if isinstance(value, bytes)}
    return sorted(held.difference(stock, VECTORS, OTHER_VECTORS))


def has_frames(collection: Any) -> bool:
    """Whether it holds videos with predictions or labels of their frames.

    Args:
        collection: a dataset or view.
    """
    if collection.media_type != "video":
        return False
    return any(class_name(field) in KINDS for field in collection.get_frame_field_schema().values())


@contextmanager
def looked_at(collection: Any, source: FiftyOneSource) -> Iterator[Any]:
    """What a form looks at: the samples, or frames of a few videos, which FiftyOne copies.

    Args:
        collection: a dataset or view.
        source: whether frames are ranked, and which slice.
    """
    if not source.frames or collection._is_frames:
        yield open_collection(collection, None, source.slice, source.frames)
        return
    videos = open_collection(collection, None, source.slice)
    with temporary_frames():
        yield frames_of(videos.select(_telling_videos(videos)))


def _telling_videos(videos: Any) -> list[str]:
    """The first videos, and for each field of frames one where it says how sure a model is."""
    from bson import ObjectId

    with talking():
        ids = videos.values("id")
        wanted = ids[:_VIDEOS]
        here = {"_sample_id": {"$in": [ObjectId(i) for i in ids]}}
        for name, field in videos.get_frame_field_schema().items():
            kind = KINDS.get(class_name(field))
            if kind is None:
                continue
            held = is_filled(chain.from_iterable(certainties(kind, name).values()))
            if kind.name == "Heatmap":
                held = {name: {"$ne": None}}
            first = videos._root_dataset._frame_collection.find_one({**here, **held})
            if first is not None:
                wanted.append(str(first["_sample_id"]))
    return list(dict.fromkeys(wanted))


def preview(collection: Any, source: FiftyOneSource) -> Pool:
    """The first samples that have a prediction, read as a run would read all.

    Where none of these says how sure the model is, the first that do.

    Args:
        collection: a dataset or view.
        source: as in the configuration.

    Raises:
        LabelnextError: as `read_pool` does.
    """
    first = collection
    if source.pred_fields:
        name = source.pred_fields[0]
        first = collection.exists(name)
        kind = kind_of(collection, "pred_field", name)
        with talking():
            if not kind.scalar and not _says_how_sure(first.limit(_LOOKED_AT), name):
                sure = _sure(first, name)
                first = sure if sure.limit(1).values("id") else first
    return read_pool(first.limit(_LOOKED_AT), source, None)


def acquisition_choices(pool: Pool) -> list[Choice]:
    """Every acquisition function, and whether it can score such a pool.

    Args:
        pool: of `preview`.
    """
    suits = auto_acquisition(pool)
    obstacle = None if suits.name else f"{AUTO} finds nothing to score: {suits.why}"
    functions = [get_acquisition(name) for name in acquisition_names()]
    return [
        Choice(AUTO, f"what suits the predictions, here {suits.name} of {suits.of}", obstacle),
        *(Choice(f.name, f.summary, _of_predictions(f.obstacle(pool))) for f in functions),
    ]


def _of_predictions(obstacle: str | None) -> str | None:
    """An obstacle that says which predictions lack something: another field may have it."""
    return obstacle and obstacle.replace("the pool has none", "these predictions have none")


def selection_choices(pool: Pool, *, embedded: bool = False) -> list[Choice]:
    """Every selection method, and whether the pool has what it needs.

    Args:
        pool: of `preview`.
        embedded: whether embeddings are named, even if this pool was read without them.
    """
    choices = []
    for name in selection_names():
        method = get_selection(name)
        needs = {n: _COLUMNS.get(n, n) for n in method.needs if n != "utilities"}
        lacking = [
            (INPUTS[n], column)
            for n, column in needs.items()
            if getattr(pool, column, None) is None and not (embedded and column == "embeddings")
        ]
        obstacle = None
        if lacking:
            what, column = lacking[0]
            where = "the dataset has" if column == "embeddings" else "these predictions have"
            obstacle = f"{name} needs {what}, but {where} none"
        elif name in _OF_OBJECT_EMBEDDINGS and not _embedded(pool):
            obstacle = f"{name} needs an embedding for each object"
        choices.append(Choice(name, method.summary, obstacle))
    return choices


def _embedded(pool: Pool) -> bool:
    """Whether the newest version's objects have embeddings."""
    return pool.newest_objects is not None and pool.newest_objects.embeddings is not None


def group_fields(collection: Any) -> list[str]:
    """The fields whose values can name a group of samples.

    Args:
        collection: a dataset or view.
    """
    schema = collection.get_field_schema()
    return [
        name
        for name, field in schema.items()
        if type(field).__name__ in GROUP_FIELDS and name not in ("id", "filepath")
    ]


def labels_obstacle(
    collection: Any, pred_field: str | None, labels: str | None, *, frames: bool
) -> str | None:
    """Why labels and predictions can't be compared, as a sentence; None if they can.

    Args:
        collection: a dataset or view.
        pred_field: field of the predictions.
        labels: field of the labels.
        frames: whether frames are meant.
    """
    if labels is None or pred_field is None:
        return f"{_COMPARED} where there are labels and predictions of the same kind."
    kinds = [KINDS[class_name(collection.get_field(name))] for name in (pred_field, labels)]
    if kinds[0].scalar or kinds[0].of_objects != kinds[1].of_objects:
        return f"{_COMPARED} if they are of the same kind; those in {labels} are of another."
    if not frames and not collection.exists(labels).limit(1).values("id"):
        elsewhere = collection._root_dataset.exists(labels).limit(1).values("id")
        once = "where samples with a label are chosen" if elsewhere else f"once {labels} holds some"
        return f"{_COMPARED} {once}."
    return None


_COMPARED = "Labels can be reviewed, and predictions measured,"


def review_obstacle() -> str | None:
    """What to install to review labels; None if it is there."""
    if find_spec("cleanlab") is None:
        return f"To review labels: {how_to_install('labelnext[review]')}"
    return None
