"""JSON to rows: a list of objects, columns, or scores by item."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from labelnext.errors import InvalidInput, listed
from labelnext.support.started import how
from labelnext_adapters.files.content.content import parsed_lines, read_text
from labelnext_adapters.files.content.item_ids import as_texts
from labelnext_adapters.files.content.oddities import Broken, mostly
from labelnext_adapters.files.json.float_ids import float_ids
from labelnext_adapters.files.json.keyed_lines import are_keyed, as_one
from labelnext_adapters.files.json.odd_values import without_odd
from labelnext_adapters.files.json.records import as_scores, table_of_records
from labelnext_adapters.files.json.roles import Roles
from labelnext_adapters.files.tables.box_rows import are_box_rows, check_box_rows, named_rows
from labelnext_adapters.files.tables.column_names import corners_in, first_of, shape_in
from labelnext_adapters.files.tables.known_names import (
    ANSWERS,
    CERTAINTIES,
    CLASSES,
    IDS,
    IMAGES,
    LOGITS,
    SCORES,
    VECTORS,
)
from labelnext_adapters.files.tables.matrix import table_of_matrix
from labelnext_adapters.files.tables.rows import Rows, with_float_ids
from labelnext_adapters.files.tables.served_rows import served_rows
from labelnext_adapters.files.tables.transcripts import refuse_transcripts
from labelnext_adapters.files.tables.vectors import sums_to_one


def read_json_table(path: Path, roles: Roles) -> Rows:
    """A JSON list of objects, one an item, alone or as the only list of an object; or columns.

    Raises:
        InvalidInput: if it is something else.
    """
    text = read_text(path)
    value = parsed_lines(text)
    lists = value.values() if isinstance(value, dict) else [value]
    for records in lists:
        name = float_ids(records, roles) if isinstance(records, list) else None
        if name is not None:
            rows = rows_of_json(parsed_lines(as_texts(name, text)), roles)
            return with_float_ids(rows, name)
    if isinstance(value, list) and are_keyed(value, roles):
        value = as_one([(f"record {n}", one) for n, one in enumerate(value, 1)], roles) or value
    return rows_of_json(value, roles)


def rows_of_json(value: Any, roles: Roles) -> Rows:
    """The rows of a JSON value: a list of objects, columns, scores by item, or a matrix.

    Raises:
        InvalidInput: if it is something else.
    """
    if (matrix := table_of_matrix(value)) is not None:
        return Rows(*matrix)
    value, notices = served_rows(value) or (value, [])
    if isinstance(value, dict):
        value = _with_broken(_unwrapped(value), roles)
    if not isinstance(value, list) or 2 * sum(isinstance(v, dict) for v in value) < len(value):
        what = "a list of other values" if isinstance(value, list) else f"{json.dumps(value):.60}"
        raise InvalidInput(
            f"a JSON file must be a list of objects, one for each item; got {what}.",
            hint='write objects such as {"item_id": "a.jpg", "probabilities": {"cat": 0.9}}; '
            f"{how('formats')} lists the formats that are recognised.",
        )
    table, odd, place = table_of_records(
        [(f"record {n}", r) for n, r in enumerate(value, 1)], roles
    )
    return Rows(table, [*notices, *odd], place)


#: Keys of what is said of a whole file.
_ABOUT = ("meta", "metadata", "info", "config", "args")
_NO_ROWS = "the value of {!r:.60} must be rows of five or six numbers; got {!r:.60}"
_NO_SCORES = "the value of {!r:.60} must be classes with their scores; got {!r:.60}"
_OF_TIGHT = ("index_names", "column_names")  # as pandas' to_dict() adds
_NAMED = tuple(name for name in IDS if name != "name")
#: Keys of an object whose only list may be of the records.
_WRAPPERS = (
    "predictions",
    "results",
    "outputs",
    "responses",
    "data",
    "items",
    "records",
    "samples",
    "images",
    "frames",
)


def _unwrapped(value: dict[str, Any]) -> dict[str, Any]:
    """The object inside one that has nothing else but plain values, such as the model's name."""
    nested = _nested(value)
    while (
        len(nested) == 1 and nested[0].lower() in _WRAPPERS and isinstance(value[nested[0]], dict)
    ):
        value = value[nested[0]]
        nested = _nested(value)
    return value


