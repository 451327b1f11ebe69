"""Which samples a form is about, where the grid shows a view or a selection."""

from __future__ import annotations

from typing import Any

from fiftyone.operators import types

from labelnext_adapters.fiftyone.app.own_views import is_own_view


def ask_target(ctx: Any, inputs: Any, verb: str) -> None:
    """Ask which samples are meant: the dataset where the grid shows a view of labelnext's own.

    Args:
        ctx: of the operator.
        inputs: the form.
        verb: what is done with them, such as "Rank".
    """
    if _shows_parts(ctx.view):  # FiftyOne would only offer these
        text = f"The grid shows parts of samples; this would {verb.lower()} the whole dataset"
        inputs.view("parts", types.Notice(label=text))
        return
    default = _default_target(ctx)
    prop = inputs.view_target(
        ctx,
        action_description=verb,
        default_target=default,
        allow_selected_samples=not _names_selected(ctx),
    )
    if isinstance(prop.view, types.RadioGroup) and ctx.dataset.media_type == "group":
        said, prop.view = prop.view, types.RadioGroup(label=prop.view.label)
        for choice in said.choices:  # the form asks which slice of all is meant
            about = (choice.description or "").removesuffix(" in all slices")
            prop.view.add_choice(choice.value, label=choice.label, description=about)
    if default in _WHOLE and _chosen_target(ctx) in (None, default):
        text = f"The grid shows a view by labelnext; this would {verb.lower()} the whole dataset"
        inputs.view("own_view", types.Notice(label=text))


def target_view(ctx: Any) -> Any:
    """The samples that `ask_target` asked for, or its default.

    Args:
        ctx: of the operator.
    """
    if _shows_parts(ctx.view):
        return ctx.dataset
    target = _chosen_target(ctx) or _default_target(ctx)
    if target == "SELECTED_SAMPLES":
        return ctx.view.select(ctx.selected)
    if target == "DATASET":
        return ctx.dataset
    if target == "BASE_VIEW":
        return ctx.view._base_view
    return ctx.view if target is None and _names_selected(ctx) else ctx.target_view()


def _shows_parts(view: Any) -> bool:
    """Whether a view holds patches or clips, which aren't ranked."""
    return bool(view._is_generated and not view._is_frames)


def _chosen_target(ctx: Any) -> Any:
    """FiftyOne's name for what somebody chose, or None."""
    chosen = ctx.params.get("view_target") or ctx.request_params.get("view_target")
    return None if chosen == "SELECTED_SAMPLES" and _names_selected(ctx) else chosen


def _names_selected(ctx: Any) -> bool:
    """Whether the selected samples say what to look for, and so aren't all that is looked at."""
    return bool(ctx.params.get("like_selected"))


_WHOLE = ("DATASET", "BASE_VIEW")


def _default_target(ctx: Any) -> str | None:
    """FiftyOne's name for what is meant until somebody chooses; None leaves it to FiftyOne."""
    if ctx.selected and not _names_selected(ctx):
        return "SELECTED_SAMPLES"
    if not is_own_view(ctx.view):
        return None
    return "BASE_VIEW" if ctx.view._is_generated else "DATASET"
