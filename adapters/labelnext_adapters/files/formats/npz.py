"""NPZ: NumPy arrays under the names of Pool's columns."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from labelnext.adapter.formats import Format
from labelnext.adapter.options import Options
from labelnext.adapter.protocol import Context
from labelnext.errors import InvalidInput, unknown
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool

_ARRAYS = {
    "item_ids": "item_id",
    "probabilities": "probabilities",
    "embeddings": "embedding",
    "labels": "label",
    "votes": "votes",
    "labelled": "labelled",
    "groups": "group",
    "costs": "cost",
    "missing": "missing",
    "classes": "classes",
}
_OBJECTS = {
    "class_ids": "class_ids",
    "boxes": "boxes",
    "probabilities": "object_probabilities",
    "embeddings": "object_embeddings",
}
_NAMES = (*_ARRAYS.values(), *_OBJECTS.values())


def _known(name: str) -> str:
    if name not in _NAMES:
        raise unknown("columns", name, _NAMES)
    return name


class NpzOptions(Options):
    """Keys of `source` for NPZ files."""

    columns: dict[Annotated[str, AfterValidator(_known)], str] = Field(default_factory=dict)
    """Our names (item_id, probabilities, embedding, label, votes, labelled, group, cost, missing,
    classes, class_ids, boxes, object_probabilities, object_embeddings) mapped to array names."""
    classes: list[str] | None = None
    """Class names, in the order of the probabilities."""
    multilabel: bool = False
    """Classes are independent: an item's probabilities needn't sum to 1."""


def read(path: Path | str, options: NpzOptions, context: Context) -> Pool:
    """The items of a file; of objects offsets, confidences and the rest; else one confidence each.

    Raises:
        InvalidInput: if there is no array with the ids.
        ValueError: if the file is broken.
    """
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # zipfile.BadZipFile, zlib.error, EOFError, ValueError, …
        raise ValueError(str(error)) from error

    def array(name: str, ours: str) -> Any:
        return arrays.get(options.columns.get(ours, name))

    columns = {name: array(name, ours) for name, ours in _ARRAYS.items()}
    if columns["item_ids"] is None:
        raise InvalidInput(f"the file must contain an array item_ids; got {sorted(arrays)}.")
    if options.classes is not None:
        columns["classes"] = options.classes
    objects = None
    if "offsets" in arrays and "confidences" in arrays:
        parts = {name: array(ours, ours) for name, ours in _OBJECTS.items()}
        objects = Objects(arrays["offsets"], arrays["confidences"], **parts)
    elif "confidences" in arrays and columns["probabilities"] is None:
        objects = _answers(arrays["confidences"], array("class_ids", "class_ids"))
    return Pool(objects=objects, multilabel=options.multilabel, **columns)


def _answers(confidences: NDArray[np.floating], class_ids: NDArray[np.integer] | None) -> Objects:
    """One confidence per item, NaN where nothing was predicted."""
    there = ~np.isnan(confidences)
    ids = None if class_ids is None else class_ids[there]
    offsets = np.concatenate([[0], np.cumsum(there)])
    return Objects(offsets, confidences[there], class_ids=ids, whole_items=True)


FORMAT = Format(
    "npz",
    "NumPy arrays named after `Pool` columns: `item_ids`, `probabilities`, `embeddings`, …",
    (".npz",),
    NpzOptions,
    read,
)
