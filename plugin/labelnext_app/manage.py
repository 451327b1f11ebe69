"""The operator "Manage rankings": open, rename, delete."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from labelnext.errors import LabelnextError
from labelnext_adapters.fiftyone.manage import (
    batch_view,
    check_new_name,
    delete_run,
    rename_run,
    run_config,
    what_goes,
)

from .common import choose, operator_config, refuse, run_form

_ACTIONS = {
    "open": ("Open", "Show the batch in its order"),
    "rename": ("Rename", "Give the run, its field and its views another name"),
    "delete": ("Delete", "Delete the run and all that it made"),
}


class ManageRuns(foo.Operator):
    """List, open, rename and delete the runs of a dataset."""

    @property
    def config(self) -> Any:
        """As FiftyOne wants it."""
        return operator_config(
            "manage_runs",
            "Manage rankings",
            "List, open, rename or delete what was ranked, or take back what was done last.",
            "HIGH",
        )

    def resolve_input(self, ctx: Any) -> Any:
        """A run, and what to do with it."""
        return run_form(ctx, "Manage rankings", lambda inputs, names: _form(ctx, inputs, names))

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Do it."""
        dataset, run = ctx.dataset, ctx.params["run"]
        match ctx.params.get("action", "open"):
            case "rename":
                rename_run(dataset, run, ctx.params["new_name"])
                done = f"{run} is now {ctx.params['new_name']}."
                if not ctx.delegated:
                    ctx.ops.reload_dataset()
            case "delete":
                done = f"Deleted {', '.join(delete_run(dataset, run))}."
                if not ctx.delegated:
                    # Brings the schema along; reload_dataset would keep the deleted field.
                    ctx.ops.set_view(view=dataset.view())
            case _:
                view = batch_view(dataset, run)
                if not ctx.delegated:
                    ctx.ops.set_view(view=view)
                done = f"The grid shows the batch of {run}."
        return {"done": done}

    def resolve_output(self, ctx: Any) -> Any:
        """What was done."""
        outputs = types.Object()
        outputs.str("done", label="Done", view=types.LabelValueView())
        return types.Property(outputs, view=types.View(label="Manage rankings"))


def _form(ctx: Any, inputs: Any, names: list[str]) -> None:
    chosen = choose(inputs, "run", names, label="Ranking", default=names[0])
    run = ctx.params.get("run", names[0])
    if run not in names:
        refuse(chosen, f"There is no ranking {run} any more.")
        return
    inputs.md(_description(ctx.dataset, run), name="about")
    actions = types.RadioGroup()
    for name, (label, description) in _ACTIONS.items():
        actions.add_choice(name, label=label, description=description)
    inputs.enum("action", actions.values(), view=actions, default="open", required=True)
    action = ctx.params.get("action", "open")
    if action == "rename":
        _new_name(ctx, inputs, run)
    elif action == "delete":
        lines = "".join(f"\n- {part}" for part in what_goes(ctx.dataset, run))
        inputs.md(f"**This deletes:**\n{lines}", name="goes")


def _description(dataset: Any, run: str) -> str:
    config = run_config(dataset, run)
    made = dataset.get_run_info(run).timestamp
    how = " and ".join(name for name in (config.acquisition, config.selection) if name)
    return (
        f"{config.n_batch:,} of {config.n_ranked:,} ranked samples, by {how}"
        f" of {config.pred_field or 'embeddings'}, {made:%Y-%m-%d %H:%M} UTC."
    )


def _new_name(ctx: Any, inputs: Any, run: str) -> None:
    prop = inputs.str("new_name", label="New name", required=True)
    new = ctx.params.get("new_name")
    if new:
        try:
            check_new_name(ctx.dataset, run, new)
        except LabelnextError as error:
            refuse(prop, str(error))
