"""The records of exported files: tasks with their predictions and annotations, as they stand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext.support.words import counted
from labelnext_adapters.label_studio_format.annotations import Annotation
from labelnext_adapters.label_studio_format.faults import UNDECODABLE
from labelnext_adapters.label_studio_format.moments import moment
from labelnext_adapters.label_studio_format.region import shown

_FEW = 0.1  # of the records may be unreadable
_NAMED = 5  # of them are named in an error
_OF_MIN = {"annotation_id", "annotator", "lead_time"}  # only JSON_MIN has these beside the data


#: How to get an export with predictions.
SNAPSHOT = (
    'Create a snapshot: POST /api/projects/<number>/exports/ with {"serialization_options": '
    '{"predictions": {"only_id": false}}}, and download it as JSON.'
)


class Prediction(msgspec.Struct):
    """A prediction as it stands; the text, numbers and nulls that Label Studio imports, too."""

    id: Any = None
    model_version: Any = None
    score: Any = None
    created_at: Any = None
    result: msgspec.Raw = msgspec.Raw(b"[]")

    @property
    def version(self) -> str | None:
        """Its model version, as text."""
        return None if self.model_version is None else str(self.model_version)

    @property
    def made(self) -> float:
        """When it was made, as of `moment`."""
        return moment(self.created_at)


class _Annotation(msgspec.Struct):
    id: Any = 0
    result: msgspec.Raw = msgspec.Raw(b"[]")
    was_cancelled: Any = False
    ground_truth: Any = False
    created_at: Any = None
    updated_at: Any = None
    completed_by: Any = None
    parent_prediction: Any = None


class _Record(msgspec.Struct):
    data: dict[str, msgspec.Raw]
    id: int | str | None = None
    predictions: list[msgspec.Raw] | None = None
    annotations: list[msgspec.Raw] | None = None
    completions: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


@dataclass
class Task:
    """A task of an export.

    Attributes:
        place: where it stands, for messages.
        id: its number; None of a task that is still to be imported.
        data: its data keys.
        predictions: whole ones.
        n_bare: of how many predictions the export has the number alone.
        n_broken: of how many it has neither.
        annotations: also those that were skipped.
    """

    place: str
    id: str | None
    data: dict[str, msgspec.Raw]
    predictions: list[Prediction] = field(default_factory=list)
    n_bare: int = 0
    n_broken: int = 0
    annotations: list[Annotation] = field(default_factory=list)


_raws = msgspec.json.Decoder(list[msgspec.Raw])
_raw = msgspec.json.Decoder(msgspec.Raw)
_record = msgspec.json.Decoder(_Record)
_prediction = msgspec.json.Decoder(Prediction | int)
_annotation = msgspec.json.Decoder(_Annotation)
_keys = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_tasks(files: Mapping[str, bytes], notices: list[Notice]) -> list[Task]:
    """The tasks of exported files, those that are there several times once.

    Args:
        files: what is in them, by their names.
        notices: added to.

    Raises:
        InvalidInput: if one is no JSON export, or more than a tenth of the records are no tasks.
    """
    tasks: list[Task] = []
    faults: list[str] = []
    for name, body in files.items():
        of_file = f" of {name}" if len(files) > 1 else ""
        records = [*_records(body, of_file)]
        _refuse_kinds([record for _, record in records], of_file)
        for place, record in records:
            try:
                _check_keys(record)
                tasks.append(_task(record, place))
            except (*UNDECODABLE, ValueError) as error:
                faults.append(f"{place}{_number(record)} ({error})")
    if faults:
        _report(faults, len(tasks), notices)
    return _united(
        tasks, notices, "in several exports" if len(files) > 1 else "with several records"
    )


def _check_keys(record: msgspec.Raw) -> None:
    """Refuse a record in which an object has a key twice: decoders only keep the last of two.

    Raises:
        ValueError: if so.
    """
    try:
        kept = msgspec.json.encode(msgspec.json.decode(record))
    except UNDECODABLE:
        kept = b""  # a value that nobody may ask for, such as 1e999
    if kept.count(b":") != bytes(record).count(b":"):  # the quickest to count
        json.loads(bytes(record), object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON.

    Raises:
        ValueError: if it has a key twice.
    """
    record = dict(pairs)
    if len(record) < len(pairs):
        doubled, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"an object must have each key once; one has {doubled!r:.60} twice")
    return record


