"""What an undo puts back of a field of labels, and what it leaves: labels that people changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labelnext.support.words import counted


def fetch_labels(samples: Any, field: str) -> dict[str, Any]:
    """The label of each sample that has one in that field."""
    ids, labels = samples.exists(field).values(["id", field])
    return dict(zip(ids, labels, strict=True))


def to_put_back(
    samples: Any, field: str, written: Mapping[str, Any], before: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The labels that an undo writes, and the samples whose label was changed since.

    Args:
        samples: a dataset or view.
        field: the name of the field.
        written: what was written on each sample; None where a label was taken away.
        before: label of each sample that had one.

    Returns:
        The label before of each sample, None for none; and the ids of samples whose label is
        neither what was written nor what was there before.
    """
    now = {**dict.fromkeys(samples.values("id")), **fetch_labels(samples, field)}
    changed = [
        sample
        for sample, label in written.items()
        if sample in now
        and _content(now[sample]) not in (_content(label), _content(before.get(sample)))
    ]
    return {i: before.get(i) for i in written.keys() - {*changed}}, changed


def what_stays(field: str, changed: Sequence[str]) -> list[str]:
    """A sentence on the samples whose labels an undo kept; none without any."""
    if not changed:
        return []
    where = counted(len(changed), "sample")
    return [f"Kept field {field} on {where}, where somebody changed it since."]


def _content(label: Any) -> str | None:
    """A label as text, without the ids that FiftyOne gives to labels; None for no label."""
    from bson import json_util

    if label is None:
        return None
    return str(json_util.dumps(_without_ids(label.to_dict()), sort_keys=True))


def _without_ids(value: Any) -> Any:
    if isinstance(value, Mapping):
        parts = {name: part for name, part in value.items() if name != "_id" and part is not None}
        return {name: _without_ids(part) for name, part in parts.items()}
    return [_without_ids(part) for part in value] if isinstance(value, (list, tuple)) else value
