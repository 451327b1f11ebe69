"""The panel "Label next": a ranking at a glance."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from labelnext.errors import LabelnextError
from labelnext_adapters.fiftyone.app.summary import RunSummary, scores_view, summarise_run
from labelnext_adapters.fiftyone.read.own_runs import run_names
from labelnext_adapters.fiftyone.write.manage import batch_view

from .common import ICON, PLUGIN

_POOL, _BATCH = "#8a8f98", "#ff6d04"
_MOST_CLASSES = 15


class LabelNext(foo.Panel):
    """Scores, classes, progress and the next samples of a ranking."""

    @property
    def config(self) -> Any:
        """As FiftyOne wants it."""
        return foo.PanelConfig(
            name="label_next",
            label="Label next",
            icon=ICON,
            help_markdown="Your labelnext rankings. Click a bar to see its samples.",
        )

    def on_load(self, ctx: Any) -> None:
        """Show the newest ranking."""
        ctx.panel.state.stands = None  # the App may have kept the state, but no plots
        _refresh(ctx)

    def on_change_dataset(self, ctx: Any) -> None:
        """Show the other dataset's newest ranking."""
        _refresh(ctx)

    def on_change_view(self, ctx: Any) -> None:
        """Update how much of the ranking the grid shows; rankings may have changed too."""
        _refresh(ctx)

    def on_pick(self, ctx: Any) -> None:
        """Show the chosen ranking."""
        ctx.panel.state.run = ctx.params["value"]
        _refresh(ctx)

    def on_bar(self, ctx: Any) -> None:
        """Show the samples of a bar in the grid."""
        edges, at = ctx.panel.state.edges, int(ctx.params["idx"])
        last = at == len(edges) - 2
        run = ctx.panel.state.run
        ctx.ops.set_view(view=scores_view(ctx.dataset, run, *edges[at : at + 2], last=last))

    def on_open(self, ctx: Any) -> None:
        """Open the sample of a row."""
        ctx.ops.open_sample(id=ctx.panel.state.next_ids[int(ctx.params["row"])])

    def on_batch(self, ctx: Any) -> None:
        """Show the batch in the grid."""
        try:
            view = batch_view(ctx.dataset, ctx.panel.state.run)
        except LabelnextError as error:
            ctx.ops.notify(str(error), variant="error")
        else:
            ctx.ops.set_view(view=view)

    def on_rank(self, ctx: Any) -> None:
        """Open the form that ranks."""
        ctx.prompt(f"{PLUGIN}/rank_samples", on_success=self.on_load)

    def on_compare(self, ctx: Any) -> None:
        """Open the form that compares."""
        ctx.prompt(f"{PLUGIN}/compare_rankings")

    def on_manage(self, ctx: Any) -> None:
        """Open the form that opens, renames and deletes."""
        ctx.prompt(f"{PLUGIN}/manage_runs", on_success=self.on_load)

    def on_send(self, ctx: Any) -> None:
        """Open the form that sends the batch to Label Studio."""
        ctx.prompt(f"{PLUGIN}/send_batch", params={"run": ctx.panel.state.run})

    def on_fetch(self, ctx: Any) -> None:
        """Open the form that fetches annotations."""
        ctx.prompt(f"{PLUGIN}/fetch_annotations", on_success=self.on_load)

    def render(self, ctx: Any) -> Any:
        """The current panel."""
        panel = types.Object()
        runs = ctx.panel.state.runs or []
        if not runs:
            panel.md(
                "**No rankings yet.**\n\nlabelnext uses this dataset's predictions to find the "
                "samples that help your model most once labelled.",
                name="empty",
            )
            panel.btn("rank", "Rank samples to label", on_click=self.on_rank, variant="contained")
            return types.Property(panel, view=_column())
        picker = types.DropdownView(label="Ranking")
        for run in runs:
            picker.add_choice(run, label=run)
        panel.enum("run", runs, view=picker, default=ctx.panel.state.run, on_change=self.on_pick)
        panel.md(ctx.panel.state.text or "", name="text")
        self._buttons(panel)
        if ctx.panel.state.edges:
            layout = _layout(f"{ctx.panel.state.score} (click a bar)", "samples")
            panel.plot("scores", layout=layout, on_click=self.on_bar, config=_BARE)
        if ctx.panel.state.n_classes:
            height = 70 + 26 * min(int(ctx.panel.state.n_classes), _MOST_CLASSES)
            layout = {**_layout("share of predictions, %", ""), "height": height}
            layout["yaxis"] |= {"type": "category", "dtick": 1}
            panel.plot("classes", layout=layout, config=_BARE)
        table = types.TableView(componentsProps={"table": {"sx": {"minWidth": 0}}})
        if ctx.panel.state.opens:
            table.add_row_action(
                "open", self.on_open, label="Open", icon="open_in_new", tooltip="Open the sample"
            )
        for key in ("rank", "sample", "score", "why"):
            table.add_column(key, label=key)
        panel.list("next", types.Object(), view=table, label="Next to label")
        return types.Property(panel, view=_column())

    def _buttons(self, panel: Any) -> None:
        row = panel.h_stack("buttons", gap=1)
        row.btn("batch", "Show the batch", on_click=self.on_batch, variant="contained")
        row.btn("rank", "Rank", on_click=self.on_rank, variant="outlined")
        row.btn("compare", "Compare", on_click=self.on_compare, variant="outlined")
        row.btn("manage", "Manage", on_click=self.on_manage, variant="outlined")
        row = panel.h_stack("exchange", gap=1)
        row.btn("send", "Send to Label Studio", on_click=self.on_send, variant="outlined")
        row.btn("fetch", "Fetch annotations", on_click=self.on_fetch, variant="outlined")


