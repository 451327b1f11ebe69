"""The saved views of a run: made, changed in place, and put back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

VIEW_LIMIT = 20_000  # ids a saved view may list: evaluating 100,000 takes FiftyOne 8 s


def view_names(run: str) -> tuple[str, str]:
    """The saved views of a run: the next batch, and all that is ranked."""
    return f"{run}-batch", f"{run}-all"


def same_view(dataset: Any, name: str) -> str | None:
    """The saved view that FiftyOne takes for the same: it compares by slug."""
    import fiftyone.core.utils as fou

    slug = fou.to_slug(name)
    views = dataset.list_saved_views()
    return next((v for v in views if v == name or fou.to_slug(v) == slug), None)


def save_views(dataset: Any, run: str, items: Any, batch: list[str] | int) -> None:
    """Save both views.

    Args:
        dataset: a FiftyOne dataset.
        run: name of the run.
        items: what it ranks.
        batch: ids in order, or their number where they are too many for a list.
    """
    ranked = ranked_view(items, run)
    first = ranked.limit(batch) if isinstance(batch, int) else items.select(batch, ordered=True)
    texts = ("The next batch to label, the most useful first.", "All that is ranked, in order.")
    for name, view, text in zip(view_names(run), (first, ranked), texts, strict=True):
        put_view(dataset, name, view, {"description": text, "color": None})


def ranked_view(items: Any, run: str) -> Any:
    """All items with a rank, in that order."""
    return items.exists(f"{run}.rank").sort_by(f"{run}.rank")


def put_view(dataset: Any, name: str, view: Any, info: Mapping[str, Any] | None = None) -> None:
    """Save a view; one that is there is changed in place, because open Apps know it by its id."""
    info = info or {}
    if not dataset.has_saved_view(name):
        dataset.save_view(name, view, **info)
        return
    from bson import json_util

    document = dataset._get_saved_view_doc(name)
    _keep_frames(dataset.load_saved_view(name), False)
    document.view_stages = [json_util.dumps(s) for s in view._serialize(include_uuids=False)]
    document.last_modified_at = datetime.now(UTC).replace(tzinfo=None)
    for part, value in info.items():
        setattr(document, part, value)
    document.save()
    _keep_frames(view, True)


def _keep_frames(view: Any, keep: bool) -> None:
    """FiftyOne copies the frames of a view into a dataset of their own; it goes with the view."""
    if view._is_generated:
        view._dataset._doc.persistent = keep
        view._dataset.save()


def view_before(dataset: Any, name: str) -> dict[str, Any] | None:
    """What is saved under that name, as JSON; None if nothing is."""
    if not dataset.has_saved_view(name):
        return None
    document = dataset._get_saved_view_doc(name)
    info = {"description": document.description, "color": document.color}
    return {"stages": list(document.view_stages), "info": info}


def restore_view(dataset: Any, name: str, before: Mapping[str, Any] | None) -> None:
    """Put back what `view_before` found."""
    if before is None:
        if dataset.has_saved_view(name):
            dataset.delete_saved_view(name)
        return
    import fiftyone as fo
    from bson import json_util

    stages = [json_util.loads(stage) for stage in before["stages"]]
    put_view(dataset, name, fo.DatasetView._build(dataset, stages), dict(before["info"]))
