"""Records of JSON to a table, where they don't all have the same types."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from labelnext.pool.objects import Notice
from labelnext.pool.texts import value_text
from labelnext.support.words import counted
from labelnext_adapters.files.content.oddities import Oddities, Unusable, unbroken
from labelnext_adapters.files.content.unpacked import check_spread
from labelnext_adapters.files.content.values import id_text, real
from labelnext_adapters.files.json.roles import Roles
from labelnext_adapters.files.json.types import common, fits, type_of

_WANTED = {
    "list": "a list",
    "object": "an object",
    "bool": "true or false",
    "written": "a number or a percentage",
}


def table_of_records(
    records: Sequence[tuple[str, Any]], roles: Roles
) -> tuple[pa.Table, list[Notice], Any]:
    """Records as columns; those that can't be used are left out and counted.

    Args:
        records: each with its place in the file.
        roles: of the columns.

    Returns:
        The table, notices, and a function from a row to its place.

    Raises:
        InvalidInput: if more than a tenth of the records can't be used.
    """
    odd = Oddities("record")
    kept: list[tuple[str, dict[str, Any]]] = []
    kinds = _kinds([record for _, record in records if isinstance(record, dict)], roles)
    id_name = roles.id_among(kinds)
    is_read = _read_among(records, kinds, roles, id_name).__contains__
    shown = _shown(kinds, id_name, roles)
    kinds |= dict.fromkeys(shown, "shown")
    n_keys = sum(len(record) for _, record in records if isinstance(record, dict))
    check_spread("the records' keys", len(records), len(kinds), n_keys)
    for place, record in records:
        item = record.get("item_id", "") if isinstance(record, dict) else ""
        with odd.record(place, item if isinstance(item, str | int) else ""):
            _check_object(record)
            if isinstance(value := record.get(id_name), float):  # 1.0, 1e0 and 1 are other texts
                raise Unusable(f"{id_name} must be text or a whole number; got {value!r:.60}")
            values = {name: _as(kinds[name], name, record.get(name), is_read) for name in kinds}
            kept.append((place, values))
    notices: list[Notice] = []
    nested = [name for name, kind in kinds.items() if kind in ("list", "object")]
    for name in nested:
        usable, misfits = _of_one_type(kept, name)
        if is_read(name):
            kept = usable
            for place, record in misfits:
                why = f"{name} must be of the same form as elsewhere; got {record[name]!r:.60}"
                odd.leave_out(place, record.get("item_id"), why)
        else:
            notices += _without(name, misfits, _strange(records, name, _is_nested))
    notices += _of_shown(shown, records, roles, id_name or "item_id")
    floats = any(isinstance(r, dict) and isinstance(r.get(id_name), float) for _, r in records)
    cure = "write ids as texts or as whole numbers: a float has several texts."
    notices += odd.notices(cure if floats else None)
    columns = {name: _column([record[name] for _, record in kept]) for name in kinds}
    places = [place for place, _ in kept]
    table = pa.table(columns) if columns else pa.table({})
    return table, notices, places.__getitem__


def _read_among(
    records: Sequence[tuple[str, Any]],
    kinds: dict[str, str],
    roles: Roles,
    id_name: str | None,
) -> set[str]:
    """The keys that are read; where none of them holds predictions, also one of class scores."""
    read, nested = {name for name in kinds if roles.is_read(name)}, ("list", "object")
    if any(kinds[name] in (*nested, "number") for name in read - {id_name}):
        return read
    values = {
        name: [record.get(name) for _, record in records if isinstance(record, dict)]
        for name, kind in kinds.items()
        if kind in nested
    }
    numeric = [n for n, v in values.items() if 2 * sum(map(_are_numbers, v)) > len(v)]
    return read | {*numeric} if len(numeric) == 1 else read


def _are_numbers(value: Any) -> bool:
    inside = value.values() if isinstance(value, dict) else value
    several = isinstance(value, list | dict) and len(value) > 1
    return several and all(type(one) in (int, float) for one in inside)


def _of_one_type(
    kept: list[tuple[str, dict[str, Any]]], name: str
) -> tuple[list[tuple[str, dict[str, Any]]], list[tuple[str, dict[str, Any]]]]:
    """The records whose nested value has the type of most, and the others."""
    held = [record[name] for _, record in kept if isinstance(record[name], dict)]
    check_spread(name, len(held), len({key for one in held for key in one}), sum(map(len, held)))
    types = [type_of(record[name]) for _, record in kept]
    counts = Counter(kind for kind in types if kind is not None)
    whole = common([kind for kind, _ in counts.most_common()])
    usable: list[tuple[str, dict[str, Any]]] = []
    misfits: list[tuple[str, dict[str, Any]]] = []
    for entry, kind in zip(kept, types, strict=True):
        fitting = kind is not None and whole is not None and fits(kind, whole)
        (usable if fitting else misfits).append(entry)
    return usable, misfits


def _strange(
    records: Sequence[tuple[str, Any]], name: str, fits: Callable[[Any], bool]
) -> list[tuple[str, Any]]:
    """What stands under a key where most records have another form, with its place."""
    values = [(place, one.get(name)) for place, one in records if isinstance(one, dict)]
    return [(place, value) for place, value in values if not fits(value)]


def _is_nested(value: Any) -> bool:
    """Whether a value is a list or an object, or nothing."""
    return value in (None, "") or isinstance(value, list | dict)


def _check_object(record: Any) -> None:
    """Refuse what is no object, or an empty one.

    Raises:
        Unusable: with the reason.
    """
    if not isinstance(unbroken(record), dict):
        raise Unusable(f"a record must be a JSON object; got {_written(record):.60}")
    if not record:
        raise Unusable("it is empty")


def _shown(kinds: dict[str, str], id_name: str | None, roles: Roles) -> list[str]:
    """The keys of texts without which a record still counts."""
    texts = [name for name, kind in kinds.items() if kind == "text" and name != id_name]
    return [name for name in texts if roles.may_lack(name)]


def _of_shown(
    shown: Sequence[str], records: Sequence[tuple[str, Any]], roles: Roles, id_name: str
) -> list[Notice]:
    """What is said of texts that are none."""
    notices: list[Notice] = []
    for name in shown:
        strange = _strange(records, name, lambda one: one is None or _text(one) is not None)
        if roles.is_said(name):
            notices += _said(name, records, strange, id_name)
        else:
            notices += _without(name, [], strange)
    return notices


def _said(
    name: str,
    records: Sequence[tuple[str, Any]],
    strange: Sequence[tuple[str, Any]],
    id_name: str,
) -> list[Notice]:
    """A notice of the values that are no texts, if they are few."""
    told = {place: record for place, record in records if isinstance(record, dict)}
    odd = Oddities(of=name, seen=sum(record.get(name) is not None for record in told.values()))
    for place, value in strange:
        why = f"{name} must be text or a whole number; got {value!r:.60}"
        odd.leave_out(place, _text(told[place].get(id_name)), why)
    return odd.notices()


def _text(value: Any) -> str | None:
    """A text, or a whole number in digits; None for anything else."""
    try:
        return value if isinstance(value, str) else id_text(value)
    except Unusable:
        return None


def _written(value: Any) -> str:
    """A value as JSON has it."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _without(
    name: str, misfits: Sequence[tuple[str, dict[str, Any]]], plain: Sequence[tuple[str, Any]]
) -> list[Notice]:
    """Take a value that is of no use out of its records; a notice unless all are empty."""
    told = [f"{place}: {record[name]!r:.60}" for place, record in misfits if record[name]]
    told += [f"{place}: {value!r:.60}" for place, value in plain]
    for _, record in misfits:
        record[name] = None
    if not told:
        return []
    message = (
        f"Left {name} out of {counted(len(told), 'record')}, but not the records: it differs in "
        f"form from the others; {'; '.join(told[:5])}."
    )
    return [Notice("not_read", message)]


