"""Helpers shared by the operators."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, TypeVar

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators import types

from labelnext.errors import LabelnextError
from labelnext.journal.plan import Progress
from labelnext_adapters.fiftyone.app.choices import Choice
from labelnext_adapters.fiftyone.app.params import check_params
from labelnext_adapters.fiftyone.app.words import in_words
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
    labels: Mapping[str, str] | None = None,
) -> Any:
    """Add a dropdown to a form; without a choice, its default counts.

    Args:
        inputs: the form.
        name: of the parameter.
        values: the choices.
        label: of the dropdown.
        description: one line below it.
        default: the initial choice.
        labels: what the choices are called, where not by their values.
    """
    known = list(values)
    view = types.DropdownView(label=label, description=description, componentsProps=_MENU)
    for value in known:
        view.add_choice(value, label=(labels or {}).get(value, value))
    return inputs.enum(name, known, view=view, default=default)


def choose_several(
    inputs: Any, name: str, values: Iterable[str], *, label: str, description: str
) -> Any:
    """Add a dropdown of which several can be chosen, or none.

    Args:
        inputs: the form.
        name: of the parameter.
        values: the choices.
        label: of the dropdown.
        description: one line below it.
    """
    view = types.DropdownView(multiple=True, label=label, description=description)
    for value in values:
        view.add_choice(value, label=value)
    return inputs.list(name, types.String(), view=view, required=False)


def choose_able(
    inputs: Any,
    name: str,
    choices: Sequence[Choice],
    *,
    label: str,
    chosen: str | None,
    default: str,
    labels: Mapping[str, str] | None = None,
) -> Any:
    """Add a dropdown whose choices say what they do; those that can't be taken are grey, and why.

    Args:
        inputs: the form.
        name: of the parameter.
        choices: what there is.
        label: of the dropdown; what the present choice does stands below it.
        chosen: the present choice; None for the default.
        default: the initial choice.
        labels: what the choices are called, where not by their names.
    """
    # FiftyOne's dropdown knows no choice that is disabled, but its menu takes styles. The reason
    # stays legible.
    grey = {
        f"& [data-value={json.dumps(choice.name)}]": _GREY
        for choice in choices
        if choice.obstacle is not None
    }
    menu = {"select": {"MenuProps": {"sx": {**_MENU["select"]["MenuProps"]["sx"], **grey}}}}
    present = next((c for c in choices if c.name == (chosen or default)), None)
    view = types.DropdownView(
        label=label,
        description=in_words(present.summary) if present else None,
        componentsProps=menu,
    )
    for choice in choices:
        said = (choice.obstacle or choice.summary).removeprefix(f"{choice.name} ")
        view.add_choice(
            choice.name,
            label=(labels or {}).get(choice.name, choice.name),
            description=in_words(said),
            disabled=choice.obstacle is not None,
        )
    prop = inputs.enum(name, [choice.name for choice in choices], view=view, default=default)
    if present is not None and present.obstacle is not None:
        refuse(prop, f"{in_words(present.obstacle)}.")
    return prop


_GREY = {
    "pointerEvents": "none",
    "opacity": 0.8,
    "& .MuiListItemText-root > p:first-of-type": {"opacity": 0.5},
}
_MENU = {
    "select": {
        "MenuProps": {
            "sx": {"& li": {"whiteSpace": "normal"}, "& .MuiPaper-root": {"maxHeight": "60vh"}}
        }
    }
}


def carried_out(
    ctx: Any,
    work: Callable[[Progress], dict[str, Any]],
    outputs: Callable[[dict[str, Any]], types.Property],
    after: Callable[[], Iterable[Any]] = tuple,
) -> Any:
    """Run some work, and show its progress and then its result in the operator's dialog.

    Args:
        ctx: of the operator.
        work: called with a progress function.
        outputs: called with the result; how it is shown.
        after: what the App is asked to do then, such as to show another view.

    Returns:
        The result where a service does the work, else messages for the App.
    """
    if ctx.delegated:
        return work(lambda stage, n, total: ctx.set_progress(n / total if total else None, stage))
    return _shown(ctx, work, outputs, after)


def _shown(
    ctx: Any,
    work: Callable[[Progress], dict[str, Any]],
    outputs: Callable[[dict[str, Any]], types.Property],
    after: Callable[[], Iterable[Any]],
) -> Iterator[Any]:
    try:
        results = yield from with_progress(ctx, work)
    except LabelnextError as error:
        yield from failure(ctx, error)
        raise
    yield from after()
    yield ctx.ops.show_output(outputs=outputs(results).to_json(), results=results)


def failure(ctx: Any, error: LabelnextError) -> Iterator[Any]:
    """What the App is asked to do when work failed: say why, also where its progress stood.

    Args:
        ctx: of the operator.
        error: what went wrong.
    """
    text = in_words(error)
    yield ctx.ops.notify(text, variant="error")
    yield ctx.ops.set_progress(progress=0, label=text)  # the dialog stays until it is closed


def whole(content: Any, label: str) -> Any:
    """A form or a result as FiftyOne wants it, also in a narrow window.

    Args:
        content: an object with what there is.
        label: stands above it.
    """
    # FiftyOne's dialog leaves this much of the window, and cuts off what is wider. A field that it
    # hides would take a row.
    narrow = {"maxWidth": "calc(100vw - 112px)", "overflowWrap": "break-word"}
    style = {"container": {"sx": narrow}, "gridItem": {"sx": {"&:empty": {"display": "none"}}}}
    return types.Property(content, view=types.View(label=label, componentsProps=style))


def keep(state: Any, **values: Any) -> None:
    """Set what differs of a panel's state: any change of it makes the App drop sidebar filters.

    Args:
        state: of the panel.
        values: by their names.
    """
    if changed := {name: value for name, value in values.items() if getattr(state, name) != value}:
        state.set(changed)


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


def are_odd(ctx: Any, inputs: Any) -> bool:
    """Whether a parameter is of a wrong kind, as only a script can give it; the form then says so.

    Args:
        ctx: of the operator.
        inputs: the form.
    """
    try:
        check_params(ctx.params)
    except LabelnextError as error:
        notice = types.Error(label="This parameter can't be used", description=error.message)
        refuse(inputs.view("odd", notice), error.message)
        return True
    return False


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
    if are_odd(ctx, inputs):
        pass
    elif len(names) >= least:
        fill(inputs, names)
    else:
        missing, cure = _TOO_FEW[least]
        notice = types.Warning(label=missing, description=cure)
        refuse(inputs.view("no_runs", notice), f"{missing}. {cure}")
    return whole(inputs, label)


_TOO_FEW = {
    1: ("No rankings yet", "Run 'Rank samples to label' first."),
    2: ("Two rankings are needed", "Rank twice, with different run names."),
}
