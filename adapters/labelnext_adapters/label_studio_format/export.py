"""A project that Label Studio exported: its tasks, their predictions and what people said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from labelnext.errors import InvalidInput, NotFound, listed
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.support.words import counted
from labelnext_adapters.label_studio_format.annotations import Annotation, Truth, Which
from labelnext_adapters.label_studio_format.predictions import Columns, make_pool
from labelnext_adapters.label_studio_format.regions import Setup
from labelnext_adapters.label_studio_format.setup import find_setup
from labelnext_adapters.label_studio_format.xml import derived_tags, parse_config

_COPY = "labelnext:"  # how the versions of copied predictions begin, which are no model's


class _Prediction(msgspec.Struct):
    id: int = 0
    model_version: str | None = None
    score: float | None = None
    created_at: str = ""
    result: msgspec.Raw = msgspec.Raw(b"[]")


class _Annotation(Annotation):
    id: int = 0


class _Task(msgspec.Struct):
    """A task; of a plain export the predictions are numbers."""

    data: dict[str, msgspec.Raw]
    id: int | None = None
    predictions: list[_Prediction | int] = []
    annotations: list[_Annotation] = []


def read_export(
    body: bytes,
    label_config: str | None = None,
    *,
    key: str | None = None,
    from_name: str | Sequence[str] | None = None,
    model_version: str | Sequence[str] | None = None,
    labels: Which | None = "latest",
) -> Pool:
    """The pool of an exported project.

    Args:
        body: the export, in JSON: a list of tasks.
        label_config: the project's labelling setup, in XML; the control tags and classes are those
            that are found when None.
        key: the data key that is an item's id; the number of the task when None.
        from_name: name of the control tag, or of several that label parts of items.
        model_version: which predictions to read; the newest version's when None; several are a
            committee.
        labels: which annotation of a task is its label; none is read when None.

    Raises:
        InvalidInput: if it is no export, if it holds the numbers of predictions alone, or if
            predictions do not fit the labelling setup.
        NotFound: if there is no such control tag or model version.
    """
    try:
        tasks = msgspec.json.decode(body, type=list[_Task])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"the file must be a JSON export of a Label Studio project; {error}.",
            hint="for a COCO results list, set source.images to the file that lists the images.",
        ) from None
    _refuse_numbers(tasks)
    notices: list[Notice] = []
    setup = _find_setup(tasks, label_config, from_name, notices)
    dates = _choose_versions(tasks, model_version, notices)
    members = {version: Columns(setup) for version in dates}
    truth, labelled = Truth(setup, labels or "latest"), []
    for row, task in enumerate(tasks):
        labelled.append(truth.take(row, task.annotations))
        for place, prediction in enumerate(_predictions(task)):
            if prediction.model_version in members:
                columns = members[prediction.model_version]
                number = prediction.id or place
                columns.take(row, number, prediction.score, prediction.result)
    rows, item_ids = range(len(tasks)), _item_ids(tasks, key)
    said: dict[str, Any] = {}
    if labels is not None and any(labelled):
        notices += [*truth.notices(dict(enumerate(item_ids))), *truth.older(dates)]
        said = truth.columns(rows)
    columns_of = members or {None: Columns(setup)}
    return make_pool(columns_of, rows, item_ids, labelled, notices, **said)


def _predictions(task: _Task) -> list[_Prediction]:
    return [p for p in task.predictions if isinstance(p, _Prediction)]


def _refuse_numbers(tasks: Sequence[_Task]) -> None:
    bare = [task for task in tasks if any(isinstance(p, int) for p in task.predictions)]
    if bare:
        raise InvalidInput(
            f"the export has only prediction ids, not predictions, for {len(bare)} of "
            f"{counted(len(tasks), 'task')}.",
            hint="Label Studio's standard export leaves out predictions. Create a snapshot: "
            'POST /api/projects/<number>/exports/ with {"serialization_options": {"predictions": '
            '{"only_id": false}}}, and download it as JSON.',
        )


def _find_setup(
    tasks: Sequence[_Task],
    label_config: str | None,
    from_name: str | Sequence[str] | None,
    notices: list[Notice],
) -> Setup:
    if label_config is not None:
        return find_setup(
            {"parsed_label_config": parse_config(label_config), "label_config": label_config},
            from_name,
        )
    results = [p.result for task in tasks for p in _predictions(task)]
    results += [a.result for task in tasks for a in task.annotations]
    tags, multiple = derived_tags(results)
    if not tags:
        raise InvalidInput(
            "label_config must be set for an export without predictions and annotations; got None.",
            hint="for a COCO results list, set source.images to the file that lists the images.",
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


def _choose_versions(
    tasks: Sequence[_Task], named: str | Sequence[str] | None, notices: list[Notice]
) -> dict[str | None, str]:
    """The model versions to read, with the date of each one's newest prediction; empty if none."""
    newest: dict[str | None, tuple[str, int]] = {}
    counts: dict[str | None, int] = {}
    for task in tasks:
        for p in _predictions(task):
            version = p.model_version
            if version is None or not version.startswith(_COPY):
                newest[version] = max(newest.get(version, ("", 0)), (p.created_at, p.id))
                counts[version] = counts.get(version, 0) + 1
    known = sorted(newest, key=lambda version: (newest[version], version or ""), reverse=True)
    wanted: list[str | None] = [named] if isinstance(named, str) else [*(named or known[:1])]
    for version in wanted:
        if version not in newest:
            raise NotFound(
                f"model_version must be one of the export's versions; got {version!r}.",
                hint=f"available versions: {', '.join(repr(v) for v in known) or 'none'}.",
            )
    if not known:
        notices.append(Notice("no_predictions", "The export has no predictions."))
    others = ", ".join(f"{v} ({counts[v]})" for v in known if v not in wanted)
    if others:
        used = ", ".join(str(version) for version in wanted)
        message = (
            f"The export has predictions of {counted(len(known), 'model version')}; "
            f"using {used}, not {others}."
        )
        notices.append(Notice("mixed_model_versions", message))
    return {version: newest[version][0] for version in wanted}


def _item_ids(tasks: Sequence[_Task], key: str | None) -> list[str]:
    if key is None:
        without = sum(task.id is None for task in tasks)
        if without:
            raise InvalidInput(
                f"every task must have an id; got {without} without one.",
                hint="set source.key to a data key that is unique for every task.",
            )
        return [str(task.id) for task in tasks]
    ids = [key_value(task.data, key) for task in tasks]
    if "" in ids:
        row = ids.index("") + 1
        raise InvalidInput(
            f"source.key must be a key with text or a number in every task's data; got {key!r}, "
            f"missing from task {row} of the file."
        )
    return ids


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


__all__ = ["key_value", "read_export"]
