"""Annotations of settings and options: their kinds, limits and names, and how a user reads them."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, SecretStr


@dataclass(frozen=True)
class Called:
    """How a kind is called, as part of an annotation: one of it, and several."""

    one: str
    many: str


@dataclass(frozen=True)
class Postponed:
    """Marks a value whose kind is known only later."""


@dataclass(frozen=True)
class Except:
    """A bound of an annotation: any number but this."""

    ne: float


Later = Annotated[Any, Postponed()]
Id = Annotated[str | int, Called("an id", "ids")]
Count = Annotated[int, Ge(1)]
NaturalNumber = Annotated[int, Ge(0)]
Seed = NaturalNumber
Number = Annotated[Count, Called("a whole number of at least 1", "whole numbers of at least 1")]
Share = Annotated[float, Ge(0), Le(1)]
Between = Annotated[float, Gt(0), Lt(1)]
Overlap = Annotated[float, Gt(0), Le(1)]
Similarity = Annotated[float, Gt(0), Le(1)]
Cosine = Annotated[float, Ge(-1), Le(1)]
Positive = Annotated[float, Gt(0)]
Exponent = Annotated[float, Gt(0), Le(100)]  # of shares: a larger one would make them all zeros
NotNegative = Annotated[float, Ge(0)]
Factor = Annotated[float, Ge(1)]
Base = Annotated[float, Gt(0), Except(1)]

_BOUNDS: Mapping[type, str] = {
    Ge: "at least",
    Gt: "above",
    Le: "at most",
    Lt: "below",
    Except: "not",
}


def bound_of(mark: Any) -> tuple[str, float]:
    """The method that compares a value with a bound of an annotation, and the bound."""
    if type(mark) not in _BOUNDS:
        return "", 0
    (field,) = fields(mark)
    return f"__{field.name}__", getattr(mark, field.name)


def limits(marks: Sequence[object]) -> str:
    """The bounds of an annotation in words, such as "above 0 and below 1"."""
    bounds = [mark for mark in marks if type(mark) in _BOUNDS]
    edges = [bound_of(mark)[1] for mark in bounds]
    if [type(mark) for mark in bounds] == [Ge, Le]:
        return f"in [{edges[0]}, {edges[1]}]"
    texts = [_BOUNDS[type(mark)] for mark in bounds]
    return " and ".join(f"{text} {edge}" for text, edge in zip(texts, edges, strict=True))


def words(kind: Any) -> str:
    """What a value must be, in words.

    Example:
        >>> words(str | list[str] | None)
        'text, a list of texts or null'
    """
    return _words(kind)[0]


_WORDS: Mapping[Any, tuple[str, str]] = {
    str: ("text", "texts"),
    SecretStr: ("text", "texts"),
    Path: ("a path", "paths"),
    datetime: ("a time such as 2026-11-22T09:00:00", "times"),
    bool: ("true or false", "true or false"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    types.NoneType: ("null", "null"),
}


def _words(kind: Any) -> tuple[str, str]:
    """One of a kind, and several."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        for mark in args[1:]:
            if isinstance(mark, Called):
                return mark.one, mark.many
        one, many = _words(args[0])
        bounds = limits(args[1:])
        bounds = f" of {bounds}" if bounds.startswith("at ") else f" {bounds}"
        return (one + bounds).rstrip(), (many + bounds).rstrip()
    if origin in (typing.Union, types.UnionType):
        members = [m for m in args if m is not Any and not (m is str and Path in args)]
        members.sort(key=lambda member: member is types.NoneType)
        flat = [one for m in members for one in (_choices(m) or [_words(m)])]
        ones, manys = zip(*flat, strict=True)
        return _or(ones), _or(manys)
    if origin is Literal:
        choices = _or([one for one, _ in _choices(kind)])
        return choices, choices
    if isinstance(origin, type) and issubclass(origin, Mapping):
        values = _words(args[1])[1]
        inside = "" if values == "anything" else f" of names to {values}"
        return f"a mapping{inside}", f"mappings{inside}"
    if isinstance(origin, type) and issubclass(origin, Sequence):
        entries = _words(args[0])[1]
        return f"a list of {entries}", f"lists of {entries}"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "a mapping of keys to values", "mappings of keys to values"
    return _WORDS.get(kind, ("anything", "anything"))


def _choices(kind: Any) -> list[tuple[str, str]]:
    """The words of each choice of a literal, or of bool; none of another kind."""
    if kind is bool:
        return [("true", "true"), ("false", "false")]
    return [(repr(c), repr(c)) for c in get_args(kind)] if get_origin(kind) is Literal else []


def _or(parts: Sequence[str]) -> str:
    *others, last = dict.fromkeys(parts)
    if not others:
        return last
    comma = "," if " and " in others[-1] else ""
    return f"{', '.join(others)}{comma} or {last}"
