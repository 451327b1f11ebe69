"""The labels that people gave, beside the answers of language models."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.support.words import counted
from labelnext_adapters.files.content.item_ids import id_in
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.llm.classes import folded
from labelnext_adapters.files.llm.judge_columns import columns_of_judges
from labelnext_adapters.files.llm.replies import (
    REPLIES,
    SEVERAL,
    completion_in,
    panel_in,
)
from labelnext_adapters.files.llm.stated import CONFIDENCES, told_in

_LABEL = "label"
#: Keys that often hold what people said, and are read if `label_key` names them.
_OTHERS = ("human_label", "gold", "gold_label", "true_label", "ground_truth", "human")
_LISTS = (*SEVERAL, "ratings", "scores")
Records = Sequence[tuple[str, Any]]


def set_apart(
    records: Records, item_key: str | None, label_key: str | None
) -> tuple[Records, dict[str, set[str]]]:
    """The records without the labels that people gave, and these labels by the items' ids.

    A `label` is a person's where the record holds the model's answer elsewhere: a completion,
    several answers, or a structured one.

    Args:
        records: each with its place in the file.
        item_key: of the items' ids; the usual ones when None.
        label_key: of the labels; `label` when None.
    """
    if label_key is None and not any(_beside_an_answer(record) for _, record in records):
        return records, {}
    key, rest, labels = label_key or _LABEL, [], dict[str, set[str]]()
    for number, (place, record) in enumerate(records):
        if not isinstance(record, Mapping) or not _is_given(record, key, label_key is not None):
            rest.append((place, record))
            continue
        label = _text(record[key])
        rest.append((place, {name: one for name, one in record.items() if name != key}))
        try:
            item = id_in(record, item_key)
        except Unusable:  # the reader says so
            continue
        if label:
            labels.setdefault(str(number if item is None else item), set()).add(label)
    return rest, labels


def _text(value: Any) -> str:
    """A label as text, empty for none; pandas writes whole numbers beside empty cells as floats.

    Example:
        >>> _text(" cat"), _text(2.0), _text(float("nan")), _text(None)
        ('cat', '2', '', '')
    """
    if isinstance(value, float):
        value = None if math.isnan(value) else int(value) if value.is_integer() else value
    return str(value).strip() if isinstance(value, str | int | float) else ""


def without_labels(records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The records, to be recognised by what models said."""
    return [record for _, record in set_apart([("", one) for one in records], None, None)[0]]


def _is_given(record: Mapping[str, Any], key: str, named: bool) -> bool:
    """Whether a record's key holds a person's label, in a file that has some."""
    others = not {*REPLIES, *_LISTS}.isdisjoint(record)
    return key in record and (named or others or _beside_an_answer(record))


def _beside_an_answer(record: Any) -> bool:
    """Whether a record has a label, and a model's answer under another key."""
    if not isinstance(record, Mapping) or _LABEL not in record:
        return False
    label = record[_LABEL]
    whole = isinstance(label, float) and (math.isnan(label) or label.is_integer())
    if label is not None and not (whole or isinstance(label, str | int)):
        return False
    try:
        if completion_in(record) is not None:
            return True
    except Unusable:  # a failed request is one, too
        return True
    rest = {name: value for name, value in record.items() if name != _LABEL}
    if len(columns_of_judges(rest)) > 1 or panel_in(rest) is not None:
        return True
    if any(isinstance(rest.get(name), list | Mapping) and rest[name] for name in _LISTS):
        return True
    if not {*CONFIDENCES}.isdisjoint(rest):
        return False  # the model's own class, beside its confidence
    values = (rest.get(name) for name in REPLIES)
    return any(
        bool(told_in(value)) if isinstance(value, str) else isinstance(value, Mapping)
        for value in values
    )


def with_labels(pool: Pool, labels: Mapping[str, set[str]], *, known: bool) -> Pool:
    """A pool with the labels that people gave.

    A label that no class is makes the item labelled without a class, as does more than one.

    Args:
        pool: of the answers.
        labels: by item id.
        known: whether the classes were named; else those of labels that no model said come last.
    """
    names = [labels.get(item, set()) for item in pool.item_ids.tolist()]
    if not any(names):
        return pool
    said = sorted({name for one in names if len(one) == 1 for name in one})
    classes = list(pool.classes or ())
    places = {folded(name): place for place, name in enumerate(classes)}
    if classes and not known:
        classes += [name for name in said if folded(name) not in places]
        places = {folded(name): place for place, name in enumerate(classes)}
    found = [places.get(folded(next(iter(n))), -1) if len(n) == 1 else -1 for n in names]
    odd = [i for i, n, c in zip(pool.item_ids.tolist(), names, found, strict=True) if n and c < 0]
    notices = list(pool.notices)
    if odd and classes:
        message = (
            f"Left out {counted(len(odd), 'label')}, as they name no class, or an item has "
            "several; the items count as labelled."
        )
        notices.append(Notice("odd_labels", message, tuple(odd)))
    more = len(classes) - len(pool.classes or ())
    probabilities = pool.probabilities
    if more and probabilities is not None:
        none = np.repeat(0 * probabilities[..., :1], more, axis=-1)  # NaN where nothing is known
        probabilities = np.concatenate([probabilities, none], axis=-1)
    return replace(
        pool,
        classes=tuple(classes) or None,
        probabilities=probabilities,
        labels=np.array(found, dtype=np.int64) if classes else None,
        labelled=np.array([bool(n) for n in names]),
        notices=tuple(notices),
    )


def passed_over(records: Records, unmet: str | None = None) -> list[Notice]:
    """Remarks on keys that seem to hold people's labels, and weren't read.

    Args:
        records: without the labels that were read.
        unmet: the key that `source.label_key` names, where no label stands under it.
    """
    held = {
        name
        for _, record in records
        if isinstance(record, Mapping)
        for name in _OTHERS
        if isinstance(record.get(name), str | int)
    }
    why = "isn't read as labels (source.label_key names the key of labels)."
    told = [f"Key {name!r} {why}" for name in sorted(held)]
    if unmet is not None:
        told.insert(0, f"No record has a label under {unmet!r}, which source.label_key names.")
    return [Notice("unread_labels", message) for message in told]