def _nested(value: dict[str, Any]) -> list[str]:
    """The keys of objects and lists, but for what is said of the whole file."""
    return [
        name for name, one in value.items() if isinstance(one, dict | list) and name not in _ABOUT
    ]


def _with_broken(value: dict[str, Any], roles: Roles) -> list[Any]:
    """The records of an object; of one by item, with the few of another form as broken ones."""
    named = roles.id_among(list(value))
    rest, odd = (value, {}) if named is not None else without_odd(value)
    rows = _listed_records(rest, roles)
    for place in sorted(odd):
        rows.insert(place, odd[place])
    return rows


def _are_columns(value: dict[str, Any]) -> bool:
    """Whether keys are those of a column of classes and one of certainties."""
    return None not in (first_of(value, ANSWERS), first_of(value, CERTAINTIES))


def _check_ids(value: dict[str, Any], roles: Roles) -> None:
    """Refuse an object of columns without any of ids: its keys may be the items.

    Raises:
        InvalidInput: if it has none.
    """
    if roles.id_among(list(value)) is None:
        first = next(iter(value))
        raise InvalidInput(
            f"an object must have class scores by item or by class that sum to 1, detections by "
            f"item, or columns with one of ids; got {first!r:.60}: {value[first]!r:.80}.",
            hint="write a list of objects, one for each item, with item_id and probabilities, "
            "logits or objects.",
        )


def _listed_records(value: dict[str, Any], roles: Roles) -> list[Any]:
    if value.get("type") in ("FeatureCollection", "Feature"):
        raise InvalidInput(
            "GeoJSON isn't read: it has shapes on a map, but not the items that they are of.",
            hint="write CSV or JSONL with item_id, prediction and confidence for each feature.",
        )
    refuse_transcripts(value)
    if (rows := _described(value) or _split(value)) is not None:
        return rows
    scored = {name: as_scores(one) for name, one in value.items()}
    if scored and None not in scored.values():
        return [{"item_id": name, "predictions": one} for name, one in scored.items()]
    columns = list(value.values())
    if (rows := _rows_by_item(value)) is not None:
        return rows
    lists = [name for name, column in value.items() if isinstance(column, list)]
    if len(lists) == 1 and lists[0].lower() in _WRAPPERS:
        records: list[dict[str, Any]] = value[lists[0]]
        if records and all(isinstance(one, dict) for one in records):
            return records
    if (by_name := _records_by_item(value)) is not None:
        return by_name
    if columns and all(isinstance(column, list) for column in columns):
        if mostly(map(sums_to_one, columns)) and len({len(row) for row in columns}) == 1:
            return [{"item_id": name, "probabilities": row} for name, row in value.items()]
        if len({len(column) for column in columns}) > 1:
            lengths = [f"{name} has {len(value[name])}" for name in list(value)[:5]]
            raise InvalidInput(
                f"it must be a list of objects, or columns of the same length; {listed(lengths)}.",
                hint="write a list of objects, one for each item, with item_id and probabilities "
                "or objects.",
            )
        _check_ids(value, roles)
        return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]
    if columns and all(isinstance(column, dict) for column in columns):
        if (by_item := _scores_by_item(value) or _predicted_by_item(value, roles)) is not None:
            return by_item
        keys = list(columns[0])
        alike = all(list(column) == keys for column in columns)
        if not (alike and keys != [*map(str, range(len(keys)))] and _are_columns(value)):
            _check_ids(value, roles)
        if alike:  # pandas' to_json(), by the index, which names the items where no column does
            named = first_of(value, (*IMAGES, *IDS)) is not None
            rows = [{name: value[name][key] for name in value} for key in keys]
            return rows if named else [{"": k, **row} for k, row in zip(keys, rows, strict=True)]
    raise _refusal(value)


