"""What a text of a model states: JSON, a line for each field, or classes beside numbers."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.content.values import probability, real
from labelnext_adapters.files.tables.column_names import plain
from labelnext_adapters.files.tables.vectors import ROUNDED

ANSWERS = (
    "label", "class", "category", "answer", "prediction", "verdict", "classification", "sentiment",
    "output", "response", "completion", "result", "choice", "text",
)  # fmt: skip
CONFIDENCES = ("confidence", "probability", "certainty", "score", "conf", "p")
#: Keys of a structured answer with a number for each class.
DISTRIBUTIONS = (
    "probabilities", "scores", "distribution", "confidences", "class_probabilities", "probs",
)  # fmt: skip
_KNOWN = {*ANSWERS, *CONFIDENCES, *DISTRIBUTIONS}
#: The counts are bounded, so that no text takes long; the value may stand in the next line.
_LINE = re.compile(r"^[\W_]{0,20}(\w[\w ]{0,40}?)[*_\s]{0,9}:[*_\s]{0,20}(\S.*)$", re.M)
_SURE = re.compile(r"(\d*\.?\d+) ?(%|/ ?100?|)")
#: All up to the end of what a model thought before it answered; some write no beginning.
_THOUGHT = re.compile(r".*</(?:think|thinking|thought|thoughts|reasoning)>\s*", re.S | re.I)
_INLINE = re.compile(
    r"[ \t]{0,9}[,;|(][ \t]{0,9}(?=[*_]{0,3}(?:confidence|probability|certainty|score|conf)"
    r"[*_ ]{0,9}:)", re.I,
)  # fmt: skip
#: A class and how sure the model is of it: cat (0.9), cat: 90%, cat with 90% confidence.
_PAIR = re.compile(
    r"(\w[^,;:|=()\[\]\n]{0,60}?)[\"'*`_]{0,4}(?:\s{0,3}[,;:|=(\[–—-]|\s+with(?: an?)?|\s)\s{0,3}"
    r"(?:(?:confidence|probability|certainty|score)\s{0,3}(?:of|[:=]|)\s{0,3})?"
    r"(\d{1,3}(?:\.\d{1,9})?\s?%|0?\.\d{1,20}|1(?:\.0{1,20})?(?![\d.])|0(?![\d.]))"
    r"\s?(?:confidence|confident|probability|certainty|certain|sure)?[)\]]?"
    r"(?:\s{0,3}(?:[,;|\n/]|and\b)\s{0,3}|\s{0,3}$)", re.I,
)  # fmt: skip
#: What sets a confidence of 0 or 1 apart from the number of a class.
_APART = re.compile(r"[,;|(\[]|\b(?:confidence|probability|certainty|score)\b", re.I)
_OF = {"%": 100, "/100": 100, "/10": 10}  # what a stated confidence goes up to
_SHORT = 500  # characters of a text of pairs
_TRIES = 50  # braces in a text
_LONGEST = 1 << 16  # characters of a text in which an object is looked for


def after_thoughts(text: str) -> str:
    """What a model answered after it thought.

    Example:
        >>> after_thoughts("<think>A cat, or a dog?</think> dog")
        'dog'
    """
    return _THOUGHT.sub("", text, count=1) if "</" in text else text


def certainty(value: Any, *, percent: bool = False) -> float:
    """A stated confidence as a probability.

    Args:
        value: a number, or one as text.
        percent: numbers go up to 100.

    Raises:
        Unusable: if it is none.

    Example:
        >>> certainty("85%"), certainty("9/10"), certainty(85, percent=True)
        (0.85, 0.9, 0.85)
    """
    said = _SURE.fullmatch(value.strip()) if isinstance(value, str) else None
    if said is not None and said[2]:
        return probability(
            real(said[1], "confidence") / _OF[said[2].replace(" ", "")], "confidence"
        )
    number = real(value, "confidence")
    if not percent and 1 < number <= 100:
        raise Unusable(
            f"confidence must be in [0, 1]; got {value!r:.40} (for percentages, set source.scale: "
            "percent)"
        )
    return probability(number / 100 if percent else number, "confidence")


def json_in(text: str) -> Mapping[str, Any] | None:
    """The object that a text is, or that it holds among other words; None if there is none.

    Example:
        >>> json_in('{"label": "pos"}'), json_in("pos")
        ({'label': 'pos'}, None)
        >>> json_in('I say {"Label": "pos", "Confidence": 0.9}.')
        {'Label': 'pos', 'Confidence': 0.9, 'label': 'pos', 'confidence': 0.9}
    """
    text = after_thoughts(text)
    whole = _parsed(_fenced(text).strip())
    if isinstance(whole, list):
        whole = whole[0] if len(whole) == 1 else ()
    if whole is not None:
        return usual_fields(whole) if isinstance(whole, Mapping) else None
    told = [one for one in map(usual_fields, _objects_in(text)) if _KNOWN & one.keys()]
    return told[0] if told and told.count(told[0]) == len(told) else _lines(text)


def told_in(text: str) -> Mapping[str, Any] | None:
    """What `json_in` finds; else what a text says that is nothing but classes beside numbers.

    Example:
        >>> told_in("cat (90%)"), told_in("cat: 0.75, dog: 0.25"), told_in("a cat, I think")
        ({'label': 'cat', 'confidence': '90%'}, {'probabilities': {'cat': 0.75, 'dog': 0.25}}, None)
    """
    return json_in(text) or paired(text)


def paired(text: str) -> Mapping[str, Any] | None:
    """The class of a text that is nothing but it and a number, or several that sum to 1.

    Example:
        >>> paired("cat, 0.9"), paired("cat: 0.9, dog: 0.2"), paired("Confidence: 0.9")
        ({'label': 'cat', 'confidence': '0.9'}, None, None)
    """
    text = after_thoughts(text)
    bare = text[: _SHORT + 1].strip(" \t\r\n*_`'\".()[]")
    found, at = dict[str, str](), 0
    while match := _PAIR.match(bare, at):
        found[match[1].strip()], at = match[2].replace(" ", ""), match.end()
    if at < len(bare) or not found or len(text) > _SHORT:
        return None
    if _KNOWN & {*map(plain, found)} or not all(any(map(str.isalpha, one)) for one in found):
        return None
    if len(found) == 1:
        ((label, sure),) = found.items()
        if sure in ("0", "1") and not _APART.search(bare):
            return None
        return {"label": label, "confidence": sure}
    shares = {
        name: float(sure[:-1]) / 100 if sure.endswith("%") else float(sure)
        for name, sure in found.items()
    }
    return {"probabilities": shares} if abs(sum(shares.values()) - 1) <= ROUNDED else None


def _fenced(text: str) -> str:
    """The object between fences; the whole text where there is none, or several differ."""
    inside = (piece.removeprefix("json").strip() for piece in text.split("```")[1:-1])
    objects = {one for one in inside if one.startswith("{") and one.endswith("}")}
    return objects.pop() if len(objects) == 1 else text


def _parsed(text: str) -> Any:
    """The value of JSON, or of Python's print of an object; None if it is neither."""
    if text[:1] not in ("{", "["):
        return None
    for read in (json.loads, ast.literal_eval) if len(text) <= _LONGEST else (json.loads,):
        try:
            return read(text)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
    return None


