"""Halves of runs and saved views: FiftyOne keeps each in two places, written one after the other.

A process that was killed in between leaves a document that no dataset names, or a name without a
document, at which FiftyOne fails. Only what is of one run of ours is touched, and names of nothing.
"""

from __future__ import annotations

from typing import Any

from labelnext_adapters.fiftyone.database.views import view_names


def refresh(dataset: Any) -> None:
    """Read a dataset anew if another process has changed what runs go by since.

    That is its name, classes, fields with their attributes, saved views and runs. FiftyOne keeps
    one object of each dataset in a process, and doesn't look again by itself.

    Args:
        dataset: a FiftyOne dataset.
    """
    import fiftyone.core.odm as foo
    from bson import DBRef

    document, database = dataset._doc, foo.get_db_conn()
    stored = database.datasets.find_one({"_id": document.id}, [*_COMPARED, *_FIELDS])
    if stored is None or stored["name"] != document.name:
        return
    known = document.to_mongo()
    unsaved = {path.partition(".")[0] for path in document._get_changed_fields()}
    alike = [_alike(stored.get(part), known.get(part)) for part in {*_COMPARED} - unsaved]
    alike += [_schema(stored.get(part)) == _schema(known.get(part)) for part in _FIELDS]
    ours = (document.saved_views or (), (document.runs or {}).values())
    for (collection, parts), documents in zip(_PARTS.items(), ours, strict=True):
        found = database[collection].find({"_dataset_id": document.id}, parts)
        now = {one["_id"]: one for one in found}
        alike += [
            _alike(now.get(one.id, {}).get(part), getattr(one, part))
            for one in documents
            if not isinstance(one, DBRef)  # without a document
            for part in parts
        ]
    if not all(alike):
        dataset._reload(hard=True)  # `reload` also reads each sample in memory, one by one


_FIELDS = ("sample_fields", "frame_fields")
_COMPARED = (
    *("name", "saved_views", "runs", "group_media_types", "default_group_slice"),
    *("classes", "default_classes", "mask_targets", "default_mask_targets", "skeletons"),
)
#: What of a saved view and of a run can be changed in place.
_PARTS = {
    "views": ("name", "slug", "description", "color", "view_stages"),
    "runs": ("key", "config", "view_stages"),
}


def _alike(one: Any, other: Any) -> bool:
    """Whether two values are the same; an empty one may not be stored at all."""
    return _same(one or None, other or None)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal, NaN at any depth to itself."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other or (one != one and other != other))


def _schema(fields: Any) -> list[Any]:
    """What is declared of fields and of those inside, without when."""
    parts = ("name", "ftype", "subfield", "embedded_doc_type", "read_only", "info")
    return [
        (*(field.get(part) for part in parts), _schema(field.get("fields")))
        for field in fields or ()
    ]


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
