"""Helpers shared by the operators."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, TypeVar

import fiftyone.operators as foo
from fiftyone.operators import types

from labelnext.journal.plan import Progress
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
