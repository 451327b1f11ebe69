"""Records of Flair and Argilla in the form of a pipeline's outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelnext_adapters.files.content.item_ids import ITEM_KEYS

_OUTPUT = "predictions"


def translated(value: Any) -> Any:
    """Records of Flair or Argilla as records with an output; others as they are.

    Args:
        value: a record, a list of them, or an object from id to what Flair says.

    Example:
        >>> translated({"id": "a", "labels": [{"value": "pos", "confidence": 0.5}]})
        {'id': 'a', 'predictions': [{'label': 'pos', 'score': 0.5}]}
    """
    if isinstance(value, list):
        return [translated(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    if value and all(map(_is_label, value.values())):
        return {name: _label(one) for name, one in value.items()}
    if _is_label(value):
        return _label(value)
    if _is_suggested(value.get("suggestions")):
        return {**_named(value), **_answered(value), _OUTPUT: _suggested(value["suggestions"])}
    if {"fields", "suggestions"} <= value.keys():  # of Argilla, without any
        return {**_named(value), _OUTPUT: None}
    if (found := _of_flair(value)) is not None:
        return {**_named(value), _OUTPUT: found}
    return value


def _is_label(value: Any) -> bool:
    return isinstance(value, Mapping) and {"value", "confidence"} == value.keys()


def _label(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"label": one["value"], "score": one["confidence"]}


def _named(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: record[name] for name in ITEM_KEYS if name in record}


def _of_flair(record: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The labels or entities of a sentence's to_dict(); None if it is none."""
    labels, entities = record.get("labels"), record.get("entities", [])
    if not isinstance(labels, list) or not isinstance(entities, list):
        return None
    spans = [
        {"entity": label["value"], "score": label["confidence"],
         "start": one.get("start_pos"), "end": one.get("end_pos")}
        for one in entities if isinstance(one, Mapping) and isinstance(one.get("labels"), list)
        for label in one["labels"] if _is_label(label)
    ]  # fmt: skip
    if labels and all(map(_is_label, labels)):
        return [_label(one) for one in labels]
    return spans if not labels and ("entities" in record or spans) else None


def _is_suggested(value: Any) -> bool:
    return any("score" in one and "value" in one for one in _suggestions(value).values())


def _suggestions(value: Any) -> dict[str, Mapping[str, Any]]:
    """What was suggested for each question; in version 1 it is a list."""
    if isinstance(value, list):
        value = {one.get("question_name"): one for one in value if isinstance(one, Mapping)}
    inside = value.items() if isinstance(value, Mapping) else ()
    return {str(name): one for name, one in inside if isinstance(one, Mapping)}


def _suggested(value: Any) -> Any:
    """The output for the first question that has a score; None if none has one."""
    scored = [one for one in _suggestions(value).values() if one.get("score") is not None]
    if not scored:
        return None
    said, score = scored[0].get("value"), scored[0]["score"]
    if not isinstance(said, list):
        return {"label": said, "score": score}
    scores = score if isinstance(score, list) else [score] * len(said)
    if said and all(isinstance(one, Mapping) for one in said):
        return [{**one, "score": sure} for one, sure in zip(said, scores, strict=False)]
    return {"labels": said, "scores": scores}


def _answered(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a person answered to the question, as the label; nothing if nobody did."""
    responses = record.get("responses")
    name = next(iter(_suggestions(record["suggestions"])), None)
    said = responses.get(name) if isinstance(responses, Mapping) else None
    values = [one.get("value") for one in said or [] if isinstance(one, Mapping)]
    return {"label": values[0]} if len(values) == 1 and isinstance(values[0], str) else {}
