"""Rows of a data set as Hugging Face's datasets server answers with them, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelnext.pool.objects import Notice


def served_rows(value: Any) -> tuple[list[Any], list[Notice]] | None:
    """The rows of an answer, with the names of their classes; None if it is something else.

    Args:
        value: a file's JSON.

    Returns:
        The rows, and a notice if the data set has more.

    Example:
        >>> served_rows({"features": [], "rows": [{"row_idx": 0, "row": {"id": "a"}}]})
        ([{'id': 'a'}], [])
    """
    rows = value.get("rows") if isinstance(value, Mapping) else None
    if not isinstance(rows, list) or not rows:
        return None
    if not all(isinstance(one, Mapping) and isinstance(one.get("row"), Mapping) for one in rows):
        return None
    classes = _class_names(value.get("features"))
    told = [{key: _named(key, one, classes) for key, one in row["row"].items()} for row in rows]
    total = value.get("num_rows_total")
    if not isinstance(total, int) or total <= len(rows):
        return told, []
    message = (
        f"The file has {len(rows):,} of the {total:,} rows of its data set; to rank all, save the "
        "data set itself as Parquet."
    )
    return told, [Notice("partial", message)]


def _class_names(features: Any) -> dict[str, list[Any]]:
    """The names of the classes by column."""
    listed = features if isinstance(features, list) else []
    found = [(one.get("name"), one.get("type")) for one in listed if isinstance(one, Mapping)]
    return {
        str(name): kind["names"]
        for name, kind in found
        if isinstance(kind, Mapping)
        and kind.get("_type") == "ClassLabel"
        and isinstance(kind.get("names"), list)
    }


def _named(key: str, value: Any, classes: Mapping[str, list[Any]]) -> Any:
    """A class by its name, and scores by those of the only classes that there are.

    -1 is None: so the library writes that there is no label.
    """
    if type(value) is int and -1 <= value < len(names := classes.get(key, [])):
        return None if value < 0 else names[value]
    names = next(iter(classes.values()), [])
    scored = isinstance(value, list) and all(type(one) in (int, float) for one in value)
    if scored and len(classes) == 1 and len(value) == len(names) == len({*map(str, names)}):
        return dict(zip(map(str, names), value, strict=True))
    return value
