"""What is said where the dataset or a ranking isn't there any more, instead of a traceback."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from fiftyone.operators import types

from labelnext.errors import LabelnextError
from labelnext_adapters.fiftyone.app.words import in_words
from labelnext_adapters.fiftyone.read.own_runs import run_names

from .common import refuse, whole

_GONE = "This dataset isn't there any more"
_CURE = "Somebody has renamed or deleted it. Reload the page, and choose a dataset."
_NONE = "No dataset is open"


def of_dataset(resolve_input: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A form that says so where the dataset that the App shows is gone."""

    @wraps(resolve_input)
    def resolved(operator: Any, ctx: Any) -> Any:
        if (lack := _lack(ctx)) is None:
            return resolve_input(operator, ctx)
        inputs = types.Object()
        what, cure = lack
        refuse(inputs.view("gone", types.Warning(label=what, description=cure)), f"{what}. {cure}")
        return whole(inputs, operator.config.label)

    return resolved


def told(event: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """An event of a panel that tells in a line what went wrong.

    Where the ranking that it shows is gone, the panel goes on to the newest.
    """

    @wraps(event)
    def telling(panel: Any, ctx: Any) -> None:
        if (lack := _lack(ctx)) is not None:
            ctx.ops.notify(". ".join(lack), variant="warning")
            return
        try:
            event(panel, ctx)
        except LabelnextError as error:
            run = ctx.panel.state.run
            if run and run not in run_names(ctx.dataset):
                ctx.ops.notify(f"Ranking {run} no longer exists.", variant="warning")
                ctx.panel.state.run = None  # else what fails there would come back here
                panel.on_load(ctx)
            else:
                ctx.ops.notify(in_words(error), variant="error")

    return telling


def _lack(ctx: Any) -> tuple[str, str] | None:
    """What is wrong with the dataset that the App shows, and what to do; None for nothing."""
    try:
        if ctx.dataset is not None:
            return None
    except ValueError:  # FiftyOne finds no dataset of that name
        return _GONE, _CURE
    return (_GONE, _CURE) if ctx.request_params.get("dataset_name") else (_NONE, "Choose one.")
