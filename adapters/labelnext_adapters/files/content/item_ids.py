"""Which key of a foreign record holds an item's id; and ids that another file lists."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from labelnext.errors import InvalidInput, NotFound, listed
from labelnext_adapters.files.content.content import read_records, read_text, records_in
from labelnext_adapters.files.content.oddities import Oddities, Unusable, unbroken
from labelnext_adapters.files.content.values import id_text

#: Keys that hold an item's id, in the order of preference.
ITEM_KEYS = (
    "item_id", "custom_id", "id", "image_id", "file_name", "filename", "image", "image_path",
    "image_name", "img", "audio", "file", "path", "filepath", "uid", "uuid", "key", "sample_id",
    "doc_id", "text_id", "comment_id", "reference_id", "recordId", "record_id", "request_id",
    "frame_index", "frame_number", "frame_id", "frame", "item", "task_id", "question_id",
    "index", "idx",
)  # fmt: skip
_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
#: Further keys that tell records apart, though they may number the records of one item.
_NUMBERS = ("prompt_id", "example_id", "row_id", "input_id")


def value_at(record: Any, key: str) -> Any:
    """The value of a key, also of one inside others with a dot; None if there is none.

    Example:
        >>> value_at({"image": {"path": "a.jpg"}}, "image.path")
        'a.jpg'
    """
    if isinstance(record, Mapping) and key in record:
        return record[key]
    for part in key.split("."):
        if not isinstance(record, Mapping):
            return None
        record = record.get(part)
    return record


def id_in(record: Any, key: str | None, keys: Sequence[str] = ITEM_KEYS) -> Any:
    """The id of a record: of the key that the user names, or of the first usual one.

    Args:
        record: of a file.
        key: `source.key`.
        keys: the usual ones.

    Raises:
        Unusable: if the named key isn't there.
    """
    if key is not None:
        value = value_at(record, key)
        if value is None:
            raise Unusable(f"it must have the key {key!r}")
        return value
    number = None
    for name in keys:
        value = record.get(name)
        if isinstance(value, Mapping):  # an image with its path
            value = value.get("path")
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return value
        if number is None and isinstance(value, float):
            number = value  # no id, but the reason that there is none
    return number


def read_identified(path: Path, key: str | None) -> list[tuple[str, Any]]:
    """The records of a file, as of `read_records`; ids that are floats as the texts that they are.

    Args:
        path: of the file.
        key: `source.key`.

    Raises:
        InvalidInput: if it is no JSON.
    """
    text = read_text(path)
    records = records_in(text)
    names = (_float_key(one, key) for _, one in records if isinstance(one, Mapping))
    name = next(filter(None, names), None)
    return records if name is None else records_in(as_texts(name, text))


def as_texts(name: str, text: str) -> str:
    """JSON in which the numbers under a key are texts, as they are written.

    Example:
        >>> as_texts("id", '{"id": 1.10, "score": 0.5}')
        '{"id": "1.10", "score": 0.5}'
    """
    key = re.escape(json.dumps(name, ensure_ascii=False))
    return re.sub(rf"({key}\s*:\s*)({_NUMBER})(?=\s*[,}}])", r'\1"\2"', text)


def _float_key(record: Mapping[str, Any], key: str | None) -> str | None:
    """The key of a record's id, if that is a float."""
    if key is None and not isinstance(id_in(record, None), float):
        return None
    floats = (n for n in ((key,) if key else ITEM_KEYS) if isinstance(record.get(n), float))
    return next((name for name in floats if math.isfinite(record[name])), None)


def check_no_key(key: str | None, named_by: str, hint: str = "leave it out.") -> None:
    """Refuse a key that nothing is looked up by.

    Args:
        key: `source.key`; item_id, which side files have by default, stands for any ids.
        named_by: what the ids are instead, as the end of a sentence.
        hint: what to do.

    Raises:
        InvalidInput: if there is one.

    Example:
        >>> check_no_key("item_id", "the names of the files are the ids")
    """
    if key not in (None, "item_id"):
        message = f"source.key can't be used here: {named_by}; got {key!r:.60}."
        raise InvalidInput(message, hint=hint)


def check_one_id(records: Sequence[Any], items: Collection[str], key: str | None) -> None:
    """Refuse an id that nobody named, where it is that of all records and another tells them apart.

    Args:
        records: as they stand in the file.
        items: their ids.
        key: `source.key`.

    Raises:
        InvalidInput: if so.
    """
    if key is not None or len({*items}) != 1 or len(records) < 2:
        return
    for name in (*ITEM_KEYS, *_NUMBERS):
        told = [record.get(name) for record in records if isinstance(record, Mapping)]
        values = list(dict.fromkeys(str(v) for v in told if isinstance(v, str | int)))
        if len(values) > 1:
            raise InvalidInput(
                f"a key must tell the items apart; all records have the id {next(iter(items))!r}, "
                f"and {name} is {listed(values)}.",
                hint=f"set source.key: {name}, or the key of the items' ids.",
            )


def listed_ids(path: Path, key: str | None = None) -> list[str]:
    """The ids that a file lists: one a line, or a column of CSV, TSV, JSON or JSONL.

    Args:
        path: of the file.
        key: the column; one of the usual names, or the only one, when None.

    Raises:
        NotFound: if there is no such file.
        InvalidInput: if there is no such column, or an id is no text or whole number.
    """
    if not path.is_file():
        raise NotFound(f"ids must be a file; got {str(path)!r}, which isn't one.")
    endings = [ending.lower() for ending in path.suffixes]
    if ".csv" in endings or ".tsv" in endings:
        rows = csv.DictReader(read_text(path).splitlines(), dialect=_dialect(endings))
        entries: list[Any] = [(f"line {n}", row) for n, row in enumerate(rows, 2)]
    elif ".json" in endings or ".jsonl" in endings:
        entries = list(read_records(path))
    else:
        lines = read_text(path).splitlines()
        entries = [(f"line {n}", line.strip()) for n, line in enumerate(lines, 1) if line.strip()]
    if not any(isinstance(record, Mapping) for _, record in entries):
        hint = "leave it out, or write the ids as a column of CSV or JSONL."
        check_no_key(key, f"{path.name} lists ids alone", hint)
    odd = Oddities("id")
    ids = []
    for place, record in entries:
        with odd.record(place):
            ids.append(id_text(_id_of_row(record, key)))
    if odd.left_out:
        place, _, why = odd.left_out[0]
        raise InvalidInput(f"{path.name} must list an id for each item; {place}: {why}.")
    return ids


def _dialect(endings: Sequence[str]) -> str:
    return "excel-tab" if ".tsv" in endings else "excel"


def _id_of_row(record: Any, key: str | None) -> Any:
    if not isinstance(unbroken(record), Mapping):
        return record
    value = id_in(record, key)
    if value is None and len(record) == 1:
        value = next(iter(record.values()))
    if value is None:
        raise Unusable(f"no column of ids in {listed(record)} (set source.key)")
    return value
