"""NPZ: NumPy arrays under the names of Pool's columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from labelnext.adapter.formats import Format
from labelnext.adapter.protocol import Context
from labelnext.errors import InvalidInput, listed, unknown
from labelnext.pool.objects import Notice, Objects
from labelnext.pool.pool import Pool
from labelnext_adapters.files.tables.column_names import ID_COLUMN, first_of, no_column
from labelnext_adapters.files.tables.known_names import ANSWERS, IDS
from labelnext_adapters.files.tables.logit_names import check_no_logits
from labelnext_adapters.files.tables.numpy_files import flat_in, names_in
from labelnext_adapters.files.tables.numpy_shards import npz_files, read_parts
from labelnext_adapters.files.tables.score_columns import are_scores
from labelnext_adapters.files.tables.table_options import ScoreOptions, check_metadata
from labelnext_adapters.files.tables.vectors import Meaning, usable_members

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
#: What others call the arrays: Trainer.predict() of Transformers, Keras, scikit-learn.
_ALSO = {
    "item_ids": (
        "item_id", "ids", "filenames", "files", "paths", "keys", "file_names", "image_ids",
        "image_names", "image_paths", "names", "uids", "filepaths",
    ),
    "probabilities": (
        "probs", "proba", "probas", "y_proba", "y_prob", "y_pred_proba", "pred_probs",
        "pred_proba", "predict_proba", "class_probs", "softmax", "predictions", "preds", "scores",
        "outputs", "pred", "logits",
    ),
    "embeddings": ("embedding", "embeds", "emb", "features", "feats", "vectors"),
    "labels": ("label", "label_ids", "target", "targets", "y_true"),
    "classes": ("class_names", "vocab"),
}  # fmt: skip
_OF_CLASS = re.compile(r"(?:p|prob|proba|probability)_?((?<=_).+|\d+)")  # the scores of a class
_NAMES = (*_ARRAYS.values(), *_OBJECTS.values())


def _known(name: str) -> str:
    if name not in _NAMES:
        raise unknown("columns", name, _NAMES)
    return name


class NpzOptions(ScoreOptions):
    """Keys of `source` for NPZ files."""

    columns: dict[Annotated[str, AfterValidator(_known)], str] = Field(default_factory=dict)
    """Our names (item_id, probabilities, embedding, label, votes, labelled, group, cost, missing,
    classes, class_ids, boxes, object_probabilities, object_embeddings) mapped to array names."""


def read(path: Path | str, options: NpzOptions, context: Context) -> Pool:
    """The items of a file; of objects offsets, confidences and the rest; else one confidence each.

    Raises:
        InvalidInput: if there is no array with the ids, or an array would have to be unpickled.
    """
    from labelnext_adapters.files.tables.array_places import place_labels, predicted_places

    files, notices = npz_files(Path(path))
    held, flat = names_in(files[0]), flat_in(files[0])
    stated = _stated(options, context, held)
    told_ids, told_answers = _named_ids(flat), first_of(flat, ANSWERS) or ""
    wanted = _wanted(stated) | {*filter(None, (told_ids, told_answers))}
    by_class = {name: told[1] for name in held if (told := _OF_CLASS.fullmatch(name))}
    check_metadata(held, context)
    further = {"offsets", "confidences", "confidence", *context.metadata}
    arrays, broken = read_parts(files, wanted | further | by_class.keys(), _of_classes(stated))
    used = set[str]()

    def array(name: str, ours: str) -> Any:
        names = (stated[ours],) if ours in stated else (name, *_ALSO.get(name, ()))
        there = [one for one in names if one in arrays]
        if name == ours == "probabilities" and ours not in stated:
            there = _rows_first({one: arrays[one] for one in there})
        used.update(there[:1])
        return arrays[there[0]] if there else None

    columns = {name: array(name, ours) for name, ours in _ARRAYS.items()}
    used |= _stack_classes(columns, arrays, by_class, options)
    if "names" in used and _are_classes(arrays["names"], columns):
        columns |= {"item_ids": None, "classes": arrays["names"]}
    if columns["item_ids"] is None and told_ids not in (None, *used):
        used |= _take_ids(columns, str(told_ids), arrays)
    columns["item_ids"] = _item_ids(columns, sorted(held), notices)
    alone = columns["probabilities"] is None and "offsets" not in arrays and _has_answers(arrays)
    answers = None
    if alone and array("class_ids", "class_ids") is None and told_answers not in {"", *used}:
        answers = texts(arrays[told_answers])
        used.add(told_answers)
    _name_classes(columns, options.classes, answers)
    meaning = Meaning.of(options)
    if (matrix := columns["probabilities"]) is not None:
        check_no_logits([*used & {"logits"} - {*stated.values()}], options)
        columns["probabilities"] = usable_members(matrix, columns["item_ids"], meaning, notices)
    objects = None
    confidences = arrays.get("confidences", arrays.get("confidence"))
    if "offsets" in arrays and confidences is not None:
        parts = {name: array(ours, ours) for name, ours in _OBJECTS.items()}
        objects = Objects(arrays["offsets"], confidences, **parts)
    elif confidences is not None and columns["probabilities"] is None:
        ids = array("class_ids", "class_ids")
        ids = ids if answers is None else predicted_places(answers, columns, notices)
        objects = _answers(confidences / meaning.scale, ids)
    place_labels(columns, notices)
    notices += [*broken, *_unread(sorted({*held} - used - further))]
    columns["metadata"] = {name: texts(arrays[name]) for name in context.metadata} or None
    if objects is None and columns["probabilities"] is None and columns["embeddings"] is None:
        notices.append(_no_predictions(held))
    return Pool(objects=objects, multilabel=meaning.multilabel, notices=notices, **columns)


def _stated(options: NpzOptions, context: Context, held: Sequence[str]) -> dict[str, str]:
    """Our names to those of arrays, as the user says; `source.key` is that of the ids.

    Raises:
        InvalidInput: if there is no such array of ids.
    """
    stated: dict[str, str] = dict(options.columns)
    key = context.key
    if key is not None and (key in held or key != "item_id"):  # which side files have by default
        stated.setdefault("item_id", key)
    if stated.get("item_id") not in (None, *held):
        raise no_column(ID_COLUMN, stated["item_id"], held)
    return stated


def _wanted(stated: Mapping[str, str]) -> set[str]:
    """The names of the arrays that are read, as stated or as usual."""
    wanted = {stated.get(ours, name) for name, ours in _ARRAYS.items()}
    wanted |= {stated.get(ours, ours) for ours in _OBJECTS.values()}
    return wanted | {name for names in _ALSO.values() for name in names}


def _of_classes(stated: Mapping[str, str]) -> set[str]:
    """The names of the arrays that hold those of the classes."""
    return {stated.get("classes", "classes"), *_ALSO["classes"]}


def _has_answers(arrays: Collection[str]) -> bool:
    return "confidences" in arrays or "confidence" in arrays


def _stack_classes(
    columns: dict[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    by_class: Mapping[str, str],
    options: NpzOptions,
) -> set[str]:
    """Take arrays of a class each as probabilities, if there are no others."""
    numeric = {name: one for name, one in by_class.items() if arrays[name].dtype.kind in "biuf"}
    if columns["probabilities"] is not None or len(numeric) < 2:
        return set()
    stacked = _stacked({name: arrays[name] for name in numeric})
    if not are_scores(stacked, options):  # such as a mean and a spread
        return set()
    columns["probabilities"] = stacked
    if columns["classes"] is None:
        columns["classes"] = np.array([*numeric.values()])
    return {*numeric}


def _take_ids(columns: dict[str, Any], name: str, arrays: Mapping[str, NDArray[Any]]) -> set[str]:
    """Take an array that nobody named as the ids, if it tells the items apart."""
    if len(np.unique(arrays[name])) < len(arrays[name]):
        return set()
    columns["item_ids"] = arrays[name]
    return {name}


def _named_ids(names: Sequence[str]) -> str | None:
    """The array of ids among these, by any usual name of one or of several."""
    by_one = {name.removesuffix("s"): name for name in names} | {name: name for name in names}
    found = first_of(by_one, IDS)
    return found if found is None else by_one[found]


def _name_classes(
    columns: dict[str, Any], classes: Sequence[str] | None, answers: NDArray[Any] | None
) -> None:
    """Names of classes: those stated, or the file's, or else the labels and answers; "" is none."""
    if classes is not None:
        columns["classes"] = classes
    elif columns["classes"] is not None:
        columns["classes"] = texts(columns["classes"])
    labels = columns["labels"]
    if columns["classes"] is None and columns["probabilities"] is None:
        told = [one for one in (labels, answers) if one is not None and one.dtype.kind in "UST"]
        names = {text for one in told for text in texts(one).tolist()}
        columns["classes"] = sorted(names - {""}) or None
    if labels is not None and labels.dtype.kind in "UST":
        said = [text or None for text in texts(labels).tolist()]
        columns["labels"] = np.array(said, dtype=object)


