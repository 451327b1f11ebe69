"""The runs of a dataset: listed, opened, renamed and deleted."""

from __future__ import annotations

from typing import Any

from labelnext.errors import ConfigError, NotFound
from labelnext.support.words import counted
from labelnext_adapters.fiftyone.database.connection import talking
from labelnext_adapters.fiftyone.database.fields import documents, field_path, without_bars
from labelnext_adapters.fiftyone.database.views import renamed_views, view_names
from labelnext_adapters.fiftyone.read.own_runs import (
    check_run_name,
    refuse_foreign,
    registered,
    renamed,
    run_config,
)
from labelnext_adapters.fiftyone.write.performer import rename_whole


def batch_view(dataset: Any, run: str) -> Any:
    """The batch of a run, in order.

    Args:
        dataset: a FiftyOne dataset.
        run: name of the run.

    Raises:
        NotFound: if there is no such run, or its view was deleted.
    """
    run_config(dataset, run)
    name = view_names(run)[0]
    if not dataset.has_saved_view(name):
        raise NotFound(
            f"view {name} must be saved on {dataset.name}; it is not.", hint="run again."
        )
    with without_bars():
        return dataset.load_saved_view(name)


def what_goes(dataset: Any, run: str) -> list[str]:
    """What deleting the run would take away, one phrase each.

    Args:
        dataset: a FiftyOne dataset.
        run: name of the run.

    Raises:
        NotFound: if there is no such run.
    """
    from labelnext_adapters.fiftyone.runs import object_field, prelabel_field

    config = run_config(dataset, run)
    field, items = config.field, "frames" if getattr(config, "frames", False) else "samples"
    collection, inside = documents(dataset, field)
    with talking():
        n = collection.count_documents({inside: {"$ne": None}})
    there = dataset.get_field(field) is not None
    parts = [f"the field {field}, set on {n:,} {items}"] if there else []
    parts += [f"the saved view {v}" for v in config.views if dataset.has_saved_view(v)]
    if f"{field}.rank" in dataset.list_indexes():
        parts.append(f"the index on {field}.rank")
    if objects := object_field(dataset, config):
        parts.append(f"the attribute {objects} of the labels")
    if prelabels := prelabel_field(dataset, config):
        with talking():
            n = dataset.exists(prelabels).count()
        parts.append(f"the pre-labels in {prelabels}, on {counted(n, 'sample')}")
    return [*parts, f"the custom run {run}"]


def what_stays(dataset: Any, run: str) -> list[str]:
    """What deleting the run leaves, as somebody gave it another name, one phrase each.

    Args:
        dataset: a FiftyOne dataset.
        run: name of the run.

    Raises:
        NotFound: if there is no such run.
    """
    field = run_config(dataset, run).field
    with talking():
        kept = renamed_views(dataset, run)
        if dataset.get_field(field) is None:
            kept += [f"field {name}, which was {field}" for name in renamed(dataset)]
    return kept


def delete_run(dataset: Any, run: str) -> list[str]:
    """Delete a run with all that it made; returns what went. `what_stays` says what doesn't.

    Args:
        dataset: a FiftyOne dataset.
        run: name of the run.

    Raises:
        NotFound: if there is no such run.
        WriteRefused: if something of its name is not labelnext's.
    """
    gone = what_goes(dataset, run)
    with talking():
        refuse_foreign(dataset, run)
        dataset.delete_run(run)
    return gone


def rename_run(dataset: Any, run: str, new: str) -> None:
    """Give a run, its field and its views another name.

    Args:
        dataset: a FiftyOne dataset.
        run: name of the run.
        new: the other name.

    Raises:
        NotFound: if there is no such run.
        InvalidInput: if a field cannot have the other name.
        ConfigError: if a run has that name already.
        WriteRefused: if something of either name is not labelnext's.
        WriteFailed: if FiftyOne could not rename it all.
    """
    run_config(dataset, run)
    check_new_name(dataset, run, new)
    with talking():
        refuse_foreign(dataset, run)
        rename_whole(dataset, run, new)


def check_new_name(dataset: Any, run: str, new: str) -> None:
    """Raise what `rename_run` would raise for the other name.

    Args:
        dataset: a FiftyOne dataset.
        run: name of the run.
        new: the other name.
    """
    check_run_name(new)
    if registered(dataset, new) is not None:
        raise ConfigError(f"the new name of {run} must be free; got {new!r}, which is a run.")
    frames = getattr(registered(dataset, run), "frames", False)
    refuse_foreign(dataset, new, field_path(new, frames))
