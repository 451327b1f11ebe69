"""Scores of single objects: one attribute of each label, named as the run, set in bounded updates.

A label of FiftyOne may carry attributes of its own, so that the App can colour and filter boxes by
them. Each update names the labels that it expects: where somebody changed them, nothing is set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import WriteRefused, listed
from labelnext_adapters.fiftyone.database.fields import (
    PREFIX,
    add_field,
    bulk_writer,
    delete_field,
    documents,
    field_path,
    refuse_read_only,
)
from labelnext_adapters.fiftyone.database.values import fetch

_CHUNK = 1_000  # samples at once
Scores = Mapping[str, Sequence[tuple[str, float | None]]]  # of a sample's labels: id and score


def is_our_attribute(dataset: Any, path: str) -> bool:
    """Whether that attribute exists and labelnext made it."""
    from labelnext_adapters.fiftyone.database.fields import MARKER

    attribute = dataset.get_field(path)
    return attribute is not None and MARKER in (attribute.info or {})


def refuse_foreign_attribute(dataset: Any, path: str) -> None:
    """Raise WriteRefused if the attribute is there and not ours, or must not be written."""
    inner, _, name = path.rpartition(".")
    refuse_read_only(dataset, inner, "write.objects: false leaves it alone.")
    collection, inside = documents(dataset, path)
    taken = dataset.get_field(path) is not None or collection.find_one({inside: {"$exists": True}})
    if taken and not is_our_attribute(dataset, path):
        raise WriteRefused(
            f"attribute {name} of {inner} in {dataset.name} must be labelnext's own; it is not.",
            hint="choose another write.run.",
        )


def matched(
    labels: Mapping[str, Sequence[str]],
    scores: Mapping[str, Sequence[float] | NDArray[np.float64]],
) -> Scores:
    """The scores of samples whose labels are as many as when they were scored.

    Args:
        labels: of each sample, the ids of its labels.
        scores: of each sample, those of its labels, in the same order.

    Example:
        >>> matched({"s": ["a", "b"], "t": ["c"]}, {"s": [0.5, float("nan")], "t": []})
        {'s': [('a', 0.5), ('b', None)]}
    """
    return {
        sample: [
            (i, None if x != x else float(x)) for i, x in zip(ids, scores[sample], strict=True)
        ]
        for sample, ids in labels.items()
        if ids and len(scores.get(sample, ())) == len(ids)
    }


def completed(dataset: Any, path: str, scores: Scores) -> Scores:
    """The scores of all labels that the samples hold: None for those that a view left out.

    Args:
        dataset: a FiftyOne dataset.
        path: of the attribute.
        scores: of the labels of each sample that were scored.
    """
    from bson import ObjectId

    collection, inside = documents(dataset, path)
    inner = inside.rpartition(".")[0]
    samples, whole = list(scores), dict(scores)
    for start in range(0, len(samples), _CHUNK):
        part = [ObjectId(i) for i in samples[start : start + _CHUNK]]
        for document in collection.find({"_id": {"$in": part}}, {f"{inner}._id": True}):
            sample = str(document["_id"])
            known = dict(scores[sample])
            stored = [str(label["_id"]) for label in _labels_in(document, inner)]
            if known.keys() <= set(stored):
                whole[sample] = [(i, known.get(i)) for i in stored]
    return whole


def _labels_in(document: Mapping[str, Any], inner: str) -> Any:
    """The labels of a document of the database; their field may lie in another one."""
    found: Any = document
    for part in inner.split("."):
        found = found[part]
    return found


def scores_before(dataset: Any, path: str) -> dict[str, list[tuple[str, float | None]]] | None:
    """The attribute on all samples that have it; None if it is not ours or not there."""
    if not is_our_attribute(dataset, path):
        return None
    collection, inside = documents(dataset, path)
    inner, _, name = inside.rpartition(".")
    holders = collection.find({inside: {"$exists": True}}, {inner: True})
    return {
        str(document["_id"]): [
            (str(label["_id"]), label.get(name)) for label in _labels_in(document, inner)
        ]
        for document in holders
    }


def write_scores(dataset: Any, path: str, scores: Scores) -> int:
    """Make the attribute what the scores say, and nothing else; returns on how many samples.

    Args:
        dataset: a FiftyOne dataset.
        path: of the attribute, such as ``predictions.detections.labelnext``.
        scores: of the labels of each sample; None leaves a label without the attribute.
    """
    import fiftyone as fo
    from bson import ObjectId

    from labelnext_adapters.fiftyone.database.fields import MARKER

    write, now, n_set = bulk_writer(dataset, path), datetime.now(UTC), 0
    if write is None:
        raise WriteRefused(
            "write.objects must be left out with this FiftyOne, which keeps its database to itself."
        )
    inner, _, name = documents(dataset, path)[1].rpartition(".")
    _clear(dataset, path)
    add_field(
        dataset,
        path,
        fo.FloatField,
        description="A score by labelnext.",
        info={MARKER: "made by labelnext; dataset.delete_run takes it away"},
    )
    samples = list(scores)
    for start in range(0, len(samples), _CHUNK):
        part = samples[start : start + _CHUNK]
        updates = []
        for sample in part:
            ids = [ObjectId(i) for i, _ in scores[sample]]
            new: dict[str, Any] = {
                f"{inner}.{at}.{name}": score
                for at, (_, score) in enumerate(scores[sample])
                if score is not None
            }
            as_expected = {"_id": ObjectId(sample), "$expr": {"$eq": [f"${inner}._id", ids]}}
            updates.append({"q": as_expected, "u": {"$set": {**new, "last_modified_at": now}}})
        n_set += write(updates, part)
    dataset.sync_last_modified_at(include_frames=path.startswith(PREFIX))
    return n_set


def remove_scores(dataset: Any, path: str) -> None:
    """Take the attribute away, if it is ours."""
    if is_our_attribute(dataset, path):
        delete_field(dataset, path)


def attributes_now(dataset: Any, path: str) -> list[str]:
    """Where an attribute of ours is: its field may have been renamed, or copied before that.

    Args:
        dataset: a FiftyOne dataset.
        path: where it was.

    Returns:
        Paths: the same one if it is still there, else those of ours with its last part.
    """
    if dataset.get_field(path) is not None:
        return [path]
    frames, name = path.startswith(PREFIX), path.rpartition(".")[2]
    schema = (dataset.get_frame_field_schema if frames else dataset.get_field_schema)(flat=True)
    alike = [field_path(inner, frames) for inner in schema or () if inner.endswith(f".{name}")]
    return [now for now in alike if is_our_attribute(dataset, now)]


def rename_scores(dataset: Any, path: str, new: str) -> None:
    """Give the attribute another name; FiftyOne's own rename changes other samples as well."""
    before = scores_before(dataset, path)
    if before is not None:
        write_scores(dataset, new, before)
        remove_scores(dataset, path)


