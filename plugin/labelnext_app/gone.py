"""What is said where the dataset or a ranking isn't there any more, instead of a traceback."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from fiftyone.operators import types

from labelnext.errors import LabelnextError
from labelnext_adapters.fiftyone.app.words import in_words

from .common import refuse, whole

_GONE = "This dataset isn't there any more"
_CURE = "Somebody has renamed or deleted it. Reload the page, and choose a dataset."


def of_dataset(resolve_input: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A form that says so where the dataset that the App shows is gone."""

    @wraps(resolve_input)
    def resolved(operator: Any, ctx: Any) -> Any:
        if _is_there(ctx):
            return resolve_input(operator, ctx)
        inputs = types.Object()
        notice = types.Warning(label=_GONE, description=_CURE)
        refuse(inputs.view("gone", notice), f"{_GONE}. {_CURE}")
        return whole(inputs, operator.config.label)

    return resolved


def told(event: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """An event of a panel that tells in a line what went wrong."""

    @wraps(event)
    def telling(panel: Any, ctx: Any) -> None:
        if not _is_there(ctx):
            ctx.ops.notify(f"{_GONE}. {_CURE}", variant="warning")
            return
        try:
            event(panel, ctx)
        except LabelnextError as error:
            ctx.ops.notify(in_words(error), variant="error")

    return telling


def _is_there(ctx: Any) -> bool:
    try:
        return ctx.dataset is not None
    except ValueError:  # FiftyOne finds no dataset of that name
        return False
