"""Halves of runs and saved views: FiftyOne keeps each in two places, written one after the other.

A process that was killed in between leaves a document that no dataset names, or a name without a
document, at which FiftyOne fails. Only what is of one run of ours is touched, and names of nothing.
"""

from __future__ import annotations

from typing import Any

from labelnext_adapters.fiftyone.database.views import view_names


def refresh(dataset: Any) -> None:
    """Read a dataset anew if another process has changed its runs, saved views or fields since.

    FiftyOne keeps one object of each dataset in a process, and doesn't look again by itself.

    Args:
        dataset: a FiftyOne dataset.
    """
    import fiftyone.core.odm as foo

    document, fields = dataset._doc, ("sample_fields", "frame_fields")
    parts = ["name", "saved_views", "runs", *(f"{kind}.name" for kind in fields)]
    stored = foo.get_db_conn().datasets.find_one({"_id": document.id}, parts) or {}
    known = {
        "saved_views": [getattr(view, "id", view) for view in document.saved_views or ()],
        "runs": {key: getattr(run, "id", run) for key, run in (document.runs or {}).items()},
        **{kind: [{"name": f.name} for f in getattr(document, kind) or ()] for kind in fields},
    }
    changed = any((stored.get(part) or type(old)()) != old for part, old in known.items())
    if changed and stored.get("name") == document.name:
        dataset._reload(hard=True)  # `reload` also reads each sample in memory, one by one


def remove_halves(dataset: Any, run: str) -> None:
    """Remove what an interrupted write left of a run's registration and of its saved views.

    Args:
        dataset: a FiftyOne dataset; it is read anew if something was removed.
        run: name of the run.
    """
    import fiftyone.core.odm as foo

    database, query = foo.get_db_conn(), {"_id": dataset._doc.id}
    stored = database.datasets.find_one(query, {"saved_views": 1, "runs": 1}) or {}
    names, keys = stored.get("saved_views") or [], stored.get("runs") or {}
    of_dataset = {"_dataset_id": dataset._doc.id}
    views = {one["_id"]: one for one in database.views.find(of_dataset, {"name": 1})}
    runs = {one["_id"]: one for one in database.runs.find(of_dataset, {"key": 1})}
    lost = [one for one in names if one not in views]
    nameless = [i for i, one in views.items() if i not in names and one["name"] in view_names(run)]
    known = keys.values()
    unregistered = [i for i, one in runs.items() if i not in known and one["key"] == run]
    if lost:
        database.datasets.update_one(query, {"$pull": {"saved_views": {"$in": lost}}})
    if run in keys and keys[run] not in runs:
        database.datasets.update_one(query, {"$unset": {f"runs.{run}": ""}})
        lost.append(run)
    for collection, halves in ((database.views, nameless), (database.runs, unregistered)):
        if halves:
            collection.delete_many({"_id": {"$in": halves}})
    if lost:
        dataset.reload()