def _records(body: bytes, of: str) -> Iterator[tuple[str, msgspec.Raw]]:
    """The records of a list, of lines, or the only one, each with its place."""
    text = _text(body, of)
    start = text[:1]
    try:
        records = _raws.decode(text) if start == b"[" else [_raw.decode(text)]
    except (msgspec.DecodeError, RecursionError) as error:
        if start == b"{":
            yield from _lines(text, of)
            return
        records = _with_nan(text, error, of)
    for number, record in enumerate(records, 1):
        yield f"record {number}{of}", record


def _lines(text: bytes, of: str) -> Iterator[tuple[str, msgspec.Raw]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield f"line {number}{of}", _raw.decode(line)
            except (msgspec.DecodeError, RecursionError) as error:
                raise _no_export(f"line {number}: {error}", of) from None


def _text(body: bytes, of: str) -> bytes:
    """The file as UTF-8, from its first sign on."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            body = body.decode("utf-16").encode()
        except UnicodeError as error:
            raise _no_export(str(error), of) from None
    try:
        body.decode("utf-8")  # inside a text, the decoder would find it too late
    except UnicodeError as error:
        raise _no_export(str(error), of) from None
    return body.removeprefix(b"\xef\xbb\xbf").strip()


def _with_nan(text: bytes, error: Exception, of: str) -> list[msgspec.Raw]:
    """The records of a list with NaN or Infinity, which Python writes, though JSON has neither."""
    try:
        value = json.loads(text, parse_constant=lambda name: None, object_pairs_hook=_once)
    except json.JSONDecodeError:
        raise _no_export(str(error), of) from None
    except (ValueError, RecursionError) as fault:
        raise _no_export(str(fault), of) from None
    if not isinstance(value, list):
        raise _no_export(str(error), of)
    return [msgspec.Raw(json.dumps(record).encode()) for record in value]


def _no_export(problem: str, of: str) -> InvalidInput:
    return InvalidInput(
        f"the file{of} must be a JSON export of a Label Studio project; {problem}.",
        hint="export the project as JSON; for a COCO results list, set source.images to the file "
        "that lists the images.",
    )


def _refuse_kinds(records: Sequence[msgspec.Raw], of: str) -> None:
    """Refuse other exports of Label Studio, by their names.

    Raises:
        InvalidInput: if it is one.
    """
    for record in records:
        keys = _keys_of(record)
        if "completions" in keys:
            raise InvalidInput(
                f"the file{of} must be an export of Label Studio 1.0 or later; got completions, "
                "as Label Studio 0.x exports them.",
                hint="import it into a current Label Studio, and export it from there.",
            )
        if "data" in keys:
            continue
        if {"task", "result"} <= keys.keys() and bytes(keys["task"]).startswith(b"{"):
            raise InvalidInput(
                f"the file{of} must be a list of tasks; got an annotation, as Label Studio writes "
                "it to a target storage, which has no predictions.",
                hint=SNAPSHOT,
            )
        if _OF_MIN & keys.keys():
            raise InvalidInput(
                f"the file{of} must be a Label Studio export in the format JSON; got JSON_MIN, "
                "which has no predictions.",
                hint="choose JSON when exporting, or download a snapshot with exportType=JSON.",
            )
        if "tasks" in keys:
            raise InvalidInput(
                f"the file{of} must be a list of tasks; got the keys {', '.join(keys)}, as in an "
                "answer of Label Studio's API.",
                hint="save the list under tasks by itself, or export the project as JSON.",
            )
        if {"task", "result"} <= keys.keys():
            raise InvalidInput(
                f"the file{of} must be a list of tasks; got a list of predictions.",
                hint="export the project, so that the predictions come with their tasks.",
            )
    if records and not any("data" in _keys_of(record) for record in records):
        raise _no_export("its records have no data", of)


def _keys_of(record: msgspec.Raw) -> dict[str, msgspec.Raw]:
    """The keys of a record; none if it is no object."""
    try:
        return _keys.decode(record)
    except UNDECODABLE:
        return {}


def _task(raw: msgspec.Raw, place: str) -> Task:
    """A record as a task.

    Raises:
        MsgspecError: if it is none; it names the key.
    """
    record = _record.decode(raw)
    number = record.id if record.id != "" else None
    task = Task(place, None if number is None else str(number), record.data)
    for each in record.predictions or ():
        try:
            prediction = _prediction.decode(each)
        except UNDECODABLE:
            task.n_broken += 1
            continue
        if isinstance(prediction, int):
            task.n_bare += 1
        else:
            task.predictions.append(prediction)
    for each in record.annotations or ():
        try:
            task.annotations.append(_annotation_of(_annotation.decode(each)))
        except UNDECODABLE:
            task.annotations.append(Annotation(0, msgspec.Raw(b"null")))
    return task


def _annotation_of(record: _Annotation) -> Annotation:
    who = record.completed_by
    who = who.get("id") if isinstance(who, dict) else who
    return Annotation(
        _whole(record.id) or 0,
        record.result,
        bool(record.was_cancelled),
        bool(record.ground_truth),
        record.created_at if isinstance(record.created_at, str) else "",
        record.updated_at if isinstance(record.updated_at, str) else "",
        _whole(who),
        _whole(record.parent_prediction),
    )


def _whole(value: object) -> int | None:
    """A whole number that an array can hold; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if abs(value) < 2**62 else None


def _number(record: msgspec.Raw) -> str:
    """The id of a record that is no task, if it has one."""
    number = _keys_of(record).get("id")
    return "" if number is None else f", id {shown(number)}"


def _report(faults: Sequence[str], n_tasks: int, notices: list[Notice]) -> None:
    """Say which records were left out.

    Raises:
        InvalidInput: if they are more than a few.
    """
    n_records = n_tasks + len(faults)
    if len(faults) > _FEW * n_records:
        raise InvalidInput(
            f"the records must be tasks as Label Studio exports them; "
            f"{len(faults):,} of {n_records:,} aren't: {listed(faults, _NAMED)}.",
            hint="Label Studio can't import these either; export the project anew, as JSON.",
        )
    message = (
        f"Left out {len(faults):,} of {counted(n_records, 'record')} that are no tasks: "
        f"{listed(faults, _NAMED)}."
    )
    notices.append(Notice("broken_records", message))


def _united(tasks: Sequence[Task], notices: list[Notice], how: str) -> list[Task]:
    """The tasks without repetitions; what is of the same task comes together.

    Args:
        tasks: of one export or several.
        notices: added to.
        how: tasks are there several times, in words.

    Raises:
        InvalidInput: if tasks of different data have the same number.
    """
    first: dict[str, Task] = {}
    united: list[Task] = []
    again: list[str] = []
    for task in tasks:
        known = None if task.id is None else first.setdefault(task.id, task)
        if known is None or known is task or task.id is None:
            united.append(task)
            continue
        if _plain(known.data) != _plain(task.data):
            raise InvalidInput(
                f"tasks must have different ids, or be the same; {known.place} and {task.place} "
                f"have id {task.id} and different data.",
                hint="read exports of several servers one by one, each with a run of its own; or "
                "set source.key to a data key that is unique for every task.",
            )
        again.append(task.id)
        known.predictions += [p for p in task.predictions if p not in known.predictions]
        known.annotations += [a for a in task.annotations if a not in known.annotations]
        known.n_bare, known.n_broken = known.n_bare + task.n_bare, known.n_broken + task.n_broken
    if again:
        ids = tuple(dict.fromkeys(again))
        message = f"{counted(len(ids), 'task')} {how}, each read as one."
        notices.append(Notice("tasks_in_several_files", message, ids))
    return united


def _plain(data: Mapping[str, msgspec.Raw]) -> dict[str, Any]:
    return {key: msgspec.json.decode(value) for key, value in data.items()}
