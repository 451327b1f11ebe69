"""Helpers shared by the operators."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, TypeVar

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators import types

from labelnext.journal.plan import Progress
from labelnext_adapters.fiftyone.app.own_views import is_own_view
from labelnext_adapters.fiftyone.read.own_runs import run_names

ICON = "/assets/icon.svg"
PLUGIN = "@labelnext/labelnext"

_T = TypeVar("_T")


def operator_config(name: str, label: str, description: str, risk: str, **more: Any) -> Any:
    """The FiftyOne configuration of an operator with a form that can be delegated.

    Args:
        name: of the operator.
        label: shown to users.
        description: one or two sentences.
        risk: LOW, MEDIUM or HIGH.
        more: further arguments of `foo.OperatorConfig`.
    """
    return foo.OperatorConfig(
        name=name,
        label=label,
        description=description,
        risk_level=risk,
        icon=ICON,
        dynamic=True,
        allow_delegated_execution=True,
        view_target=False,
        **more,
    )


def with_progress(ctx: Any, work: Callable[[Progress], _T]) -> Generator[Any, None, _T]:
    """Run some work and show its progress in the App.

    Args:
        ctx: of the operator.
        work: called with a progress function.

    Yields:
        Messages for the App.

    Returns:
        The result of the work.
    """
    # Operators report progress by yielding, the library by calling; a thread connects them.
    reports: SimpleQueue[tuple[str, int, int | None] | None] = SimpleQueue()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work, lambda *report: reports.put(report))
        future.add_done_callback(lambda _: reports.put(None))
        for stage, done, total in iter(reports.get, None):
            share = done / total if total else None
            if ctx.delegated:
                ctx.set_progress(progress=share, label=stage)
            else:
                yield ctx.ops.set_progress(progress=share, label=stage)
        return future.result()


def choose(
    inputs: Any,
    name: str,
    values: Iterable[str],
    *,
    label: str,
    description: str | None = None,
    default: str | None = None,
    required: bool = True,
) -> Any:
    """Add a dropdown to a form.

    Args:
        inputs: the form.
        name: of the parameter.
        values: the choices.
        label: of the dropdown.
        description: one line below it.
        default: the initial choice.
        required: whether a choice is required.
    """
    known = list(values)
    view = types.DropdownView(label=label, description=description)
    for value in known:
        view.add_choice(value, label=value)
    return inputs.enum(name, known, view=view, default=default, required=required)


def ask_target(ctx: Any, inputs: Any, verb: str) -> None:
    """Ask which samples are meant: the dataset where the grid shows a view of labelnext's own.

    Args:
        ctx: of the operator.
        inputs: the form.
        verb: what is done with them, such as "Rank".
    """
    default = _default_target(ctx)
    inputs.view_target(ctx, action_description=verb, default_target=default)
    if default in _WHOLE and _chosen_target(ctx) in (None, default):
        text = f"The grid shows a view by labelnext; this would {verb.lower()} the whole dataset"
        inputs.view("own_view", types.Notice(label=text))


def target_view(ctx: Any) -> Any:
    """The samples that `ask_target` asked for, or its default.

    Args:
        ctx: of the operator.
    """
    target = _chosen_target(ctx) or _default_target(ctx)
    if target == "SELECTED_SAMPLES":
        return ctx.view.select(ctx.selected)
    if target == "DATASET":
        return ctx.dataset
    return ctx.view._base_view if target == "BASE_VIEW" else ctx.target_view()


def _chosen_target(ctx: Any) -> Any:
    """FiftyOne's name for what somebody chose, or None."""
    return ctx.params.get("view_target") or ctx.request_params.get("view_target")


_WHOLE = ("DATASET", "BASE_VIEW")


def _default_target(ctx: Any) -> str | None:
    """FiftyOne's name for what is meant until somebody chooses; None leaves it to FiftyOne."""
    if ctx.selected:
        return "SELECTED_SAMPLES"
    if not is_own_view(ctx.view):
        return None
    return "BASE_VIEW" if ctx.view._is_generated else "DATASET"


def say_how_to_schedule(inputs: Any) -> None:
    """Say what scheduling needs, where FiftyOne's open edition would not offer it.

    Args:
        inputs: the form.
    """
    # The option came with a later FiftyOne; Enterprise, which has an API, has its orchestrators.
    allowed = getattr(fo.config, "allow_legacy_orchestrators", True)
    if not allowed and getattr(fo.config, "api_uri", None) is None:
        text = (
            "*Schedule* works in the open edition if the App and `fiftyone delegated launch` are "
            f"started with `{_SCHEDULING}=true`."
        )
        inputs.md(text, name="schedule")


_SCHEDULING = "FIFTYONE_ALLOW_LEGACY_ORCHESTRATORS"


def refuse(prop: Any, message: str) -> None:
    """Show an error below an input and block the form.

    Args:
        prop: the input.
        message: one sentence.
    """
    prop.invalid = True
    prop.error_message = message


def run_form(
    ctx: Any, label: str, fill: Callable[[Any, list[str]], None], *, least: int = 1
) -> types.Property:
    """A form about rankings; if there are too few, it says what to do.

    Args:
        ctx: of the operator.
        label: of the form.
        fill: called with the form and the names of the rankings, newest first.
        least: minimum number of rankings.
    """
    inputs = types.Object()
    names = run_names(ctx.dataset)
    if len(names) >= least:
        fill(inputs, names)
    else:
        missing, cure = _TOO_FEW[least]
        notice = types.Warning(label=missing, description=cure)
        refuse(inputs.view("no_runs", notice), f"{missing}. {cure}")
    return types.Property(inputs, view=types.View(label=label))


_TOO_FEW = {
    1: ("No rankings yet", "Run 'Rank samples to label' first."),
    2: ("Two rankings are needed", "Rank twice, with different run names."),
}