def as_scores(value: Any) -> list[dict[str, Any]] | None:
    """Pairs of a class and its score as records, of Keras with a code before; None if neither.

    Example:
        >>> as_scores([["cat", 0.75], ["dog", 0.25]])[0], as_scores([["a", "b"]])
        ({'label': 'cat', 'score': 0.75}, None)
        >>> as_scores(["cat", 0.75])
        [{'label': 'cat', 'score': 0.75}]
        >>> as_scores([["n02123045", "tabby", 0.75]])
        [{'label': 'tabby', 'score': 0.75}]
    """
    if not isinstance(value, list) or not value:
        return None
    pairs = [value] if isinstance(value[0], str) else value
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) not in (2, 3):
            return None
        names, score = pair[:-1], pair[-1]
        if not all(isinstance(name, str) for name in names) or not isinstance(score, int | float):
            return None
    return [{"label": pair[-2], "score": pair[-1]} for pair in pairs]


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    kinds: dict[type, str] = {str: "text", list: "list", dict: "object"}
    return kinds.get(type(value), "nothing")


def _kinds(records: Sequence[dict[str, Any]], roles: Roles) -> dict[str, str]:
    """The most frequent kind of value of each key; text where ids or names are of both kinds."""
    counts: dict[str, dict[str, int]] = {}
    for record in records:
        for name, value in record.items():
            by_kind = counts.setdefault(name, {})
            if value is not None:
                kind = _kind(value)
                by_kind[kind] = by_kind.get(kind, 0) + 1
    kinds = {}
    for name, by_kind in counts.items():
        most = max(by_kind, key=lambda kind: by_kind[kind], default="nothing")
        if roles.is_value(name) and most not in ("list", "object", "nothing"):
            most = "value"
        elif {"text", "number"} <= by_kind.keys() and _has_percentages(records, name):
            most = "written"
        elif roles.is_text(name) and "text" in by_kind and most in ("number", "bool"):
            most = "text"
        elif roles.is_text(name) and most == "number":
            most = "whole"
        kinds[name] = most
    return kinds