def _objects_in(text: str) -> Iterator[Mapping[str, Any]]:
    at, decoder = -1, json.JSONDecoder()
    for _ in range(_TRIES):
        at = text.find("{", at + 1, _LONGEST)
        if at < 0:
            return
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            continue
        at = end - 1
        yield value


def _lines(text: str) -> Mapping[str, Any] | None:
    """The fields of lines such as ``Label: cat``, if they have an answer and a certainty."""
    if len(text) > _LONGEST:
        return None
    lines = _LINE.findall(_INLINE.sub("\n", text))
    fields = usual_fields({name: _without_end(value) for name, value in lines})
    sure = next((fields[name] for name in CONFIDENCES if name in fields), "")
    answered = not fields.keys().isdisjoint(ANSWERS)
    return fields if answered and _is_sure(sure) else None


def _without_end(value: str) -> str:
    """A value without the signs behind it, such as those of bold type."""
    bare = value.rstrip("*_ \t\r")
    return bare[:-1] if bare.endswith(")") and "(" not in bare else bare


def usual_fields(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of an answer under the usual keys, whatever the model called them.

    Example:
        >>> usual_fields({"answer": {"predicted_class": "cat", "confidence_score": 0.5}})
        {'predicted_class': 'cat', 'confidence_score': 0.5, 'label': 'cat', 'confidence': 0.5}
        >>> usual_fields({"cat": 0.75, "dog": 0.25})
        {'probabilities': {'cat': 0.75, 'dog': 0.25}}
    """
    inside = list(fields.values())
    if len(inside) == 1 and isinstance(inside[0], Mapping) and not _is_distribution(fields):
        return usual_fields(inside[0])
    if len(inside) > 1 and all(_is_share(value) for value in inside):
        named = fields.keys() & {*ANSWERS, *CONFIDENCES}
        return fields if named or abs(sum(inside) - 1) > ROUNDED else {"probabilities": fields}
    told = dict(fields)
    for name, value in fields.items():
        if (usual := plain(str(name))) in _KNOWN:
            told.setdefault(usual, value)
    if not _is_distribution(told):
        for ours, names in (("label", ANSWERS), ("confidence", CONFIDENCES)):
            if (other := _called(told, names)) is not None:
                told[ours] = told[other]
    return told


def _called(fields: Mapping[str, Any], names: Collection[str]) -> str | None:
    """The only field whose name has one of these words at an end, if none is one of them."""
    if not fields.keys().isdisjoint(names):
        return None
    words = {name: plain(str(name)).split("_") for name in fields}
    answers = names is ANSWERS
    usual = {"label", "class", "category", "answer"} if answers else {"confidence"}
    found = [
        name
        for name, parts in words.items()
        if {parts[0], parts[-1]} & usual and _is_sure(fields[name]) is not answers
    ]
    return found[0] if len(found) == 1 and isinstance(fields[found[0]], str | int | float) else None


def _is_sure(value: Any) -> bool:
    """Whether a value can be a certainty: a number, or one as text."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number or (isinstance(value, str) and _SURE.fullmatch(value.strip()) is not None)


def _is_distribution(fields: Mapping[str, Any]) -> bool:
    return not fields.keys().isdisjoint(DISTRIBUTIONS)


def _is_share(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1
