"""Numbers that several judges gave each item, such as 1 to 5: ranked by how far they lie apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext.support.words import counted
from labelnext_adapters.files.content.item_ids import ITEM_KEYS, check_one_id, id_in
from labelnext_adapters.files.content.oddities import Unusable, unbroken
from labelnext_adapters.files.content.values import id_text, number_in, real
from labelnext_adapters.files.gather import Gathered
from labelnext_adapters.files.llm.judge_columns import columns_of_judges
from labelnext_adapters.files.llm.replies import JUDGES, SEVERAL

RATINGS = ("rating", "grade", "stars", "score")
_COLUMNS = "a column a judge"
_LISTS = ("ratings", "grades", "scores", *SEVERAL)


def _key_of(record: Mapping[str, Any]) -> str | None:
    """The key of the rating of a judge, or of the ratings of several; None if there is none."""
    if any(isinstance(record.get(name), str) for name in JUDGES):
        return next((name for name in RATINGS if _is_number(record.get(name))), None)
    listed = next((name for name in _LISTS if _are_numbers(record.get(name))), None)
    if listed is None and _columns(record):
        return _COLUMNS
    return listed


def _columns(record: Mapping[str, Any]) -> list[float]:
    """The numbers that judges gave under keys of their own; empty if there are none, or others."""
    numbers = [number_in(one) for one in columns_of_judges(record).values() if one != ""]
    return [n for n in numbers if n is not None] if None not in numbers else []


def _is_number(value: Any) -> bool:
    return number_in(value) is not None


def _are_numbers(value: Any) -> bool:
    inside = list(value.values()) if isinstance(value, Mapping) else value
    return isinstance(inside, list) and len(inside) > 1 and all(map(_is_number, inside))


def described(records: Sequence[Mapping[str, Any]]) -> str | None:
    """What shows that records are ratings of several judges, in words; None if they aren't.

    Lists need a judge's name for each number, or a key that says that they are ratings: scores
    could be those of classes.
    """
    keys = [_key_of(record) for record in records[:20] if set(ITEM_KEYS) & record.keys()]
    key = next(filter(None, keys), None)
    if key is None or sum(one == key for one in keys) < 0.8 * len(records[:20]):
        return None
    if key not in RATINGS:
        return None if key == "scores" else f"its records have several numbers ({key})"
    first = next(record for record in records if record.get(key) is not None)
    drawn = {"label", "class", "prediction", "answer", "bbox", "box", "probabilities"}
    if drawn & first.keys():
        return None
    judge = next(name for name in JUDGES if isinstance(first.get(name), str))
    return f"its records have {judge} and {key}, a number"


def pool_of_ratings(records: Sequence[tuple[str, Any]], key: str | None = None) -> Pool:
    """The items, each as certain as its judges agree.

    An item's certainty is 1 less the standard deviation of its ratings, in halves of the range of
    all ratings: 1 where all judges agree, 0 where half of them give the least and half the most.

    Args:
        records: each with its place in the file.
        key: of the ids.

    Raises:
        InvalidInput: if no item has several ratings, or too many records can't be used.

    Example:
        >>> said = [("1", {"id": "a", "ratings": [1, 5]}), ("2", {"id": "b", "ratings": [3, 3]})]
        >>> pool_of_ratings(said).objects.confidences.tolist()
        [0.0, 1.0]
    """
    gathered = Gathered("rating")
    ratings: dict[str, list[float]] = {}
    for place, record in records:
        with gathered.record(place, record.get("id", "") if isinstance(record, Mapping) else ""):
            if not isinstance(unbroken(record), Mapping):
                raise Unusable(f"it must be an object; got {record!r:.60}")
            item = id_text(id_in(record, key))
            ratings.setdefault(item, []).extend(_numbers(record))
    gathered.odd.notices()  # too many odd ratings are the first thing to say
    check_one_id([one for _, one in records], ratings, key)
    several = {item: numbers for item, numbers in ratings.items() if len(numbers) > 1}
    if not several:
        raise InvalidInput(
            "ratings must come from several judges; each item has one, which says nothing about "
            "certainty.",
            hint="let several models judge each item, or ask for a confidence: "
            '{"label": …, "confidence": …}.',
        )
    met = [number for numbers in ratings.values() for number in numbers]
    low, high = min(met), max(met)
    half = (high - low) / 2
    for item, numbers in ratings.items():
        row = gathered.item(item)
        if item in several:
            gathered.answer(row, None, 1 - float(np.std(numbers)) / half if half else 1.0)
    gathered.notice(
        "ratings",
        f"Numbers of several judges, from {low:g} to {high:g}, are ranked by their standard "
        "deviation: the items on which judges disagree most come first. They state no confidence.",
    )
    alone = [item for item in ratings if item not in several]
    if alone:
        message = f"{counted(len(alone), 'item')} with one rating; treated as missing."
        gathered.notice("one_rating", message, alone)
    return gathered.pool()


def _numbers(record: Mapping[str, Any]) -> list[float]:
    key = _key_of(record)
    if key is None:
        raise Unusable("it has no rating that is a number")
    value = _columns(record) if key == _COLUMNS else record[key]
    inside = list(value.values()) if isinstance(value, Mapping) else value
    numbers = [real(one, key) for one in (inside if isinstance(inside, list) else [inside])]
    if not np.isfinite(numbers).all():
        raise Unusable(f"{key} must be finite")
    return numbers