def _has_percentages(records: Sequence[dict[str, Any]], name: str) -> bool:
    values = (record.get(name) for record in records)
    return any(isinstance(one, str) and one.rstrip().endswith("%") for one in values)


def _as(kind: str, name: str, value: Any, is_read: Callable[[str], bool]) -> Any:
    """A value as its column needs it; None for what is of no use if it doesn't fit."""
    if value is None or kind == "nothing":
        return None
    if kind == "whole":
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
            return int(value)
        raise Unusable(f"{name} must be text or a whole number; got {value!r:.60}")
    if kind == "value":
        return value_text(name, 0, value) or None
    if kind == "shown":
        return _text(value)
    if kind == "written" and type(value) in (str, int, float):
        return str(value)
    if kind == "text":
        if (text := _text(value)) is None:
            raise Unusable(f"{name} must be text or a whole number; got {value!r:.60}")
        return text
    if kind == "number":
        return real(value, name)
    if kind == "bool" and isinstance(value, bool):
        return value
    if kind == "list" and isinstance(value, list):
        return as_scores(value) or value
    if kind == "object" and isinstance(value, dict):
        return value
    if kind != "bool" and not is_read(name):
        return None
    wanted = _WANTED[kind]
    raise Unusable(f"{name} must be {wanted}, as elsewhere in the file; got {value!r:.60}")


def _column(values: list[Any]) -> pa.Array:
    """An Arrow column; as JSON text where Arrow has no type for it."""
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        pass
    if all(value is None or isinstance(value, str) for value in values):
        return pa.array([value and _in_unicode(value) for value in values], pa.string())
    plain = [_numbers(value) for value in values]
    try:
        return pa.array(plain)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        texts = [None if value is None else json.dumps(value, default=str) for value in values]
        return pa.array(texts, pa.string())


def _in_unicode(text: str) -> str:
    """The text, or as JSON writes it where it holds half a character, so that others stay."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(text)
    return text


def _numbers(value: Any) -> Any:
    """Whole numbers as floats, so that a list of both has one type; big ones as text."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return float(value) if abs(value) < 1 << 53 else str(value)
    if isinstance(value, list):
        return [_numbers(one) for one in value]
    if isinstance(value, dict):
        return {name: _numbers(one) for name, one in value.items()}
    return value
