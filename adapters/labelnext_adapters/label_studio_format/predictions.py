"""From parsed predictions to a pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.merged import merged
from labelnext.pool.objects import Notice, Objects
from labelnext.pool.pool import Pool
from labelnext.support.words import counted
from labelnext_adapters.label_studio_format.columns import Columns as Columns
from labelnext_adapters.label_studio_format.columns import Content as Content
from labelnext_adapters.label_studio_format.regions import Setup
from labelnext_adapters.label_studio_format.versions import (
    Members,
    Merge,
    newest_notice,
    scale_notice,
    shared,
    version_name,
)

NEWEST = "newest of each task"
"""Stands for the model version where tasks' newest predictions are of several."""


def make_pool(
    members: Members,
    task_ids: Sequence[int],
    item_ids: Sequence[str],
    labelled: Sequence[bool],
    notices: Sequence[Notice],
    *,
    merge: Merge | None = None,
    place: str = "project",
    **further: Any,
) -> Pool:
    """The pool of these tasks.

    Args:
        members: what was read, by model version; several are a committee, unless all share one
            `Columns`, which then hold each task's newest prediction.
        task_ids: shape (n_items,).
        item_ids: shape (n_items,).
        labelled: shape (n_items,).
        notices: what was found so far.
        merge: put the regions of all versions together.
        place: where the tasks are, for messages.
        further: other columns of the pool, as what people said: see `Pool`.

    Raises:
        InvalidInput: if numbers are out of range, no label is known, or the members cannot be
            compared.
    """
    noticed = [*notices, *newest_notice(members, task_ids, place)]
    contents = _contents(_distinct(members, task_ids), task_ids, item_ids, noticed)
    waiting = [task for task, done in zip(task_ids, labelled, strict=True) if not done]
    noticed += _scales(members, contents, task_ids, waiting or task_ids)
    if merge is not None and len(contents) > 1:
        contents = _merged(contents, item_ids, noticed)
    setup = next(iter(members.values())).setup
    contents = _alike_kinds(contents, setup)
    vectors = [c.probabilities for c in contents.values() if c.probabilities is not None]
    objects = _alike([c for c in contents.values() if c.objects is not None])
    if vectors and objects:
        raise _two_kinds(contents)
    several = max(len(vectors), len(objects)) > 1
    present = np.any([c.present for c in contents.values()], axis=0)
    usable = [
        version
        for version, content in contents.items()
        if content.probabilities is not None or content.objects is not None
    ]
    return Pool(
        item_ids,
        probabilities=(np.stack(vectors) if several else vectors[0]) if vectors else None,
        classes=tuple(setup.classes) or None,
        objects=(tuple(objects) if several else objects[0]) if objects else None,
        versions=None if usable in ([], ["None"]) else usable,
        labelled=labelled,
        missing=~present,
        multilabel=any(c.multilabel for c in contents.values()),
        notices=noticed,
        **further,
    )


def _contents(
    by_version: Mapping[str, Columns],
    task_ids: Sequence[int],
    item_ids: Sequence[str],
    noticed: list[Notice],
) -> dict[str, Content]:
    """What each version says of the tasks; its notices name it where there are several."""
    names = dict(zip(task_ids, item_ids, strict=True))
    contents = {}
    for version, columns in by_version.items():
        found: list[Notice] = []
        contents[version] = columns.content(task_ids, names, found)
        if len(by_version) > 1:
            name = version_name(version)
            found = [replace(one, message=f"{name}: {one.message}") for one in found]
        noticed += found
    return contents


def _alike_kinds(contents: Mapping[str, Content], setup: Setup) -> dict[str, Content]:
    """One choice with its score as class probabilities, where another version has these.

    The other classes share what is left of 1, as beside other tasks' class probabilities.
    """
    if setup.multiple or all(c.probabilities is None for c in contents.values()):
        return dict(contents)
    n_classes, alike = len(setup.classes), {}
    for version, content in contents.items():
        objects, alike[version] = content.objects, content
        if objects is None or not objects.whole_items or objects.class_ids is None:
            continue
        if n_classes < 2 or (objects.class_ids < 0).any():
            continue
        rows = np.full((len(content.present), n_classes), np.nan)
        share = (1 - objects.confidences) / (n_classes - 1)
        rows[objects.item_positions] = share[:, None]
        rows[objects.item_positions, objects.class_ids] = objects.confidences
        alike[version] = replace(content, probabilities=rows, objects=None)
    return alike


