"""The saved views of a run: made, changed in place, and put back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
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
    for name, view, text in zip(view_names(run), (first, ranked), _TEXTS, strict=True):
        put_view(dataset, name, view, {"description": text, "color": None})


_TEXTS = ("The next batch to label, the most useful first.", "All that is ranked, in order.")


def is_our_view(dataset: Any, name: str, of: str) -> bool:
    """Whether a saved view is one that a run made under that name; its description says so.

    Args:
        dataset: a FiftyOne dataset.
        name: of the saved view.
        of: a name that `view_names` gives.
    """
    text = _TEXTS[of.endswith("-all")]
    return name == of and dataset._get_saved_view_doc(name).description == text


def renamed_views(dataset: Any, run: str) -> list[str]:
    """A phrase on each saved view of a run that somebody gave another name.

    Args:
        dataset: a FiftyOne dataset.
        run: name of the run.
    """
    views = [dataset._get_saved_view_doc(name) for name in dataset.list_saved_views()]
    ours = {name for key in dataset.list_runs() for name in view_names(key)}
    others = [view for view in views if view.name not in ours]
    return [
        f"saved view {view.name}, which was {name}"
        for name, text in zip(view_names(run), _TEXTS, strict=True)
        if not dataset.has_saved_view(name)
        for view in others
        if view.description == text
    ]


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
    earlier = _copies_of(document.view_stages)
    document.view_stages = [json_util.dumps(s) for s in view._serialize(include_uuids=False)]
    document.last_modified_at = datetime.now(UTC).replace(tzinfo=None)
    for part, value in info.items():
        setattr(document, part, value)
    document.save()
    if view._is_generated:  # FiftyOne keeps the copies of frames that a saved view shows
        view._dataset._doc.persistent = True
        view._dataset.save()
    _remove_copies(dataset, earlier)


def remove_view(dataset: Any, name: str) -> None:
    """Delete a saved view, if it is there, and the copies of frames that no other view shows.

    FiftyOne itself leaves the copies until its last process ends.
    """
    if not dataset.has_saved_view(name):
        return
    copies = _copies_of(dataset._get_saved_view_doc(name).view_stages)
    dataset.delete_saved_view(name)
    _remove_copies(dataset, copies)


def _copies_of(stages: Iterable[str]) -> set[str]:
    """Names of the datasets into which FiftyOne copied the frames of a saved view."""
    parts = (json.loads(stage).get("kwargs") or () for stage in stages)
    kept = [value for part in parts for key, value in part if value and key == "_state"]
    return {str(state["name"]) for state in kept if "name" in state}


def _remove_copies(dataset: Any, names: set[str]) -> None:
    """Delete copies of frames, unless a saved view shows them."""
    import fiftyone as fo

    views = map(dataset._get_saved_view_doc, dataset.list_saved_views())
    shown = {name for view in views for name in _copies_of(view.view_stages)}
    for name in names - shown:
        if fo.dataset_exists(name):
            fo.delete_dataset(name)


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
        remove_view(dataset, name)
        return
    import fiftyone as fo
    from bson import json_util

    stages = [json_util.loads(stage) for stage in before["stages"]]
    put_view(dataset, name, fo.DatasetView._build(dataset, stages), dict(before["info"]))
