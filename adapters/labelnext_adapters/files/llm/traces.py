"""Traces of applications of language models with the scores that they were given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labelnext.errors import InvalidInput, listed
from labelnext.pool.pool import Pool
from labelnext.support.words import counted
from labelnext_adapters.files.content.item_ids import ITEM_KEYS, check_one_id, id_in
from labelnext_adapters.files.content.oddities import Unusable, unbroken
from labelnext_adapters.files.content.values import id_text, name_text, probability, real
from labelnext_adapters.files.gather import Gathered
from labelnext_adapters.files.llm.replies import panel_in
from labelnext_adapters.files.tables.vectors import sums_to_one

_LISTS = ("scores", "evaluations", "evals", "annotations", "feedback", "feedback_scores")
_TRACES = ("trace_id", "traceId", "span_id", "context.span_id", *ITEM_KEYS)
_PEOPLE = {"ANNOTATION", "HUMAN"}


@dataclass(frozen=True)
class _Score:
    name: str
    value: Any
    by_people: bool


def scores_in(record: Any) -> list[_Score]:
    """The scores of a trace: a list, an object from name to score, or the record itself."""
    if not isinstance(record, Mapping):
        return []
    for key in _LISTS:
        scores = record.get(key)
        if isinstance(scores, list):
            read = [_score(one) for one in scores]
            if any(read):
                return [one for one in read if one is not None]
        if isinstance(scores, Mapping) and scores and all(map(_is_plain, scores.values())):
            return [_Score(str(name), value, False) for name, value in scores.items()]
    itself = _score(record)
    return [itself] if itself and any(name in record for name in _TRACES[:4]) else []


def _is_plain(value: Any) -> bool:
    return isinstance(value, int | float | str | bool)


def _score(one: Any) -> _Score | None:
    """One score, as Langfuse or Phoenix store it."""
    if not isinstance(one, Mapping) or not isinstance(one.get("name"), str):
        return None
    people = {str(one.get("source")), str(one.get("annotator_kind"))} & _PEOPLE
    named = one.get("stringValue") or one.get("string_value")
    value = named if named is not None else one.get("value", one.get("score"))
    result = one.get("result")
    if value is None and isinstance(result, Mapping):
        value = result.get("score") if result.get("score") is not None else result.get("label")
    if value is None:
        value = one.get("label")
    return _Score(one["name"], value, bool(people))


def pool_of_traces(
    records: Sequence[tuple[str, Any]],
    *,
    key: str | None = None,
    score: str | None = None,
    classes: Sequence[str] | None = None,
    percent: bool = False,
) -> Pool:
    """The traces, with one of their scores: a number ranks the lowest first, names are votes.

    Args:
        records: each with its place in the file.
        key: of the ids.
        score: the score's name; the only one when None.
        classes: of a score that is a name.
        percent: numbers go up to 100.

    Raises:
        InvalidInput: if there are several scores and none is named, or too many can't be used.
    """
    names = {one.name for _, record in records for one in scores_in(record)}
    if score is None and len(names) == 1:
        (score,) = names
    if score not in names:
        raise InvalidInput(
            f"score_name must be one of {listed(sorted(names), 20)}; got {score!r}.",
            hint="set source.score_name.",
        )
    gathered = Gathered("trace", classes=classes)
    values: dict[str, list[Any]] = {}
    numbered = False
    without: list[str] = []
    for number, (place, record) in enumerate(records):
        with gathered.record(place, _shown_id(record, key)):
            name = _id_of(record, key)
            numbered |= name is None
            item = id_text(str(number) if name is None else name)
            matching = [one for one in scores_in(record) if one.name == score]
            for one in matching:
                if not isinstance(one.value, int | float | str):
                    raise Unusable(f"{score} must be a number or a name; got {one.value!r:.60}")
            row = gathered.item(item)
            for one in matching:
                if one.by_people and isinstance(one.value, str):
                    gathered.label(row, one.value)
                elif not one.by_people:
                    values.setdefault(item, []).append(one.value)
            if not matching:
                without.append(item)
    check_one_id([one for _, one in records], values, key)
    _add(gathered, values, percent)
    if numbered:
        message = "Records without an id are called by their number from 0 (set source.key)."
        gathered.notice("numbered", message)
    lacking = [item for item in without if item not in values]
    if lacking:
        message = f"{counted(len(lacking), 'trace')} {'has' if len(lacking) == 1 else 'have'} no "
        gathered.notice("no_score", f"{message}score {score}.", lacking)
    return gathered.pool()


def _shown_id(record: Any, key: str | None) -> Any:
    try:
        return _id_of(record, key) or ""
    except Unusable:
        return ""


def _id_of(record: Any, key: str | None) -> Any:
    if not isinstance(unbroken(record), Mapping):
        raise Unusable(f"a trace must be an object; got {record!r:.60}")
    return id_in(record, key, _TRACES)


def _add(gathered: Gathered, values: Mapping[str, Sequence[Any]], percent: bool) -> None:
    """Numbers as certainties (their mean, if there are several), names as shares of votes."""
    numeric = sum(not isinstance(v, str) for several in values.values() for v in several)
    named = sum(len(several) for several in values.values()) - numeric
    for item, several in values.items():
        try:
            if numeric >= named:
                numbers = [
                    real(v if not isinstance(v, bool) else int(v), "a score") for v in several
                ]
                mean = sum(numbers) / len(numbers) / (100 if percent else 1)
                gathered.answer(gathered.item(item), None, probability(mean, "a score"))
            else:
                texts = [name_text(v) for v in several]
                shares = {name: texts.count(name) / len(texts) for name in texts}
                gathered.scores(gathered.item(item), shares)
        except Unusable as error:
            gathered.odd.leave_out("score", item, str(error))


def _is_distribution(record: Mapping[str, Any]) -> bool:
    """Whether the scores of a record are those of classes: two or more that sum to 1."""
    scores = record.get("scores")
    numbers = list(scores.values()) if isinstance(scores, Mapping) else []
    return sums_to_one(numbers)


def described(records: Sequence[Mapping[str, Any]]) -> str | None:
    """What shows that records are traces with scores, in words; None if they aren't."""
    first = records[:20]
    others = sum(_is_distribution(one) or panel_in(one) is not None for one in first)
    if 2 * others >= max(len(first), 1):
        return None  # a table with the scores of classes, or what several models or people said
    for record in first:
        scores = [one for one in scores_in(record) if one.value is not None]
        if scores and any(name in record for name in _TRACES):
            return f"its records are traces with the score {scores[0].name}"
    return None
