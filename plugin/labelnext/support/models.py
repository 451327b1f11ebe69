"""Validate a model of settings: one fault at a time, in the user's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, SecretStr, ValidationError, WrapValidator

from labelnext.errors import LabelnextError, shown
from labelnext.support.kinds import Misfit, fit
from labelnext.support.words import counted
from labelnext.support.written import meant

_Model = TypeVar("_Model", bound=BaseModel)


class Refused(Exception):
    """A setting that a model refuses.

    Attributes:
        location: pydantic's path of the setting in the model.
        text: continues the name of the setting, and is a sentence with it.
        hint: what to do next, or None.
        known: the known keys, if the setting isn't one of them.
        missing: whether the setting must be given.
        cause: the error that a validator raised, if it is ours.
    """

    def __init__(
        self,
        location: tuple[str | int, ...],
        text: str,
        *,
        hint: str | None = None,
        known: list[str] | None = None,
        missing: bool = False,
        cause: LabelnextError | None = None,
    ) -> None:
        super().__init__(text)
        self.location, self.text, self.hint = location, text, hint
        self.known, self.missing, self.cause = known, missing, cause


def validated(model: type[_Model], data: Mapping[str, Any]) -> _Model:
    """A model's settings, each of its kind.

    Args:
        model: its annotations say what each setting takes; see `fit`.
        data: from a file or from Python.

    Raises:
        Refused: for the first fault.
    """
    fitted = {}
    for key, value in data.items():
        field = model.model_fields.get(key)
        if field is None:
            raise Refused((key,), "is not a known key.", known=[*model.model_fields])
        try:
            fitted[str(key)] = fit(value, field.annotation)
        except Misfit as misfit:
            if any(isinstance(mark, WrapValidator) for mark in field.metadata):
                fitted[str(key)] = meant(value)  # judged by its own validator
                continue
            if meant(value) is None and field.is_required():
                continue  # a key left blank, as `init` writes it, is missing
            location = (str(key), *misfit.inside)
            got = _got(model, location, misfit.value)
            hint = None if _is_secret(model, location) else misfit.hint
            raise Refused(location, f"must be {misfit.rule}{got}.", hint=hint) from None
    try:
        return model.model_validate(fitted)
    except ValidationError as error:
        raise _refused(model, data, error) from None


_RULES = {
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "greater_than_equal": "must be at least {ge:,g}",
    "greater_than": "must be above {gt:,g}",
    "less_than_equal": "must be at most {le:,g}",
    "less_than": "must be below {lt:,g}",
    "string_pattern_mismatch": "must not be blank",  # each pattern asks for a letter
}
"""In our words what pydantic says in its own, by its type of error."""


def _refused(model: type[BaseModel], data: Mapping[str, Any], error: ValidationError) -> Refused:
    problems = error.errors(include_url=False)
    strange = [problem for problem in problems if problem["type"] == "extra_forbidden"]
    problem = [*strange, *problems][0]  # a key with a typing error is missing, too
    location = problem["loc"]
    others = counted(len(problems) - 1, "more problem")
    more = f" (and {others})" if len(problems) > 1 else ""
    if problem["type"] == "extra_forbidden":
        return Refused(location, "is not a known key.", known=_known(model, location))
    if problem["type"] == "missing":
        return Refused(location, f"must be given{more}.", missing=True)
    cause = problem.get("ctx", {}).get("error")
    if isinstance(cause, LabelnextError):
        text = cause.message.partition(" must ")[2] or f"be usable: {cause.message}"
        return Refused(location, f"must {text}{more}", hint=cause.hint, cause=cause)
    rule = problem["msg"].removeprefix("Value error, ")
    if problem["type"] in _RULES:
        rule = _RULES[problem["type"]].format(**problem.get("ctx", {}))
    rule = re.sub(r"^[A-Z]\w* should ", "must ", rule)
    value: Any = data
    for part in location:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            value = problem["input"]  # the name of a type that pydantic tried, or written elsewhere
    got = _got(model, location, value) if location else ""
    return Refused(location, f"{rule}{got}{more}.")


def _known(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """The keys beside an unknown one, which may be inside a nested model."""
    for part in location[:-1]:
        field = model.model_fields.get(str(part))
        kinds = () if field is None else (field.annotation, *get_args(field.annotation))
        nested = [k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)]
        model = nested[0] if nested else model
    return [*model.model_fields]


def _got(model: type[BaseModel], location: tuple[str | int, ...], value: object) -> str:
    return "" if _is_secret(model, location) else f"; got {shown(value)}"


def _is_secret(model: type[BaseModel], location: tuple[str | int, ...]) -> bool:
    field = model.model_fields.get(str(location[0])) if location else None
    if field is None:
        return False
    return field.annotation is SecretStr or SecretStr in get_args(field.annotation)
