"""The panel "Label next": a ranking at a glance."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import fiftyone.operators as foo
from fiftyone.operators import types

from labelnext_adapters.fiftyone.app.summary import scores_view
from labelnext_adapters.fiftyone.database.fields import items_of
from labelnext_adapters.fiftyone.read.own_runs import run_config
from labelnext_adapters.fiftyone.write.manage import batch_view

from . import plots
from .common import ICON, PLUGIN
from .gone import told
from .looks import NARROW, ONLY_ICONS, THREE_OR_SIX, WRAPPED, column, icon
from .panel_state import LATER, draw_map, refresh


class LabelNext(foo.Panel):
    """Scores, classes, progress and the next samples of a ranking."""

    @property
    def config(self) -> Any:
        """As FiftyOne wants it."""
        return foo.PanelConfig(
            name="label_next",
            label="Label next",
            icon=ICON,
            help_markdown="Your labelnext rankings. Click a bar, a row or a picture to see its "
            "samples; draw around points of the map to see theirs.",
        )

    def resolve_panel_config(self) -> dict[str, Any]:
        """As FiftyOne wants it, with the icon for the panel's tab."""
        config: dict[str, Any] = super().resolve_panel_config()
        if "_builtin" in config:  # FiftyOne shows no other icon for panels written in Python
            config |= {"icon": icon(), "_builtin": True}
        return config

    @told
    def on_load(self, ctx: Any) -> None:
        """Show the newest ranking."""
        ctx.panel.state.stands = None  # the App may have kept the state, but no plots
        refresh(ctx)

    @told
    def on_change_dataset(self, ctx: Any) -> None:
        """Show the other dataset's newest ranking."""
        refresh(ctx)

    @told
    def on_change_view(self, ctx: Any) -> None:
        """Update how much of the ranking the grid shows; rankings may have changed too."""
        refresh(ctx)

    @told
    def on_pick(self, ctx: Any) -> None:
        """Show the chosen ranking."""
        ctx.panel.state.run = ctx.params["value"]
        refresh(ctx)

    @told
    def on_colour(self, ctx: Any) -> None:
        """Colour the map by what was chosen."""
        ctx.panel.state.colour = ctx.params["value"]
        draw_map(ctx)

    @told
    def on_lasso(self, ctx: Any) -> None:
        """Show the samples that somebody drew around, in the grid."""
        ids = [point["id"] for point in ctx.params.get("data") or () if point.get("id")]
        if ids:
            config = run_config(ctx.dataset, ctx.panel.state.run)
            ctx.ops.set_view(view=items_of(ctx.dataset, config).select(ids))

    @told
    def on_bar(self, ctx: Any) -> None:
        """Show the samples of a bar in the grid."""
        edges, at = ctx.panel.state.edges, int(ctx.params["idx"])
        last = at == len(edges) - 2
        run = ctx.panel.state.run
        ctx.ops.set_view(view=scores_view(ctx.dataset, run, *edges[at : at + 2], last=last))

    @told
    def on_open(self, ctx: Any) -> None:
        """Open the sample of a row or picture."""
        at = int(ctx.params["row"])
        if at >= 0 and ctx.panel.state.opens:  # the head of the table is row -1
            ctx.ops.open_sample(id=ctx.panel.state.next_ids[at])

    @told
    def on_batch(self, ctx: Any) -> None:
        """Show the batch in the grid."""
        ctx.ops.set_view(view=batch_view(ctx.dataset, ctx.panel.state.run))

    @told
    def on_rank(self, ctx: Any) -> None:
        """Open the form that ranks."""
        ctx.prompt(f"{PLUGIN}/rank_samples", on_success=self.on_load)

    @told
    def on_compare(self, ctx: Any) -> None:
        """Open the form that compares the shown ranking with another."""
        run, runs = ctx.panel.state.run, ctx.panel.state.runs or []
        other = next((name for name in runs if name != run), None)
        params = {"first": run, "second": other} if other else {}
        ctx.prompt(f"{PLUGIN}/compare_rankings", params=params)

    @told
    def on_manage(self, ctx: Any) -> None:
        """Open the form that opens, renames and deletes."""
        params = {"run": ctx.panel.state.run} if ctx.panel.state.run else {}
        ctx.prompt(f"{PLUGIN}/manage_runs", params=params, on_success=self.on_load)

    @told
    def on_finish(self, ctx: Any) -> None:
        """Open the form that finishes what was interrupted."""
        ctx.prompt(f"{PLUGIN}/manage_runs", params={"action": "resume"}, on_success=self.on_load)

    @told
    def on_take_back(self, ctx: Any) -> None:
        """Open the form that takes back what was interrupted."""
        ctx.prompt(f"{PLUGIN}/manage_runs", params={"action": "undo"}, on_success=self.on_load)

    @told
    def on_send(self, ctx: Any) -> None:
        """Open the form that sends the batch to Label Studio."""
        ctx.prompt(f"{PLUGIN}/send_batch", params={"run": ctx.panel.state.run})

    @told
    def on_fetch(self, ctx: Any) -> None:
        """Open the form that fetches annotations."""
        ctx.prompt(f"{PLUGIN}/fetch_annotations", on_success=self.on_load)

    def render(self, ctx: Any) -> Any:
        """The current panel."""
        panel, state = types.Object(), ctx.panel.state
        runs = state.runs or []
        if state.interrupted:
            self._interrupted(panel, state)
        if not runs:
            panel.md(
                "**No rankings yet.**\n\nlabelnext uses this dataset's predictions to find the "
                "samples that help your model most once labelled.",
                name="empty",
            )
            panel.btn("rank", "Rank samples to label", on_click=self.on_rank, variant="contained")
            return types.Property(panel, view=column())
        picker = types.DropdownView(label="Ranking")
        for run in runs:
            picker.add_choice(run, label=run)
        panel.enum("run", runs, view=picker, default=state.run, on_change=self.on_pick)
        if state.problem:
            panel.md(state.problem, name="problem")
            if state.problem != LATER:
                row = panel.h_stack("cures", gap=1, componentsProps=WRAPPED)
                row.btn("rank", "Rank", on_click=self.on_rank, variant="contained")
                row.btn("manage", "Manage", on_click=self.on_manage, variant="outlined")
            return types.Property(panel, view=column())
        panel.md(state.text or "", name="text")
        self._buttons(panel)
        self._pictures(panel, state)
        self._plots(panel, state)
        self._next(panel, state)
        return types.Property(panel, view=column())

    def _interrupted(self, panel: Any, state: Any) -> None:
        """What was interrupted, and what can be done about it."""
        panel.view("interrupted", types.Warning(label="Interrupted", description=state.interrupted))
        row = panel.h_stack("endings", gap=1, componentsProps=WRAPPED)
        if state.finishable:
            row.btn("finish", "Finish", on_click=self.on_finish, variant="contained")
        row.btn("take_back", "Take back", on_click=self.on_take_back, variant="outlined")

    def _pictures(self, panel: Any, state: Any) -> None:
        """The next samples; a click opens one."""
        if not state.pictures:
            return
        row = panel.h_stack("pictures", gap=1, componentsProps=THREE_OR_SIX)
        for at, (path, name) in enumerate(state.pictures):
            view = types.ImageView(
                alt=name,
                width="100%",
                operator=self.on_open,
                params={"row": at},
                componentsProps={"image": {"title": name}},
            )
            row.str(f"picture{at}", default=f"/media?filepath={quote(path)}", view=view)

    def _next(self, panel: Any, state: Any) -> None:
        """The next samples, and why."""
        if not state.next_ids:
            text = "**Nothing of the batch waits to be labelled.** Rank again for the next batch."
            panel.md(text, name="nothing_waits")
            return
        style = {**NARROW, **ONLY_ICONS} if state.opens else NARROW
        table = types.TableView(on_click_row=self.on_open, componentsProps={"table": {"sx": style}})
        if state.opens:
            table.add_row_action(
                "open", self.on_open, label="Open", icon="open_in_new", tooltip="Open the sample"
            )
        for key in ("rank", "sample", "score", "why"):
            table.add_column(key, label=key)
        for at, name in enumerate(state.next_ids):
            table.add_tooltip(at, 1, f"id {name}")
        panel.list("next", types.Object(), view=table, label=state.next_are)

    def _plots(self, panel: Any, state: Any) -> None:
        """Scores, classes and groups of the batch against all, and the map."""
        if state.edges:
            title = f"{state.score} (click a bar)"
            layout = plots.scores_layout(state.most or 0, title, state.items or "samples")
            panel.plot("scores", layout=layout, on_click=self.on_bar, config=plots.BARE)
        if state.n_classes:
            layout = plots.shares_layout(state.n_classes, "% of predictions", "class")
            panel.plot("classes", layout=layout, config=plots.BARE)
        if state.n_groups:
            layout = plots.shares_layout(
                state.n_groups, f"% of {state.items or 'samples'}", state.groups_are
            )
            panel.plot("groups", layout=layout, config=plots.BARE)
        if state.map_text:
            panel.md(state.map_text, name="map_text")
            radio = types.RadioGroup(label="Colour")
            radio.add_choice("kind", label="by what is labelled next")
            radio.add_choice("score", label="by score")
            panel.enum(
                "colour",
                radio.values(),
                view=radio,
                default=state.colour or "kind",
                on_change=self.on_colour,
            )
            layout = plots.map_layout(state.axes)
            panel.plot("map", layout=layout, on_selected=self.on_lasso, config=plots.LASSO)

    def _buttons(self, panel: Any) -> None:
        row = panel.h_stack("buttons", gap=1, componentsProps=WRAPPED)
        row.btn("batch", "Show the batch", on_click=self.on_batch, variant="contained")
        row.btn("rank", "Rank", on_click=self.on_rank, variant="outlined")
        row.btn("compare", "Compare", on_click=self.on_compare, variant="outlined")
        row.btn("manage", "Manage", on_click=self.on_manage, variant="outlined")
        row = panel.h_stack("exchange", gap=1, componentsProps=WRAPPED)
        row.btn("send", "Send to Label Studio", on_click=self.on_send, variant="outlined")
        row.btn("fetch", "Fetch annotations", on_click=self.on_fetch, variant="outlined")