def restore_attributes(dataset: Any, before: Mapping[str, Scores | None]) -> list[str]:
    """Put back what `scores_before` found at each path, also where its field was renamed since.

    Args:
        dataset: a FiftyOne dataset.
        before: by path; None where there was no attribute of ours.

    Returns:
        A sentence on each that was left as it is.
    """
    said = []
    for path, scores in before.items():
        there = [now for now in attributes_now(dataset, path) if now == path or now not in before]
        now = there[0] if there else path
        inner = now.rpartition(".")[0]
        if len(there) > 1:
            said.append(f"Kept attributes {listed(there)}, one of which was {path}.")
        elif scores is not None and dataset.get_field(inner) is None:
            said.append(f"Left out the earlier scores in {path}: {inner} isn't there any more.")
        else:
            restore_scores(dataset, now, scores)
    return said


def restore_scores(dataset: Any, path: str, before: Scores | None) -> None:
    """Put back what `scores_before` found."""
    if before is None:
        remove_scores(dataset, path)
    else:
        write_scores(dataset, path, before)


def label_ids(collection: Any, inner: str) -> dict[str, list[str]]:
    """The ids of the labels of each sample."""
    columns = fetch(collection, ["id", f"{inner}.id"])
    return {
        sample: [str(i) for i in ids or ()]
        for sample, ids in zip(columns["id"], columns[f"{inner}.id"], strict=True)
    }


def _clear(dataset: Any, path: str) -> None:
    collection, inside = documents(dataset, path)
    inner, _, name = inside.rpartition(".")
    gone = {"$unset": {f"{inner}.$[].{name}": ""}, "$set": {"last_modified_at": datetime.now(UTC)}}
    collection.update_many({inside: {"$exists": True}}, gone)