def _refusal(value: dict[str, Any]) -> InvalidInput:
    """Why an object can't be read as a table."""
    shown = ", ".join(list(value)[:8])
    if broken := next((one for one in value.values() if isinstance(one, Broken)), None):
        return InvalidInput(
            f"can't read this JSON: {broken.why}.", hint="keep one of them: they may differ."
        )
    if isinstance(value.get("tasks"), list):
        return InvalidInput(
            f"this JSON must be a list; got the keys {shown}, as in an answer of Label Studio's "
            "API.",
            hint="save the list under tasks by itself, or export the project as JSON.",
        )
    return InvalidInput(
        "this JSON has none of the formats that labelnext recognises; it has "
        f"{f'the keys {shown}' if shown else 'no keys'}.",
        hint="convert it to a JSON list of objects, one for each item, with item_id and "
        f"probabilities or objects; {how('formats')} lists all formats.",
    )


def _rows_by_item(value: dict[str, Any]) -> list[Any] | None:
    """Detections as rows of numbers, or one number, by item; None if it is something else.

    Raises:
        InvalidInput: if it can't be told which of the numbers is the confidence.
    """
    columns = list(value.values())
    fits = [*map(are_box_rows, columns)]
    if any(columns) and mostly(fits):
        check_box_rows([rows for rows, fit in zip(columns, fits, strict=True) if fit])
        return [
            {"item_id": name, "predictions": rows} if fit else Broken(_NO_ROWS.format(name, rows))
            for (name, rows), fit in zip(value.items(), fits, strict=True)
        ]
    if (named := named_rows(columns)) is not None:
        return [
            {"item_id": name, "predictions": rows} for name, rows in zip(value, named, strict=True)
        ]
    numbers = [number for number in columns if number is not None]
    if len(numbers) > 1 and all(type(number) in (int, float) for number in numbers):
        return [{"item_id": name, "score": number} for name, number in value.items()]
    return None


