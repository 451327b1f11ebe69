"""The model of a replay: made from an import path, and every failure of it is one sentence."""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from labelnext.errors import ConfigError, LabelnextError, masked, unknown

_ALLOWED = ("sklearn", "xgboost", "lightgbm", "catboost")  # importing a module runs its code
_MOST = 300  # characters of another library's message


def new_model(path: str, options: Mapping[str, Any], seed: int, *, allow_import: bool) -> Any:
    """A new classifier on standardised features.

    Args:
        path: import path of a class with fit and predict_proba.
        options: of its constructor.
        seed: for its random state, if it has one.
        allow_import: import from other modules than those of known libraries.

    Raises:
        ConfigError: if there is no such classifier, it can't be made, or its module isn't allowed.
    """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    kind = _class(path, allow_import)
    parameters = _parameters(kind)
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for option in () if open_ended else options:
        if option not in parameters:
            raise unknown("replay.model_options", option, parameters)
    chosen = dict(options)
    if "random_state" in parameters:
        chosen.setdefault("random_state", seed)
    try:
        model = kind(**chosen)
    except Exception as error:  # a constructor may raise anything
        raise ConfigError(
            f"replay.model_options must fit {path}; it raised {_sentence(error)}."
        ) from error
    hint = "some need an option for it: SVC of scikit-learn needs probability: true."
    _require(model, path, hint=hint)
    return make_pipeline(StandardScaler(), model)


def _class(path: str, allow_import: bool) -> Any:
    module, _, name = path.rpartition(".")
    wrong = ConfigError(
        f"replay.model must be the import path of a classifier; got {path!r}.",
        hint="for example sklearn.ensemble.RandomForestClassifier.",
    )
    if not all(part.isidentifier() for part in path.split(".")) or not module:
        raise wrong
    if path.partition(".")[0] not in _ALLOWED and not allow_import:
        raise ConfigError(
            f"replay.model must be a class of {', '.join(_ALLOWED[:-1])} or {_ALLOWED[-1]}; "
            f"got {path!r}.",
            hint="importing another module runs its code; if you trust it, set "
            "replay.allow_import: true.",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kind = getattr(importlib.import_module(module), name)
    except (Exception, SystemExit) as error:  # importing a module can raise anything
        raise wrong from error
    if not isinstance(kind, type):
        raise wrong
    _require(kind, path)
    return kind


def _require(model: Any, path: str, hint: str | None = None) -> None:
    if not all(callable(getattr(model, name, None)) for name in ("fit", "predict_proba")):
        raise ConfigError(
            f"replay.model must have fit and predict_proba; {path!r} does not.", hint=hint
        )


def _parameters(kind: type) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(kind).parameters
    except (TypeError, ValueError):  # a class of an extension module
        return {"options": inspect.Parameter("options", inspect.Parameter.VAR_KEYWORD)}


@contextmanager
def training(path: str) -> Iterator[None]:
    """Tell whatever a model raises while it learns or predicts as an error of the configuration.

    Raises:
        ConfigError: instead of any error of another library.
    """
    try:
        yield
    except LabelnextError:
        raise
    except Exception as error:
        raise ConfigError(
            f"replay.model must learn from the labelled items; {path} raised {_sentence(error)}.",
            hint="check replay.model_options.",
        ) from error


def _sentence(error: Exception) -> str:
    text = masked(" ".join(str(error).split()).rstrip("."))
    return f"{type(error).__name__}: {text if len(text) <= _MOST else text[:_MOST] + '…'}"
