"""The operator "Manage rankings": open, rename, delete, or undo the last action."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from labelnext.errors import LabelnextError
from labelnext.journal.journal import Journal
from labelnext.runs.undo import resume, runs, undo
from labelnext.support.words import done
from labelnext_adapters.fiftyone.app.app import state_folder
from labelnext_adapters.fiftyone.app.summary import pred_fields
from labelnext_adapters.fiftyone.app.words import in_words
from labelnext_adapters.fiftyone.read.own_runs import run_config
from labelnext_adapters.fiftyone.write.manage import (
    batch_view,
    check_new_name,
    delete_run,
    rename_run,
    what_goes,
    what_stays,
)

from .common import choose, operator_config, refuse, run_form, whole
from .exchange import has_secrets, settings
from .gone import of_dataset

_ACTIONS = {
    "open": ("Open", "Show the batch in order"),
    "rename": ("Rename", "Rename the run, its field and its views"),
    "delete": ("Delete", "Delete the run and everything it created"),
}
_UNDO = ("Take back", "Undo the last ranking, send or fetch, wherever it was started")
_RESUME = ("Finish", "Finish the last action, which was interrupted")


class ManageRuns(foo.Operator):
    """List, open, rename and delete the runs of a dataset."""

    @property
    def config(self) -> Any:
        """As FiftyOne wants it."""
        return operator_config(
            "manage_runs",
            "Manage rankings",
            "List, open, rename or delete rankings, or undo the last action.",
            "HIGH",
        )

    @of_dataset
    def resolve_input(self, ctx: Any) -> Any:
        """The form: a run and an action, or the last action."""
        last = last_action(ctx.dataset)
        return run_form(
            ctx,
            "Manage rankings",
            lambda inputs, names: _form(ctx, inputs, names, last),
            least=1 if last is None else 0,
        )

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Do it."""
        dataset, run = ctx.dataset, ctx.params.get("run")
        match ctx.params.get("action", "open"):
            case "undo":
                journal, stays = undo(settings(ctx), _last_id(dataset))
                said = " ".join([f"Took back {what_was_done(journal)}.", *stays])
                _refresh(ctx)
            case "resume":
                said = f"Finished {what_was_done(resume(settings(ctx), _last_id(dataset)))}."
                _refresh(ctx)
            case "rename":
                rename_run(dataset, run, ctx.params["new_name"])
                said = f"{run} is now {ctx.params['new_name']}."
                if not ctx.delegated:
                    ctx.ops.reload_dataset()
            case "delete":
                stays = what_stays(dataset, run)
                said = f"Deleted {', '.join(delete_run(dataset, run))}."
                said += f" Kept {'; '.join(stays)}." if stays else ""
                _refresh(ctx)
            case _:
                view = batch_view(dataset, run)
                if not ctx.delegated:
                    ctx.ops.set_view(view=view)
                said = f"The grid shows the batch of {run}."
        return {"done": said}

    def resolve_output(self, ctx: Any) -> Any:
        """What was done."""
        outputs = types.Object()
        outputs.str("done", label="Done", view=types.LabelValueView())
        return whole(outputs, "Manage rankings")


def _refresh(ctx: Any) -> None:
    """Show the current dataset; reload_dataset would keep deleted fields."""
    if not ctx.delegated:
        ctx.dataset.reload()
        ctx.ops.set_view(view=ctx.dataset.view())


def last_action(dataset: Any) -> Journal | None:
    """The last action on the dataset that can be undone, in the App or elsewhere, or None."""
    config = {
        "source": {"adapter": "fiftyone", "dataset": dataset},
        "state": str(state_folder(dataset)),
    }
    able = [j for j in runs(config, every=True) if j.status in ("done", "broken")]
    return able[-1] if able else None


def _last_id(dataset: Any) -> str | None:
    last = last_action(dataset)
    return None if last is None else last.run_id


def what_was_done(journal: Journal) -> str:
    """A phrase for an action, with its start time."""
    kinds = {
        "run": "the ranking",
        "send": "the batch sent to",
        "fetch": "the labels in the field",
        "push": "the predictions in the field",
    }
    name = journal.plan.target if journal.what == "send" else journal.plan.run
    started = journal.header["started"][:16].replace("T", " ")
    return f"{kinds[journal.what]} {name}, started {started} UTC"


def can_be_finished(journal: Journal) -> bool:
    """Whether an action was interrupted before anybody began to take it back."""
    return journal.status == "broken" and not journal.undoing


def _form(ctx: Any, inputs: Any, names: list[str], last: Journal | None) -> None:
    actions = types.RadioGroup(orientation="vertical")
    for name, (label, description) in _ACTIONS.items() if names else ():
        actions.add_choice(name, label=label, description=description)
    if last is not None:
        actions.add_choice("undo", label=_UNDO[0], description=_UNDO[1])
    if last is not None and can_be_finished(last):
        actions.add_choice("resume", label=_RESUME[0], description=_RESUME[1])
    default = actions.values()[0]
    inputs.enum("action", actions.values(), view=actions, default=default)
    action = ctx.params.get("action", default)
    if last is not None and action in ("undo", "resume"):
        _of_last(ctx, inputs, last, action)
    elif names:
        _of_run(ctx, inputs, names, action)


def _of_last(ctx: Any, inputs: Any, last: Journal, action: str) -> None:
    """Show what undoing or finishing would do."""
    if last.what == "send" and not has_secrets(ctx, inputs):
        return
    verb, said = ("takes back", done) if action == "undo" else ("finishes", str)
    lines = "".join(f"\n- {said(step.description)}" for step in last.plan.steps)
    inputs.md(f"**This {verb} {what_was_done(last)}:**\n{lines}", name="last")


def _of_run(ctx: Any, inputs: Any, names: list[str], action: str) -> None:
    chosen = choose(inputs, "run", names, label="Ranking", default=names[0])
    run = ctx.params.get("run", names[0])
    if run not in names:
        refuse(chosen, f"Ranking {run} no longer exists.")
        return
    inputs.md(_description(ctx.dataset, run), name="about")
    if action == "rename":
        _new_name(ctx, inputs, run)
    elif action == "delete":
        lines = "".join(f"\n- {part}" for part in what_goes(ctx.dataset, run))
        inputs.md(f"**This deletes:**\n{lines}", name="goes")
        if stays := what_stays(ctx.dataset, run):
            lines = "".join(f"\n- {part}" for part in stays)
            inputs.md(f"**This keeps, as it has another name now:**\n{lines}", name="stays")


def _description(dataset: Any, run: str) -> str:
    config = run_config(dataset, run)
    made = dataset.get_run_info(run).timestamp
    how = " and ".join(name for name in (config.acquisition, config.selection) if name)
    by = " and ".join(pred_fields(config)) or "embeddings"
    return (
        f"A batch of {config.n_batch:,} of {config.n_ranked:,} ranked samples, by {how} from {by}, "
        f"made {made:%Y-%m-%d %H:%M} UTC."
    )


def _new_name(ctx: Any, inputs: Any, run: str) -> None:
    prop = inputs.str("new_name", label="New name", description="Also that of its field and views")
    new = ctx.params.get("new_name")
    if not new:
        refuse(prop, "Enter a new name.")
        return
    try:
        check_new_name(ctx.dataset, run, new)
    except LabelnextError as error:
        refuse(prop, in_words(error))