def _described(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The rows of pandas' ``to_json(orient="table")``; None if it is something else.

    Example:
        >>> about = {"fields": [], "primaryKey": ["index"]}
        >>> _described({"schema": about, "data": [{"index": "a", "confidence": 0.5}]})
        [{'': 'a', 'confidence': 0.5}]
    """
    schema, rows = value.get("schema"), value.get("data")
    if value.keys() != {"schema", "data"} or not isinstance(schema, dict) or "fields" not in schema:
        return None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return None
    if schema.get("primaryKey") != ["index"]:
        return rows
    numbered = [row.get("index") for row in rows] == list(range(len(rows)))
    rest = [{k: v for k, v in row.items() if k != "index"} for row in rows]
    return (
        rest
        if numbered
        else [{"": row.get("index"), **one} for row, one in zip(rows, rest, strict=True)]
    )


def _split(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The rows of pandas' ``orient="split"`` or ``"tight"``; None if it is something else.

    Example:
        >>> _split({"columns": ["id", "confidence"], "index": [0], "data": [["a", 0.5]]})
        [{'id': 'a', 'confidence': 0.5}]
        >>> _split({"columns": ["confidence"], "index": ["a"], "data": [[0.5]]})
        [{'': 'a', 'confidence': 0.5}]
    """
    names, rows = value.get("columns"), value.get("data")
    others = value.keys() - {"columns", "index", "data", *_OF_TIGHT}  # Weights & Biases count both
    if not isinstance(names, list) or any(isinstance(value[name], list) for name in others):
        return None
    if not isinstance(rows, list) or not all(isinstance(name, str) for name in names):
        return None
    if not all(isinstance(row, list) and len(row) == len(names) for row in rows):
        return None
    index = value.get("index")
    if isinstance(index, list) and len(index) == len(rows) and index != list(range(len(rows))):
        levels = [one if isinstance(one, list) else [one] for one in index]
        names = [*_levels(value.get("index_names"), len(levels[0]) if levels else 0), *names]
        rows = [[*level, *row] for level, row in zip(levels, rows, strict=True)]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _levels(stated: Any, n_levels: int) -> list[str]:
    """What the columns of an index are called; the first without a name as pandas writes it."""
    known = stated if isinstance(stated, list) and len(stated) == n_levels else [None] * n_levels
    return [str(name or (f"level_{at}" if at else "")) for at, name in enumerate(known)]


def _records_by_item(value: dict[str, Any]) -> list[Any] | None:
    """A class with its score, or a list of those, by item; None if it is something else.

    Records that name their items, by the index of pandas, are those of a list.

    Example:
        >>> _records_by_item({"a": {"label": "cat", "prob": 0.5}})
        [{'item_id': 'a', 'predictions': [{'label': 'cat', 'prob': 0.5}]}]
    """
    if mostly(map(_has_vector, value.values())):
        return None
    lists = [one if isinstance(one, list) else [one] for one in value.values()]
    told = [record for records in lists for record in records]
    fits = [all(map(_is_scored, records)) for records in lists]
    if not told or not mostly(fits) or not any(map(_is_scored, told)):
        return None
    numbered = list(value) == [*map(str, range(len(value)))]
    if numbered and len(told) == len(value) and first_of(told[0], (*IMAGES, *_NAMED)):
        return told
    return [
        {"item_id": name, "predictions": records} if fit else Broken(_NO_SCORES.format(name, one))
        for (name, one), records, fit in zip(value.items(), lists, fits, strict=True)
    ]


def _is_scored(record: Any) -> bool:
    """Whether a record has a class or a box, and how sure a model is of it."""
    return isinstance(record, dict) and _name_scores(tuple(record))


def _has_vector(record: Any) -> bool:
    """Whether a record has the scores of all classes, maybe beside the likeliest one."""
    return isinstance(record, dict) and any(
        isinstance(one, list) and sums_to_one(one)
        for name, one in record.items()
        if first_of((name,), ("probabilities", *VECTORS))
    )


@lru_cache(1 << 10)
def _name_scores(keys: tuple[str, ...]) -> bool:
    told = first_of(keys, CLASSES) or corners_in(keys) or shape_in(keys)
    return bool(told and first_of(keys, SCORES))


def _scores_by_item(value: dict[str, dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Class scores by item, or by class; None if it can't be told which, or they are neither.

    Example:
        >>> _scores_by_item({"a": {"cat": 0.75, "dog": 0.25}, "b": {"cat": 0.5, "dog": 0.5}})[0]
        {'item_id': 'a', 'probabilities': {'cat': 0.75, 'dog': 0.25}}
    """
    turned: dict[str, dict[str, Any]] = {}
    for name, inside in value.items():
        for key, number in inside.items():
            turned.setdefault(key, {})[name] = number
    mappings = [
        one
        for one in (value, turned)
        if mostly(sums_to_one(list(scores.values())) for scores in one.values())
    ]
    if len(mappings) != 1:
        return None
    return [{"item_id": name, "probabilities": scores} for name, scores in mappings[0].items()]


def _predicted_by_item(
    value: dict[str, dict[str, Any]], roles: Roles
) -> list[dict[str, Any]] | None:
    """Records with predictions by item; None if they have none, or the keys are columns.

    Example:
        >>> _predicted_by_item({"a": {"probabilities": [0.5, 0.5]}}, Roles())
        [{'item_id': 'a', 'probabilities': [0.5, 0.5]}]
    """
    told = ("probabilities", "objects", "confidence", *VECTORS, *LOGITS)
    first = next(iter(value.values()))
    if first_of(value, told) or roles.id_among(list(value)):
        return None
    if roles.id_among(list(first)):  # by the index of pandas
        return list(value.values())
    if not first_of(first, told):
        return None
    return [{"item_id": name, **record} for name, record in value.items()]
