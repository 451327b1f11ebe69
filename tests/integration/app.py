"""The App plugin without a browser: its operators and panel as the App calls them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

PLUGIN = "@labelnext/labelnext"
OPERATORS = (
    "rank_samples",
    "compare_rankings",
    "manage_runs",
    "send_batch",
    "fetch_annotations",
)
PARTS = {f"{PLUGIN}/{name}" for name in (*OPERATORS, "label_next")}

# Margins .8, .2, .4, .0: the order of labelling is d, b, c, a; the fifth has no prediction.
ROWS = ([0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.5, 0.5])
ORDER = ["d", "b", "c", "a"]
FORM = {
    "pred_field": "pred",
    "labelled": "field:truth",
    "acquisition": "margin",
    "method": "top_k",
    "budget": 2,
    "seed": 0,
    "run": "next",
}


def execute(
    name: str, dataset: Any, *, view: Any = None, selected: Sequence[str] = (), **params: Any
) -> Any:
    """What the App does when somebody presses Execute; errors are raised."""
    import fiftyone.operators as foo

    request = {"dataset": dataset, "view": view, "params": params, "selected": list(selected)}
    done = foo.execute_operator(f"{PLUGIN}/{name}", ctx=request)
    if done.result is None and "show_output" in requests(done):
        done.result = requests(done)["show_output"]["results"]  # of an operator with progress
    return done


def delegated(name: str, dataset: Any, **params: Any) -> Any:
    """What the operator returns when FiftyOne's delegated service executes it."""
    done = queued(name, dataset, **params)
    assert done.run_state == "completed", done.result
    return done.result.result if done.result is not None else None


def queued(name: str, dataset: Any, meanwhile: Callable[[], object] = bool, **params: Any) -> Any:
    """What FiftyOne's delegated service has written down of the operator, however it ended.

    `meanwhile` is called between the order and its execution.
    """
    import fiftyone.operators as foo
    from fiftyone.operators.delegated import DelegatedOperationService

    request = {"request_delegation": True, "params": params, "dataset": dataset}
    order = foo.execute_operator(f"{PLUGIN}/{name}", ctx=request)
    meanwhile()
    service = DelegatedOperationService()
    service.execute_queued_operations(operator=f"{PLUGIN}/{name}", dataset_name=dataset.name)
    return service.get(order.result["id"])


def requests(result: Any) -> dict[str, Any]:
    """What the operator asked the App to do, the last of each kind."""
    made = result.to_json()["executor"]["requests"]
    return {request["operator_uri"].split("/")[-1]: request["params"] for request in made}


def context(name: str, dataset: Any, /, view: Any = None, **more: Any) -> Any:
    from fiftyone.operators.executor import ExecutionContext, Executor

    request = {
        "dataset_name": dataset.name,
        "view": (view if view is not None else dataset.view())._serialize(),
        **more,
    }
    return ExecutionContext(
        request,
        executor=Executor(),
        operator_uri=f"{PLUGIN}/{name}",
        required_secrets=part(name)._plugin_secrets,
    )


def part(name: str) -> Any:
    from fiftyone.operators.registry import OperatorRegistry

    found = OperatorRegistry().get_operator(f"{PLUGIN}/{name}")
    assert found is not None
    return found


def form(
    name: str, dataset: Any, /, view: Any = None, *, selected: Sequence[str] = (), **params: Any
) -> dict[str, Any]:
    """The inputs of a form, by name; of the form that ranks, those of all levels."""
    if name == "rank_samples":
        params.setdefault("level", "everything")
    ctx = context(name, dataset, view, params=params, selected=list(selected))
    inputs = part(name).resolve_input(ctx).to_json()["type"]["properties"]
    return dict(inputs)


def choices(prop: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {choice["value"]: choice for choice in prop["view"]["choices"]}


def names(view: Any) -> list[str]:
    return list(view.values("name"))


def shown(dataset: Any, result: Any) -> list[str]:
    """The names of the samples that the grid shows afterwards."""
    import fiftyone as fo

    stages = requests(result)["set_view"]["view"]
    return names(fo.DatasetView._build(dataset, stages))


def panel(dataset: Any, method: str = "on_load", **more: Any) -> tuple[Any, dict[str, Any]]:
    """The panel after an event: its context, and its elements by name."""
    ctx = context("label_next", dataset, params={"panel_id": "p"}, **more)
    shape = part("label_next")
    getattr(shape, method)(ctx)
    return ctx, shape.render(ctx).to_json()["type"]["properties"]
