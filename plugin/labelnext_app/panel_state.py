"""What the panel "Label next" holds: a ranking's summary, in the App's state and data."""

from __future__ import annotations

from typing import Any

from labelnext.errors import LabelnextError
from labelnext.journal.lock import is_at_work
from labelnext_adapters.fiftyone.app.sample_map import map_samples, visualizations
from labelnext_adapters.fiftyone.app.summary import RunSummary, n_shown, summarise_run
from labelnext_adapters.fiftyone.app.words import in_words
from labelnext_adapters.fiftyone.read.own_runs import run_names

from . import plots
from .common import keep
from .manage import can_be_finished, last_action, what_was_done

LATER = "It is shown here once that is done."
_SHOWN = "{shown}"
_THUMBNAILS = 6


def refresh(ctx: Any) -> None:
    """Read anew what has changed since the panel was last drawn."""
    ctx.dataset.reload()  # another process may have added a run
    runs = run_names(ctx.dataset)
    state = ctx.panel.state
    keep(state, runs=runs)
    last = _note_interrupted(ctx)
    if not runs:
        keep(state, run=None, newest=None)
        return
    newest = [runs[0], str(ctx.dataset.get_run_info(runs[0]).timestamp)]
    if state.newest != newest or state.run not in runs:  # a ranking was made since
        state.run, state.newest = runs[0], newest
    # Reading a whole ranking takes seconds: a view that changed is no reason to do it again.
    stands = _stands(ctx.dataset, state.run)
    if last == state.run:
        keep(state, problem=LATER, stands=None)
        return
    keep(state, problem=None)
    if changed := state.stands != stands:
        try:
            _summarise(ctx, summarise_run(ctx.dataset, state.run))
        except LabelnextError as error:
            keep(state, problem=in_words(error), stands=None)
            return
        draw_map(ctx)
        state.stands = stands
    shown = n_shown(ctx.dataset, state.run, ctx.view, n_ranked=state.n_ranked)
    text = state.template.replace(_SHOWN, f"{shown:,}")
    if changed:
        state.text = text
    ctx.panel.data.set("text", text)


def _note_interrupted(ctx: Any) -> str | None:
    """Note whether the last action was interrupted; returns its ranking, if it was one."""
    last, state = last_action(ctx.dataset), ctx.panel.state
    if last is None or last.status != "broken" or is_at_work(last.path.parent):
        keep(state, interrupted=None)
        return None
    finishable = can_be_finished(last)
    partly = "It is only partly there: finish it, or take back what there is."
    cure = partly if finishable else "Take back the rest."
    what = what_was_done(last)
    keep(state, finishable=finishable, interrupted=f"{what[:1].upper()}{what[1:]}. {cure}")
    return last.plan.run if last.what == "run" else None


def draw_map(ctx: Any) -> None:
    """Draw the samples by their embeddings, where there are any."""
    state = ctx.panel.state
    drawn = map_samples(ctx.dataset, state.run)
    state.map_text = None
    if drawn is None:
        return
    n = len(drawn.ids)
    of_all = f"{n:,}" if n == drawn.n_all else f"{n:,} of {drawn.n_all:,}"
    state.axes = list(drawn.axes)
    shown = f"It shows {drawn.share:.0%} of what sets them apart. " if drawn.share else ""
    state.map_text = (
        f"**Map of {drawn.made_of}**: {of_all} samples; those that look alike lie "
        f"close to each other. {shown}Draw around points to see their samples in the grid."
    )
    _put(ctx, map=plots.points(drawn, by_score=state.colour == "score"))


def _stands(dataset: Any, run: str) -> list[str]:
    """What changes as soon as the summary of a run does: the run, or any sample."""
    moments = (dataset.get_run_info(run).timestamp, dataset.max("last_modified_at"))
    return [dataset.name, run, *map(str, moments), str(dataset.count()), *visualizations(dataset)]


def _summarise(ctx: Any, summary: RunSummary) -> None:
    state = ctx.panel.state
    state.edges, state.most = list(summary.edges), max(summary.pool, default=0)
    state.score = summary.acquisition
    state.items = summary.items
    state.n_ranked = summary.n_ranked
    state.n_classes, state.n_groups = len(summary.classes), len(summary.groups)
    state.groups_are = summary.groups_are
    state.template = _text(summary)
    state.next_are = "Labels to check" if summary.reviewed else "Next to label"
    state.opens = summary.items == "samples"
    state.next_ids = [row["id"] for row in summary.next_items]
    pictured = state.opens and ctx.dataset.media_type in ("image", "group")
    shown = summary.next_items[:_THUMBNAILS] if pictured else []
    state.pictures = [[str(row["path"]), str(row["name"])] for row in shown]
    rows = [
        {
            "rank": row["rank"],
            "sample": row["name"],
            "score": "" if row["score"] is None else _score(row["score"]),
            "why": row["reason"],
        }
        for row in summary.next_items
    ]
    _put(
        ctx,
        scores=plots.scores(summary),
        classes=plots.shares(summary.classes, "predictions"),
        groups=plots.shares(summary.groups, summary.items),
        next=rows,
    )


def _put(ctx: Any, **data: Any) -> None:
    """Replace what plots and tables show.

    The App merges lists, also with copies that it keeps in the panel's state: of a longer one, the
    end would stay.
    """
    for part in (ctx.panel.state, ctx.panel.data):
        part.set(dict.fromkeys(data))
    ctx.panel.data.set(data)


def _score(value: float) -> str:
    """Four decimals, or two of a large number."""
    return f"{value:.4f}" if abs(value) < 10 else f"{value:,.2f}"


def _text(summary: RunSummary) -> str:
    """What the panel says; `_SHOWN` stands for how many the grid shows."""
    how = " and ".join(name for name in (summary.acquisition, summary.selection) if name)
    batch, ranked = ("Batch", "ranked") if not summary.reviewed else ("To check", "labelled")
    lines = [
        f"{batch}: **{summary.n_batch:,}** of {summary.n_ranked:,} {ranked} {summary.items}, "
        f"by {how}. The grid shows {_SHOWN} of these {summary.n_ranked:,}."
    ]
    lines += [in_words(why) for why in summary.reasons.values()]
    if summary.n_labelled is not None:
        share = summary.n_labelled / max(summary.n_batch, 1)
        lines.append(
            f"Labelled so far: **{summary.n_labelled:,}** of {summary.n_batch:,} ({share:.0%})."
        )
    return "\n\n".join(lines)
