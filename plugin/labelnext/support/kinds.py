"""Fit values to annotations: what a setting or an option may be, in the user's words.

The configuration, the options of functions and the keys of adapters all say by annotation what they
take: `fit` checks a value against one, and `Misfit` says what it must be instead.
"""

from __future__ import annotations

import difflib
import errno
import math
import os
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cache, partial
from numbers import Integral, Real
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr

from labelnext.errors import remember_secret, shown
from labelnext.support.annotations import Called, Postponed, bound_of, limits, words
from labelnext.support.written import Written, meant, number_of

_MOST = 2**63 - 1
_LONGEST_NAME = 255  # bytes of a file's name, on nearly every disk
_TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Misfit(Exception):
    """A value that doesn't fit its annotation.

    Attributes:
        rule: completes "must be".
        value: the value at fault.
        inside: where it is inside the value that was checked: keys and positions.
        hint: what to do next, or None.
        near: whether only a bound is broken.
    """

    def __init__(
        self, rule: str, value: object, *, hint: str | None = None, near: bool = False
    ) -> None:
        super().__init__(rule)
        self.rule, self.value, self.hint, self.near = rule, value, hint, near
        self.inside: tuple[str | int, ...] = ()

    def below(self, part: str | int) -> Misfit:
        """The same fault, seen from the list or mapping around it."""
        self.inside = (part, *self.inside)
        return self


def fit(value: Any, kind: Any) -> Any:
    """The value as its annotation takes it.

    A scalar of a file fits a text as it is written, and a number if that is what it says. Python's
    own values are never converted, so True is no number and "2" neither.

    Args:
        value: from a file or from Python.
        kind: an annotation: of basic types, lists, mappings, literals, unions, models, and limits
            such as ``Annotated[int, Ge(1)]``. Other types take anything.

    Raises:
        Misfit: if the value doesn't fit.

    Example:
        >>> fit(Written.of("1.10", 1, plain=True), str), fit(Written.of("1.10", 1, True), float)
        ('1.10', 1.1)
    """
    try:
        check = _fitter(kind)
    except TypeError:  # an annotation that can't be hashed
        check = _fitter.__wrapped__(kind)
    return check(value)