def _stacked(arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Arrays with the scores of a class each as columns.

    Raises:
        InvalidInput: if they aren't one number an item.
    """
    shapes = {array.shape for array in arrays.values()}
    if len(shapes) > 1 or len(next(iter(shapes))) != 1:
        got = listed(f"{name} {array.shape}" for name, array in arrays.items())
        raise InvalidInput(
            f"arrays of single classes must hold one number an item; got {got}.",
            hint="name the array of all classes: source.columns: {probabilities: …}.",
        )
    return np.stack([array.astype(float) for array in arrays.values()], axis=1)


def _rows_first(arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    """The names of arrays that may hold scores, rows before columns; whole numbers are classes."""
    flat = {name: array.ndim < 2 for name, array in arrays.items()}
    whole = {name for name, array in arrays.items() if array.dtype.kind in "iu"}
    may_be = [n for n in arrays if n == "probabilities" or not (flat[n] and n in whole)]
    return sorted(may_be, key=flat.__getitem__)


def _are_classes(names: NDArray[Any], columns: Mapping[str, Any]) -> bool:
    """Whether names are as many as the classes, but not the items, of probabilities."""
    matrix = columns["probabilities"]
    if matrix is None or matrix.ndim < 2 or columns["classes"] is not None:
        return False
    n_items, n_classes = matrix.shape[-2:]
    return bool(n_items != len(names) == n_classes)


def _item_ids(
    columns: Mapping[str, Any], held: Sequence[str], notices: list[Notice]
) -> NDArray[Any]:
    """The ids as texts or whole numbers; the numbers of the rows where there are none.

    Raises:
        InvalidInput: if there are neither ids nor rows, or the ids are other numbers.
    """
    ids, matrix = columns["item_ids"], columns["probabilities"]
    if ids is None:
        if matrix is None or not matrix.shape[:-1]:
            raise InvalidInput(
                f"the file must contain an array item_ids; got {[*held]}.",
                hint="name the arrays: numpy.savez(path, item_ids=ids, probabilities=scores).",
            )
        ids = np.arange(matrix.shape[-2])
        message = "Items are named by their row from 0; save their names as the array item_ids."
        notices.append(Notice("numbered", message))
    told = texts(ids)
    if told.dtype.kind in "fcb":
        raise InvalidInput(
            f"item_ids must be text or whole numbers; got {told.dtype}.",
            hint="save ids as texts, such as numpy.array([str(id) for id in ids]).",
        )
    if ids.dtype.kind == "f":
        message = "The ids are floats, as gaps make them, and were read as whole numbers."
        notices.append(Notice("ids", message))
    return told


def _unread(names: list[str]) -> list[Notice]:
    message = f"Didn't read {listed(names)}: source.columns names arrays of other names."
    return [Notice("not_read", message)] if names else []


def _no_predictions(names: Iterable[str]) -> Notice:
    message = (
        f"No array was taken as predictions; the file has {listed(names)}. Set source.columns to "
        "name one (such as columns: {probabilities: …}). Save the scores of single classes as one "
        "array, numpy.stack([…], axis=1)."
    )
    return Notice("no_predictions", message)


def _answers(confidences: NDArray[np.floating], class_ids: NDArray[np.integer] | None) -> Objects:
    """One confidence per item, NaN where nothing was predicted."""
    there = ~np.isnan(confidences)
    ids = None if class_ids is None else class_ids[there]
    offsets = np.concatenate([[0], np.cumsum(there)])
    return Objects(offsets, confidences[there], class_ids=ids, whole_items=True)


def texts(array: NDArray[Any]) -> NDArray[Any]:
    """Ids or names as they are, bytes as UTF-8 text, dates as text, whole floats as integers.

    Raises:
        InvalidInput: if bytes are no UTF-8.

    Example:
        >>> texts(np.array([b"a"])).tolist(), texts(np.array([7.0])).tolist()
        (['a'], [7])
    """
    if array.dtype.kind == "M":
        return array.astype(str)
    if array.dtype.kind == "f" and (np.mod(array, 1) == 0).all() and (abs(array) < 1 << 53).all():
        return array.astype(np.int64)
    if array.dtype.kind != "S":
        return array
    try:
        decoded: NDArray[Any] = np.char.decode(array, "utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput("text in bytes must be UTF-8.") from error
    return decoded


FORMAT = Format(
    "npz",
    "NumPy arrays named after `Pool` columns: `item_ids`, `probabilities`, `embeddings`, …",
    (".npz",),
    NpzOptions,
    read,
)
