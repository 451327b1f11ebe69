"""Check the options of a function by its signature."""

from __future__ import annotations

import difflib
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache, update_wrapper
from typing import Any, Literal, ParamSpec, TypeVar, cast, get_args, get_origin

from labelnext.errors import InvalidInput, shown
from labelnext.support.kinds import Misfit, fit

_Parameters = ParamSpec("_Parameters")
_Returned = TypeVar("_Returned")
_CHECKED = "_refuses_misfits"


def _option_kinds(function: Any) -> Mapping[str, Any]:
    """The annotations of options: a function's keyword-only parameters and budget.

    Options without an annotation, or with one that can't be resolved, take anything.

    Args:
        function: or a dataclass, whose fields are options.
    """
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except Exception:  # a plug-in's annotation may name what exists for type checkers only
        hints = {}
    if is_dataclass(function):
        return {field.name: hints.get(field.name, Any) for field in fields(function)}
    parameters = inspect.signature(function).parameters.values()
    taken = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY or p.name == "budget"]
    return {name: hints.get(name, Any) for name in taken}


option_kinds: Callable[[Any], Mapping[str, Any]] = cache(_option_kinds)


def fit_option(value: Any, kind: Any) -> Any:
    """An option as its annotation takes it; see `fit`.

    Raises:
        Misfit: if it doesn't fit; names to choose from are listed.
    """
    try:
        return fit(value, kind)
    except Misfit as misfit:
        choices = _choices(kind)
        if choices and not misfit.inside:
            misfit.rule = f"one of {', '.join(choices)}"
            near = difflib.get_close_matches(shown(value).strip("'"), choices, n=1)
            misfit.hint = f"did you mean {near[0]!r}?" if near else None
        raise


def _choices(kind: Any) -> list[str]:
    """The names that an option takes; none if it takes other things too, except null."""
    union = get_origin(kind) in (typing.Union, types.UnionType)
    members = [m for m in (get_args(kind) if union else (kind,)) if m is not types.NoneType]
    if not all(get_origin(member) is Literal for member in members):
        return []
    return [str(name) for member in members for name in get_args(member)]


def fitted_options(options: Mapping[str, Any], kinds: Mapping[str, Any]) -> dict[str, Any]:
    """The options as their annotations take them; those without one as they are.

    Args:
        options: by name.
        kinds: the annotations by name; see `option_kinds`.

    Raises:
        InvalidInput: if one doesn't fit; the message names it.
    """
    fitted = {}
    for name, value in options.items():
        try:
            fitted[name] = fit_option(value, kinds.get(name, Any))
        except Misfit as misfit:
            key = ".".join([name, *map(str, misfit.inside)])
            raise InvalidInput(
                f"{key} must be {misfit.rule}; got {shown(misfit.value)}.", hint=misfit.hint
            ) from None
    return fitted


def checked(function: Callable[_Parameters, _Returned]) -> Callable[_Parameters, _Returned]:
    """The same function, which refuses options that don't fit its annotations.

    A function that does so already is returned as it is; so is a callable that isn't a function.

    Raises:
        InvalidInput: when called with such an option; the message names it.
    """
    given: object = function
    if not isinstance(given, types.FunctionType) or _CHECKED in vars(given):
        return function
    fit_all, kinds_of = fitted_options, option_kinds

    def call(*args: _Parameters.args, **options: _Parameters.kwargs) -> _Returned:
        return function(*args, **fit_all(options, kinds_of(function)))

    # doctest passes over functions whose globals are another module's.
    made = types.FunctionType(call.__code__, function.__globals__, closure=call.__closure__)
    update_wrapper(made, function)
    vars(made)[_CHECKED] = True
    return cast(Callable[_Parameters, _Returned], made)