def _two_kinds(contents: Mapping[str, Content]) -> InvalidInput:
    kinds = {
        version_name(version): "objects" if content.probabilities is None else "class probabilities"
        for version, content in contents.items()
    }
    told = ", ".join(f"{name} has {kind}" for name, kind in kinds.items())
    return InvalidInput(
        f"a committee's model versions must all have the same kind of prediction; {told}.",
        hint="list only versions of one kind in source.model_version.",
    )


def _alike(contents: Sequence[Content]) -> list[Objects]:
    """The objects of each version; one confidence per item is an object beside real ones."""
    sets = [(c.objects, ~c.present) for c in contents if c.objects is not None]
    whole = all(objects.whole_items for objects, _ in sets)
    return [replace(o, missing=missing, whole_items=whole) for o, missing in sets]


def _distinct(members: Members, task_ids: Sequence[int]) -> dict[str, Columns]:
    """The columns by the names of their versions; what several share, once."""
    if (columns := shared(members)) is None:
        return {str(version): columns_of for version, columns_of in members.items()}
    used = [str(version) for version in columns.versions(task_ids)]
    return {used[0] if len(used) == 1 else NEWEST: columns}


def _scales(
    members: Members,
    contents: Mapping[str, Content],
    task_ids: Sequence[int],
    ranked: Sequence[int],
) -> list[Notice]:
    """Warn where versions, whose tasks are ranked together, are sure to very different degrees."""
    rows_of = {task: row for row, task in enumerate(task_ids)}
    confidences: dict[str | None, list[float]] = {}
    sureness = {name: _sureness(content) for name, content in contents.items()}
    for version, columns in members.items():
        sure = sureness.get(str(version), next(iter(sureness.values())))
        scores = [float(sure[rows_of[t]]) for t in columns.versions(ranked).get(version, ())]
        confidences[version] = [value for value in scores if not np.isnan(value)]
    return scale_notice(confidences)


def _sureness(content: Content) -> NDArray[np.float64]:
    """The confidence in each item's answer, or the mean of its objects'; NaN without any."""
    n_items = len(content.present)
    sure: NDArray[np.float64] = np.full(n_items, np.nan)
    if content.probabilities is not None:
        rows = np.flatnonzero(content.present)
        sure[rows] = content.probabilities[rows].max(axis=1, initial=0)
    elif content.objects is not None:
        positions = content.objects.item_positions
        sums = np.bincount(positions, content.objects.confidences, n_items)
        filled = np.flatnonzero(content.objects.counts)
        sure[filled] = sums[filled] / content.objects.counts[filled]
    return sure


def _merged(
    contents: Mapping[str, Content], item_ids: Sequence[str], notices: list[Notice]
) -> dict[str, Content]:
    """All versions' objects as those of one, which is present where any of them is."""
    kept = {v: c for v, c in contents.items() if c.objects is not None}
    sets = [content.objects for content in kept.values() if content.objects is not None]
    if len(sets) < 2:
        return dict(contents)
    present = np.array([content.present for content in kept.values()])
    some = present.any(axis=0) & ~present.all(axis=0)
    if some.any():
        ids = tuple(np.array(item_ids, dtype=object)[some].tolist())
        verb = "has" if len(ids) == 1 else "have"
        message = (
            f"{counted(len(ids), 'item')} {verb} predictions of only some of the merged model "
            "versions."
        )
        notices.append(Notice("missing_members", message, ids))
    joined = Content(None, merged(sets), np.any(present, axis=0), False)
    return {" + ".join(kept): joined}
