"""The operator "Compare rankings"."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from labelnext.errors import LabelnextError
from labelnext_adapters.fiftyone.app.compare import compare_runs, n_common
from labelnext_adapters.fiftyone.app.words import in_words
from labelnext_adapters.fiftyone.database.fields import items_of
from labelnext_adapters.fiftyone.read.own_runs import run_config

from .common import choose, operator_config, refuse, run_form, whole
from .gone import of_dataset
from .looks import BROKEN
from .target import ask_target, target_view


class CompareRankings(foo.Operator):
    """Compare two rankings."""

    @property
    def config(self) -> Any:
        """As FiftyOne wants it."""
        return operator_config(
            "compare_rankings",
            "Compare rankings",
            "Shows how well two rankings agree, and the samples they disagree on.",
            "LOW",
        )

    @of_dataset
    def resolve_input(self, ctx: Any) -> Any:
        """The form: two runs."""

        def fill(inputs: Any, names: list[str]) -> None:
            ask_target(ctx, inputs, "Compare")
            choose(inputs, "first", names, label="One ranking", default=names[1])
            second = choose(inputs, "second", names, label="The other", default=names[0])
            both = [ctx.params.get("first", names[1]), ctx.params.get("second", names[0])]
            if both[0] == both[1]:
                refuse(second, "Choose two different rankings.")
                return
            try:
                n = n_common(target_view(ctx), *both)
            except LabelnextError as error:
                refuse(second, in_words(error))
                return
            if n is not None:
                inputs.md(f"Compares the **{n:,} samples** that both rank.", name="scope")
            inputs.bool(
                "show",
                label="Show the samples they disagree on most",
                default=True,
                view=types.CheckboxView(),
            )

        return run_form(ctx, "Compare rankings", fill, least=2)

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Compare, and show the biggest disagreements in the grid."""
        both = compare_runs(target_view(ctx), ctx.params["first"], ctx.params["second"])
        if ctx.params.get("show", True) and not ctx.delegated and both.disagreements:
            ids = [row[0] for row in both.disagreements]
            items = items_of(ctx.dataset, run_config(ctx.dataset, both.first))
            # First by our field: so a later form knows that the view isn't the user's choice.
            ranked = items.exists(f"{both.first}.rank")
            ctx.ops.set_view(view=ranked.select(ids, ordered=True))
        smaller = min(both.n_first, both.n_second)
        return {
            "overlap": f"{both.n_overlap} of {smaller}",
            "correlation": round(both.correlation, 3) if both.n_common > 1 else None,
            "common": f"{both.n_common:,}",
            "disagreements": [
                {"sample": name, "id": i, "first": f"{a:,}", "second": f"{b:,}"}
                for name, (i, a, b) in zip(both.names, both.disagreements, strict=True)
            ],
        }

    def resolve_output(self, ctx: Any) -> Any:
        """The numbers, and a table."""
        outputs = types.Object()
        outputs.str("overlap", label="Samples in both batches", view=types.LabelValueView())
        results = ctx.results or {}
        if results.get("correlation") is not None:
            correlation = "Rank correlation (Spearman, from −1, reversed, to 1, the same order)"
            outputs.float("correlation", label=correlation, view=types.LabelValueView())
        outputs.str("common", label="Samples in both rankings", view=types.LabelValueView())
        if not results.get("disagreements"):
            if results.get("correlation") is not None:
                outputs.md("Each of these samples has the same rank in both.", name="same")
            return whole(outputs, "Compare rankings")
        table = types.TableView(componentsProps={"table": {"sx": BROKEN}})
        table.add_column("sample", label="sample")
        for at, row in enumerate(results["disagreements"]):
            table.add_tooltip(at, 0, f"id {row['id']}")
        for key in ("first", "second"):
            table.add_column(key, label=f"rank in {ctx.params[key]}")
        outputs.list("disagreements", types.Object(), view=table, label="Largest disagreements")
        return whole(outputs, "Compare rankings")
