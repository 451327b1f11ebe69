"""Classifiers made from an import path; every failure of one is a sentence about its settings."""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from labelnext.errors import ConfigError, LabelnextError, masked, unknown

_ALLOWED = ("sklearn", "xgboost", "lightgbm", "catboost")  # importing a module runs its code
_MOST = 300  # characters of another library's message


class Keys(NamedTuple):
    """What the settings of a classifier are called where the user gave them.

    Attributes:
        model: of the import path.
        options: of the constructor's options.
        allow: of what allows other modules.
    """

    model: str
    options: str
    allow: str


def new_classifier(
    path: str,
    options: Mapping[str, Any],
    seed: int,
    *,
    allow_import: bool,
    keys: Keys,
    predicts: str = "predict_proba",
) -> Any:
    """A new classifier.

    Args:
        path: import path of a class with fit and predict_proba.
        options: of its constructor.
        seed: for its random state, if it has one.
        allow_import: import from other modules than those of known libraries.
        keys: the names of these settings in messages.
        predicts: the method that predicts.

    Raises:
        ConfigError: if there is no such classifier, it can't be made, or its module isn't allowed.
    """
    kind = _class(path, allow_import, keys, predicts)
    parameters = _parameters(kind)
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for option in () if open_ended else options:
        if option not in parameters:
            raise unknown(keys.options, option, parameters)
    chosen = dict(options)
    if "random_state" in parameters:
        chosen.setdefault("random_state", seed)
    try:
        model = kind(**chosen)
    except Exception as error:  # a constructor may raise anything
        raise ConfigError(
            f"{keys.options} must fit {path}; it raised {_sentence(error)}."
        ) from error
    hint = "some need an option for it: SVC of scikit-learn needs probability: true."
    _require(model, path, keys, predicts, hint=hint)
    return model


def check_importable(path: str, allow_import: bool, keys: Keys) -> None:
    """Check an import path without importing anything.

    Raises:
        ConfigError: if it can't be one, or its module isn't allowed.
    """
    if not all(part.isidentifier() for part in path.split(".")) or "." not in path:
        raise _wrong(path, keys)
    if path.partition(".")[0] not in _ALLOWED and not allow_import:
        raise ConfigError(
            f"{keys.model} must be a class of {', '.join(_ALLOWED[:-1])} or {_ALLOWED[-1]}; "
            f"got {path!r}.",
            hint="importing another module runs its code; if you trust it, set "
            f"{keys.allow}: true.",
        )


def _wrong(path: str, keys: Keys) -> ConfigError:
    return ConfigError(
        f"{keys.model} must be the import path of a classifier; got {path!r}.",
        hint="for example sklearn.ensemble.RandomForestClassifier.",
    )


def _class(path: str, allow_import: bool, keys: Keys, predicts: str) -> Any:
    check_importable(path, allow_import, keys)
    module, _, name = path.rpartition(".")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kind = getattr(importlib.import_module(module), name)
    except (Exception, SystemExit) as error:  # importing a module can raise anything
        raise _wrong(path, keys) from error
    if not isinstance(kind, type):
        raise _wrong(path, keys)
    _require(kind, path, keys, predicts)
    return kind


def _require(model: Any, path: str, keys: Keys, predicts: str, hint: str | None = None) -> None:
    if not all(callable(getattr(model, name, None)) for name in ("fit", predicts)):
        raise ConfigError(
            f"{keys.model} must have fit and {predicts}; {path!r} does not.", hint=hint
        )


def _parameters(kind: type) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(kind).parameters
    except (TypeError, ValueError):  # a class of an extension module
        return {"options": inspect.Parameter("options", inspect.Parameter.VAR_KEYWORD)}


@contextmanager
def training(path: str, keys: Keys) -> Iterator[None]:
    """Tell whatever a model raises while it learns or predicts as an error of the configuration.

    Args:
        path: import path of the model.
        keys: the names of its settings in messages.

    Raises:
        ConfigError: instead of any error of another library.
    """
    try:
        yield
    except LabelnextError:
        raise
    except Exception as error:
        raise ConfigError(
            f"{keys.model} must learn from the labelled items; {path} raised {_sentence(error)}.",
            hint=f"check {keys.options}.",
        ) from error


def _sentence(error: Exception) -> str:
    text = masked(" ".join(str(error).split()).rstrip("."))
    return f"{type(error).__name__}: {text if len(text) <= _MOST else text[:_MOST] + '…'}"
