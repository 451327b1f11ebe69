"""Responses about texts: OpenAI's moderation, Perspective, Google's and Azure's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.vision.findings import (
    Finding,
    Said,
    Tool,
    inside,
    records_in,
    rows_of,
)


def _scores(value: Any, what: str) -> list[Finding]:
    """The classes of a mapping from name to score; None says nothing."""
    if not isinstance(value, Mapping):
        raise Unusable(f"{what} must be scores by name; got {value!r:.60}")
    return [Finding(name, score) for name, score in value.items() if score is not None]


def _moderated(value: Any) -> Any:
    """The result of one text in a response of OpenAI's moderation."""
    if isinstance(value, Mapping) and records_in(value, "results", "category_scores"):
        results = value["results"]
        return results[0] if len(results) == 1 else None
    return value if isinstance(inside(value, "category_scores"), Mapping) else None


def _moderated_texts(value: Any) -> Any:
    """Of a response about several texts, the results."""
    return records_in(value, "results", "category_scores") or value


def _moderation(value: Mapping[str, Any]) -> Said:
    scores = _moderated(value)["category_scores"]
    return Said(classes=_scores(scores, "category_scores"))


def _is_perspective(value: Any) -> bool:
    return isinstance(inside(value, "attributeScores"), Mapping)


def _perspective(value: Mapping[str, Any]) -> Said:
    classes = []
    for name, told in value["attributeScores"].items():
        if not isinstance(inside(told, "summaryScore"), Mapping):
            raise Unusable(f"{name} must have a summaryScore; got {told!r:.60}")
        classes.append(Finding(name, told["summaryScore"].get("value")))
    return Said(classes=classes)


_GOOGLE = ("categories", "moderationCategories")


def _is_google(value: Any) -> bool:
    return any(records_in(value, key, "name", "confidence") for key in _GOOGLE)


def _google(value: Mapping[str, Any]) -> Said:
    rows = [rows_of(value[key], key) for key in _GOOGLE if key in value]
    return Said(classes=[Finding(r.get("name"), r.get("confidence")) for one in rows for r in one])


#: Where Azure's language service puts the classes of a document.
_AZURE = ("class", "classes", "classifications")


def _azure_documents(value: Any) -> Any:
    """The documents of responses, each of which may have some."""
    if isinstance(value, list):
        several = [_azure_documents(one) for one in value]
        if any(isinstance(one, list) for one in several):
            return [inner for one in several for inner in (one if isinstance(one, list) else [one])]
        return value
    told = inside(inside(value, "results") or value, "documents")
    return told if isinstance(told, list) and any(map(_is_azure, told[:20])) else value


def _is_azure(value: Any) -> bool:
    if isinstance(inside(value, "confidenceScores"), Mapping):
        return True
    rated = any(records_in(value, key, "category", "confidenceScore") for key in _AZURE)
    return rated or bool(records_in(value, "entities", "category", "confidenceScore"))


def _azure(value: Mapping[str, Any]) -> Said:
    if "confidenceScores" in value:
        return Said(classes=_scores(value["confidenceScores"], "confidenceScores"))
    key = next((key for key in (*_AZURE, "entities") if key in value), "entities")
    rows = rows_of(value.get(key), key)
    told = [Finding(row.get("category"), row.get("confidenceScore")) for row in rows]
    return Said(objects=told) if key == "entities" else Said(classes=told)


def _is_comprehend(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    found = records_in(value, "Entities", "Type", "Score")
    found = found or records_in(value, "Languages", "LanguageCode", "Score")
    return bool(found) or (value.get("Entities") == [] and "File" in value)


def _comprehend(value: Mapping[str, Any]) -> Said:
    file, line = value.get("File"), value.get("Line")
    name = file if line is None else f"{file}:{line}"
    if "Entities" in value:
        rows = rows_of(value["Entities"], "Entities")
        return Said(objects=[Finding(r.get("Type"), r.get("Score")) for r in rows], name=name)
    rows = rows_of(value["Languages"], "Languages")
    return Said(classes=[Finding(r.get("LanguageCode"), r.get("Score")) for r in rows], name=name)


def _is_toxicity(value: Any) -> bool:
    rows = records_in(value, "ResultList", "Labels")
    return bool(rows and records_in(rows[0], "Labels", "Name", "Score"))


def _toxicity(value: Mapping[str, Any]) -> Said:
    """The labels of a text; of one in segments, the highest of each."""
    highest: dict[Any, Any] = {}
    for part in rows_of(value["ResultList"], "ResultList"):
        for row in rows_of(part.get("Labels"), "Labels"):
            name, score = row.get("Name"), row.get("Score")
            known = highest.get(name)
            if known is None or (isinstance(score, int | float) and score > known):
                highest[name] = score
    return Said(classes=[Finding(name, score) for name, score in highest.items()])


TEXTS = (
    Tool(
        lambda value: _moderated(value) is not None,
        _moderation,
        "it has category_scores, as of OpenAI's moderation",
        several=_moderated_texts,
        independent=True,
    ),
    Tool(
        _is_perspective,
        _perspective,
        "it has attributeScores, as of Perspective",
        independent=True,
    ),
    Tool(_is_google, _google, "its categories have name and confidence, as Google's"),
    Tool(
        _is_azure,
        _azure,
        "its documents have confidence scores, as of Azure's language service",
        several=_azure_documents,
    ),
    Tool(_is_comprehend, _comprehend, "its entities or languages have a Score, as Comprehend's"),
    Tool(_is_toxicity, _toxicity, "it has a ResultList, as Comprehend's", independent=True),
)