_BARE = {"displayModeBar": False}


def _column() -> Any:
    return types.GridView(orientation="vertical", columns=1, gap=2, pad=2)


def _layout(x: str, y: str) -> dict[str, Any]:
    return {
        "xaxis": {"title": {"text": x}},
        "yaxis": {"title": {"text": y}, "automargin": True},
        "barmode": "overlay",
        "bargap": 0.05,
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 50, "r": 10, "t": 30, "b": 40},
        "height": 260,
    }


def _refresh(ctx: Any) -> None:
    ctx.dataset.reload()  # another process may have added a run
    runs = run_names(ctx.dataset)
    state = ctx.panel.state
    state.runs = runs
    if not runs:
        state.run = None
        return
    state.run = state.run if state.run in runs else runs[0]
    # Reading a whole ranking takes seconds: a view that changed is no reason to do it again.
    stands = _stands(ctx.dataset, state.run)
    if state.stands != stands:
        _summarise(ctx, summarise_run(ctx.dataset, state.run))
        state.stands = stands
    path = f"{state.run}.rank"
    n_shown = ctx.view.exists(path).count() if ctx.view.get_field(path) is not None else 0
    state.text = state.template.replace(_SHOWN, f"{n_shown:,}")


_SHOWN = "{shown}"


def _stands(dataset: Any, run: str) -> list[str]:
    """What changes as soon as the summary of a run does: the run, or any sample."""
    moments = (dataset.get_run_info(run).timestamp, dataset.max("last_modified_at"))
    return [dataset.name, run, *map(str, moments), str(dataset.count())]


def _summarise(ctx: Any, summary: RunSummary) -> None:
    state = ctx.panel.state
    state.edges = list(summary.edges)
    state.score = summary.acquisition
    state.n_classes = len(summary.classes)
    state.template = _text(summary)
    state.opens = summary.items == "samples"
    state.next_ids = [row["id"] for row in summary.next_items]
    ctx.panel.data.scores = _scores(summary)
    ctx.panel.data.classes = _classes(summary)
    ctx.panel.data.next = [
        {
            "rank": row["rank"],
            "sample": row["name"],
            "score": "" if row["score"] is None else f"{row['score']:.4f}",
            "why": row["reason"],
        }
        for row in summary.next_items
    ]


def _text(summary: RunSummary) -> str:
    """What the panel says; `_SHOWN` stands for how many the grid shows."""
    how = " and ".join(name for name in (summary.acquisition, summary.selection) if name)
    lines = [
        f"Batch: **{summary.n_batch:,}** of {summary.n_ranked:,} ranked {summary.items}, "
        f"by {how}. The grid shows {_SHOWN} of them."
    ]
    lines += [why[:1].upper() + why[1:] for why in summary.reasons.values()]
    if summary.n_labelled is not None:
        share = summary.n_labelled / max(summary.n_batch, 1)
        lines.append(
            f"Labelled so far: **{summary.n_labelled:,}** of {summary.n_batch:,} ({share:.0%})."
        )
    return "\n\n".join(lines)


def _scores(summary: RunSummary) -> list[dict[str, Any]]:
    middles = [(a + b) / 2 for a, b in zip(summary.edges, summary.edges[1:], strict=False)]
    parts = ((summary.pool, "ranked", _POOL), (summary.batch, "batch", _BATCH))
    return [
        {"type": "bar", "x": middles, "y": list(counts), "name": name, "marker": {"color": color}}
        for counts, name, color in parts
    ]


def _classes(summary: RunSummary) -> list[dict[str, Any]]:
    """Bars show shares, because the batch is much smaller; names include the counts."""
    rows = summary.classes[:_MOST_CLASSES][::-1]
    names = [f"{label} ({n_batch:,} of {n_ranked:,})" for label, n_ranked, n_batch in rows]
    traces = []
    for at, name, color in ((1, "ranked", _POOL), (2, "batch", _BATCH)):
        total = sum(int(row[at]) for row in summary.classes) or 1
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": names,
                "x": [round(100 * int(row[at]) / total, 1) for row in rows],
                "name": name,
                "marker": {"color": color},
                "width": 0.7 if at == 1 else 0.35,
            }
        )
    return traces
