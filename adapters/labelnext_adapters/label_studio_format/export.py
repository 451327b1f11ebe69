"""A project that Label Studio exported: its tasks, their predictions and what people said."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.support.words import counted
from labelnext_adapters.label_studio_format.annotations import Truth, Which
from labelnext_adapters.label_studio_format.media import shown_keys, text_of, value_of
from labelnext_adapters.label_studio_format.predictions import Columns, make_pool
from labelnext_adapters.label_studio_format.records import SNAPSHOT, Task, read_tasks
from labelnext_adapters.label_studio_format.regions import Setup
from labelnext_adapters.label_studio_format.setup import (
    add_occurring,
    derived_notices,
    find_setup,
    only_predicted,
    only_predicted_notice,
)
from labelnext_adapters.label_studio_format.versions import (
    COPY,
    Members,
    Merge,
    chosen,
    in_use,
    settle,
)
from labelnext_adapters.label_studio_format.xml import derived_tags, parse_config, unread_types


def read_exports(
    files: Mapping[str, bytes],
    label_config: str | None = None,
    *,
    key: str | None = None,
    from_name: str | Sequence[str] | None = None,
    model_version: str | Sequence[str] | None = None,
    merge: Merge | None = None,
    labels: Which | None = "latest",
    metadata: Sequence[str] = (),
) -> Pool:
    """The pool of an exported project, or of several exports together.

    Args:
        files: what is in the exports, by their names: JSON or JSON Lines.
        label_config: the project's labelling setup, in XML; the control tags and classes are those
            that are found when None.
        key: the data key that is an item's id; the number of the task when None.
        from_name: name of the control tag, or of several that label parts of items.
        model_version: which predictions to read; each task's newest when None; several are a
            committee.
        merge: put the regions of all those versions together.
        labels: which annotation of a task is its label; none is read when None.
        metadata: further data keys to read.

    Raises:
        InvalidInput: if it is no export, if it holds the numbers of predictions alone, or if
            predictions do not fit the labelling setup.
        NotFound: if there is no such control tag or model version.
    """
    notices: list[Notice] = []
    tasks = read_tasks(files, notices)
    _refuse_numbers(tasks)
    setup = _find_setup(tasks, label_config, from_name, notices)
    counts = _versions(tasks)
    members = chosen(counts, model_version, setup, notices, merge=merge, place="export")
    if not counts:
        lacking = "predictions" if tasks else "tasks"
        notices.append(Notice("no_predictions", f"The export has no {lacking}."))
    truth = Truth(setup, labels or "latest")
    labelled = [_take(row, task, members, truth) for row, task in enumerate(tasks)]
    rows, item_ids = range(len(tasks)), _item_ids(tasks, key)
    notices += _broken_predictions(tasks, item_ids)
    said: dict[str, Any] = {"numbers": [math.nan] * len(rows)} if setup.of_numbers else {}
    if labels is not None and any(labelled):
        notices += truth.notices(dict(enumerate(item_ids)))
        waiting = [row for row, done in zip(rows, labelled, strict=True) if not done]
        notices += truth.older(_dates(tasks, in_use(members, waiting)))
        said = truth.columns(rows)
        settle(members, truth.made)
    read = (members or {None: Columns(setup)}, rows, item_ids, labelled, notices)
    further = metadata_of([task.data for task in tasks], metadata)
    return make_pool(*read, merge=merge, place="export", metadata=further, **said)


def shown_in(
    files: Mapping[str, bytes], label_config: str, key: str | None
) -> dict[str, tuple[object, str | None]]:
    """The image and the text that the setup shows of each task, by item; None without one.

    Args:
        files: what is in the exports, by their names.
        label_config: the project's labelling setup, in XML.
        key: the data key that is an item's id; the number of the task when None.
    """
    image, text = shown_keys(label_config)
    tasks = read_tasks(files, [])
    return {
        item: (value_of(task.data.get(image or "")), text_of(task.data.get(text or "")))
        for item, task in zip(_item_ids(tasks, key), tasks, strict=True)
    }


def _take(row: int, task: Task, members: Members, truth: Truth) -> bool:
    """Take what a task holds; whether people labelled it."""
    for index, prediction in enumerate(task.predictions):
        if prediction.version in members:
            members[prediction.version].take(
                row,
                prediction.id if type(prediction.id) is int else index,
                prediction.score,
                prediction.result,
                version=prediction.version,
                made=prediction.made,
            )
    return truth.take(row, task.annotations)


def _refuse_numbers(tasks: Sequence[Task]) -> None:
    bare = [task for task in tasks if task.n_bare]
    if bare:
        raise InvalidInput(
            f"the export has only prediction ids, not predictions, for {len(bare)} of "
            f"{counted(len(tasks), 'task')}.",
            hint=f"Label Studio's standard export leaves out predictions. {SNAPSHOT}",
        )


def _broken_predictions(tasks: Sequence[Task], item_ids: Sequence[str]) -> list[Notice]:
    broken = [(item, task.n_broken) for item, task in zip(item_ids, tasks, strict=True)]
    ids = tuple(item for item, n in broken if n)
    if not ids:
        return []
    message = (
        f"Left out {counted(sum(n for _, n in broken), 'prediction')} of "
        f"{counted(len(ids), 'item')} that are no objects with a result."
    )
    return [Notice("broken_predictions", message, ids)]


def _find_setup(
    tasks: Sequence[Task],
    label_config: str | None,
    from_name: str | Sequence[str] | None,
    notices: list[Notice],
) -> Setup:
    predicted = [p.result for task in tasks for p in task.predictions]
    if label_config is not None:
        tags = parse_config(label_config)
        project = {"parsed_label_config": tags, "label_config": label_config}
        said = [a.result for task in tasks for a in task.annotations]
        add_occurring(tags, [*predicted, *said])
        if from_name is None and (from_name := only_predicted(project, predicted)) is not None:
            notices.append(only_predicted_notice(project, from_name))
        setup = find_setup(project, from_name)
        notices += derived_notices(setup)
        return setup
    results = [*predicted]
    results += [a.result for task in tasks for a in task.annotations]
    tags, multiple = derived_tags(results)
    if not tags and (others := unread_types(results)):
        raise InvalidInput(
            f"no control tag of the export can be read; it has {listed(others)}.",
            hint="docs/label-studio.md lists the control tags that can be ranked.",
        )
    if not tags:
        what = "regions" if results else "predictions and annotations"
        raise InvalidInput(
            f"label_config must be set for an export without {what}; got None.",
            hint="copy the setup from Settings > Labeling Interface > Code to a file. For a COCO "
            "results list, set source.images to the file that lists the images.",
        )
    setup = find_setup({"parsed_label_config": tags, "label_config": ""}, from_name)
    if setup.classes:
        notices.append(
            Notice(
                "derived_classes",
                f"The classes come from the data: {listed(setup.classes)}. "
                "Set source.label_config to get all of the project's classes.",
            )
        )
    return replace(setup, multiple=setup.multiple or setup.from_name in multiple)


def _versions(tasks: Sequence[Task]) -> dict[str | None, int]:
    """How many predictions there are of each model version, the newest version first."""
    counts: dict[str | None, int] = {}
    for task in tasks:
        for prediction in task.predictions:
            version = prediction.version
            if version is None or not version.startswith(COPY):
                counts[version] = counts.get(version, 0) + 1
    newest: dict[str | None, tuple[float, int]] = {}
    for task in tasks:
        for p in task.predictions:
            number = p.id if type(p.id) is int else 0
            newest[p.version] = max(newest.get(p.version, (p.made, number)), (p.made, number))
    known = sorted(counts, key=lambda version: (newest[version], version or ""), reverse=True)
    return {version: counts[version] for version in known}


def _dates(tasks: Sequence[Task], versions: Sequence[str | None]) -> dict[str | None, str]:
    """The date of the newest prediction of each version, as the export writes it."""
    dates: dict[str | None, tuple[float, str]] = {}
    for task in tasks:
        for p in task.predictions:
            if p.version in versions and isinstance(p.created_at, str):
                known = dates.get(p.version, (p.made, p.created_at))
                dates[p.version] = max(known, (p.made, p.created_at))
    return {version: date for version, (_, date) in dates.items()}


def _item_ids(tasks: Sequence[Task], key: str | None) -> list[str]:
    if key is None:
        without = sum(task.id is None for task in tasks)
        if without:
            raise InvalidInput(
                f"every task must have an id; got {without} without one.",
                hint="set source.key to a data key that is unique for every task.",
            )
        ids = [str(task.id) for task in tasks]
        if twice := [number for number, n in Counter(ids).items() if n > 1]:
            raise InvalidInput(
                f"every task must have an id of its own; got {counted(len(twice), 'repeated id')}: "
                f"{listed(twice)}.",
                hint="set source.key to a data key that is unique for every task.",
            )
        return ids
    ids = [key_value(task.data, key) for task in tasks]
    if "" in ids:
        row = ids.index("") + 1
        raise InvalidInput(
            f"source.key must be a key with text or a number in every task's data; got {key!r}, "
            f"missing from task {row} of the file."
        )
    return ids


def metadata_of(
    data: Sequence[Mapping[str, msgspec.Raw]], names: Sequence[str]
) -> dict[str, list[Any]] | None:
    """The values of data keys, None where a task has none.

    Args:
        data: of each task.
        names: of the keys.

    Raises:
        InvalidInput: if no task has one of them; lists those that there are.
    """
    known = dict.fromkeys(name for one in data for name in one)
    check_keys(names, known)
    return {
        name: [msgspec.json.decode(one[name]) if name in one else None for one in data]
        for name in names
    } or None


def check_keys(names: Sequence[str], known: Iterable[str]) -> None:
    """Raise unless some task has each of the keys of `source.metadata`.

    Raises:
        InvalidInput: listing the keys that there are.
    """
    keys = list(known)
    gone = [name for name in names if name not in keys]
    if gone and keys:
        raise InvalidInput(
            f"source.metadata must be keys of the tasks' data ({listed(keys, 20)}); got "
            f"{listed(gone)}."
        )


def key_value(data: Mapping[str, msgspec.Raw], key: str) -> str:
    """The text or number of a data key; empty where there is none.

    Example:
        >>> key_value({"name": msgspec.Raw(b'"a.jpg"'), "n": msgspec.Raw(b"7")}, "n")
        '7'
    """
    value = msgspec.json.decode(data[key]) if key in data else None
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