@cache
def _fitter(kind: Any) -> Callable[[Any], Any]:
    """The check of an annotation; made once, as a list may hold many values."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _annotated(kind, args[0], args[1:])
    if origin in (typing.Union, types.UnionType):
        return _one_of(kind, args)
    if origin is Literal:
        return partial(_literal, kind=kind, choices=args)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return partial(_mapping, kind=kind, kinds=args)
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return partial(_list, kind=kind, item=args[0], make=tuple if origin is tuple else list)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return partial(_model, kind=kind)
    return _BASIC.get(kind, meant)


def _annotated(kind: Any, inner: Any, marks: Sequence[object]) -> Callable[[Any], Any]:
    if any(isinstance(mark, Postponed) for mark in marks):
        return lambda value: value

    def check(value: Any) -> Any:
        try:
            return _limited(fit(value, inner), marks, value)
        except Misfit as misfit:
            if not (misfit.inside or misfit.near):
                misfit.rule = words(kind)
            raise

    return check


def _text(value: Any) -> str:
    if not isinstance(value, str) or (isinstance(value, Written) and value.meaning is None):
        raise Misfit("text", value, hint=_quotes(value))
    return str(value)


def _secret(value: Any) -> Any:
    text = value.get_secret_value() if isinstance(value, SecretStr) else _text(value)
    remember_secret(text)
    return value if isinstance(value, SecretStr) else text


def _path(value: Any) -> Any:
    path = value if isinstance(value, os.PathLike) else _called("a path", _text, value)
    text = os.fspath(path)
    if not _is_name(text):
        if len(text) > _LONGEST_NAME:
            rule = f"a path that the system takes: a name may have {_LONGEST_NAME} bytes"
            raise Misfit(rule, value, near=True)
        raise Misfit("a path", value)
    if text.startswith("~"):
        try:
            Path(text).expanduser()
        except RuntimeError:
            user = text.partition("/")[0]
            raise Misfit(
                f"a path that exists on this machine, but {user} has no home folder",
                value,
                hint=f"for a folder of that name, write {'./' + text!r}.",
                near=True,
            ) from None
    return path


def _is_name(text: str) -> bool:
    """Whether a file could have this path; URLs are judged where they are opened."""
    try:
        os.fsencode(text)
        if "://" not in text:
            os.lstat(text)
    except OSError as error:
        return bool(text) and error.errno != errno.ENAMETOOLONG
    except ValueError:  # NUL, or half a character
        return False
    return True


def _time(value: Any) -> Any:
    rule = "a time such as 2026-11-22T09:00:00"
    if isinstance(value, date):  # a datetime is one too
        return value
    text = _called(rule, _text, value)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Misfit(rule, value) from None


def _called(rule: str, check: Callable[[Any], Any], value: Any) -> Any:
    """The checked value; a misfit is told in other words."""
    try:
        return check(value)
    except Misfit as misfit:
        misfit.rule = rule
        raise


def _quotes(value: Any) -> str | None:
    """The hint for a value that YAML would read as a text in quotes."""
    if isinstance(value, Written):
        return f"write {shown(str(value))} in quotes if it is a name." if value else None
    if isinstance(value, bool):  # true, yes or on may have been written
        return "write it in quotes."
    text = str(value) if isinstance(value, date) else shown(value)
    return f"write '{text}' in quotes." if isinstance(value, int | float | date) else None


def _truth(value: Any) -> bool:
    if isinstance(value, Written) and value.lower() in _TRUTH:
        return _TRUTH[value.lower()]
    if not isinstance(value, bool):
        import numpy as np  # whose truth values come from Python code alone

        if not isinstance(value, np.bool_):
            raise Misfit("true or false", value)
    return bool(value)


def _whole(value: Any) -> int:
    number = number_of(value.strip()) if isinstance(value, Written) else value
    if isinstance(value, Written) and isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, Integral):
        raise Misfit("a whole number", value)
    if abs(int(number)) > _MOST:
        raise Misfit(f"a whole number of at most {_MOST}", value, near=True)
    return int(number)


def _real(value: Any) -> float:
    number: Any = number_of(value.strip()) if isinstance(value, Written) else value
    if isinstance(number, bool) or not isinstance(number, int | float | Real):
        raise Misfit("a number", value)
    try:
        finite = math.isfinite(number)
    except OverflowError:
        finite = False
    if not finite:
        raise Misfit("a finite number", value, near=True)
    return number if isinstance(number, int) and abs(number) <= _MOST else float(number)


def _nothing(value: Any) -> None:
    if value is not None and not (isinstance(value, Written) and value.meaning is None):
        raise Misfit("null", value)


_BASIC: dict[Any, Callable[[Any], Any]] = {
    str: _text,
    SecretStr: _secret,
    Path: _path,
    datetime: _time,
    bool: _truth,
    int: _whole,
    float: _real,
    types.NoneType: _nothing,
}


def _literal(value: Any, kind: Any, choices: tuple[Any, ...]) -> Any:
    if isinstance(value, str) and str(value) in choices:
        return str(value)
    false = (value.meaning if isinstance(value, Written) else value) is False
    if false and "off" in choices:
        return "off"  # what other readers of YAML make of a bare off
    names = [choice for choice in choices if isinstance(choice, str)]
    near = difflib.get_close_matches(value, names, n=1) if isinstance(value, str) else []
    raise Misfit(words(kind), value, hint=f"did you mean {near[0]!r}?" if near else None)


def _list(value: Any, kind: Any, item: Any, make: Callable[[list[Any]], Any]) -> Any:
    entries = _entries(value)
    if not isinstance(entries, Sequence) or isinstance(entries, str | bytes):
        raise Misfit(words(kind), value)
    fitted = []
    for position, entry in enumerate(entries):
        try:
            fitted.append(fit(entry, item))
        except Misfit as misfit:
            raise misfit.below(position) from None
    return make(fitted)


def _entries(value: Any) -> Any:
    """An array or a series of one dimension as a list, and a set in order; others as they are."""
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return value.tolist() if getattr(value, "ndim", None) == 1 else value


def _mapping(value: Any, kind: Any, kinds: tuple[Any, ...]) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise Misfit(words(kind), value)
    fitted = {}
    for key, entry in value.items():
        try:
            name = str(key) if isinstance(key, Written) else fit(key, kinds[0])
            fitted[name] = fit(entry, kinds[1])
        except Misfit as misfit:
            raise misfit.below(str(key)) from None
    return fitted


def _model(value: Any, kind: type[BaseModel]) -> Any:
    """The fields of a nested model; pydantic judges the rest."""
    if isinstance(value, kind):
        return value
    if not isinstance(value, Mapping):
        raise Misfit(words(kind), value)
    fitted = {}
    for key, entry in value.items():
        field = kind.model_fields.get(key)
        try:
            fitted[str(key)] = entry if field is None else fit(entry, field.annotation)
        except Misfit as misfit:
            raise misfit.below(str(key)) from None
    return fitted


_TEXTS = (str, Path, SecretStr, datetime)


def _one_of(kind: Any, kinds: tuple[Any, ...]) -> Callable[[Any], Any]:
    """Texts come first for a text, and last for anything else."""
    texts = [k for k in kinds if k in _TEXTS and not (k is str and Path in kinds)]
    others = [k for k in kinds if k not in _TEXTS and k is not Any]
    anything = [k for k in kinds if k is Any]
    whole = float not in kinds  # so that 1.0 is the id as it is written, not 1

    def check(value: Any) -> Any:
        misfits = []
        text_first = _is_text(value) or (whole and isinstance(meant(value), float))
        first = [*texts, *others] if text_first else [*others, *texts]
        for member in (*first, *anything):
            try:
                return fit(value, member)
            except Misfit as misfit:
                misfits.append(misfit)
        inner = [misfit for misfit in misfits if misfit.inside or misfit.near]
        if len(inner) == 1:  # a list with a wrong entry, or a number out of bounds
            raise inner[0]
        names = {*texts} - {datetime}
        hints = [_quotes(value)] if names else [misfit.hint for misfit in misfits if not texts]
        raise Misfit(words(kind), value, hint=next(filter(None, hints), None))

    return check


def _is_text(value: Any) -> bool:
    """Whether a value is a text rather than a number; 007 is one, as a number loses its zeros."""
    if not isinstance(value, Written):
        return isinstance(value, str)
    meaning = value.meaning
    return isinstance(meaning, str) or (meaning is not None and str(meaning) != value)


def _limited(value: Any, marks: Sequence[object], given: Any) -> Any:
    for mark in marks:
        operator, edge = bound_of(mark)
        if operator and not getattr(value, operator)(edge):
            called = [mark.one for mark in marks if isinstance(mark, Called)]
            raise Misfit([*called, limits(marks)][0], given, near=True)
    return value
