"""The custom run under which FiftyOne knows a ranking.

FiftyOne stores the path of the class with the run and imports it again to delete the run: the
names of this module and of its classes must not change.
"""

from __future__ import annotations

from typing import Any

import fiftyone.core.runs as fors

from labelnext_adapters.fiftyone.database.fields import (
    MARKER,
    METHOD,
    PRELABELS,
    delete_field,
    field_path,
    items_of,
    rename_field,
)
from labelnext_adapters.fiftyone.database.object_scores import (
    attributes_now,
    remove_scores,
    rename_scores,
)
from labelnext_adapters.fiftyone.database.views import (
    VIEW_LIMIT,
    put_view,
    ranked_view,
    remove_view,
    view_names,
)


class LabelnextRunConfig(fors.RunConfig):  # type: ignore[misc]  # FiftyOne has no types
    """What a run is: its field, its saved views, and how the ranking was made.

    Args:
        field: path of the field with `.score`, `.priority` and `.rank`.
        views: names of its saved views.
        journal: id of the journal that holds what was there before.
        kwargs: the acquisition function and the like, for people.
    """

    def __init__(
        self,
        field: str | None = None,
        views: list[str] | None = None,
        journal: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.field = field
        self.views = views or []
        self.journal = journal
        super().__init__(**kwargs)

    @property
    def method(self) -> str:
        """Name of the method, by which `dataset.list_runs` finds our runs."""
        return METHOD


class LabelnextRun(fors.Run):  # type: ignore[misc]  # FiftyOne has no types
    """What `dataset.delete_run` takes away, and only what is ours."""

    def get_fields(self, samples: Any, key: str) -> list[str]:
        """The fields of this run, for `load_run_view(..., select_fields=True)`."""
        return [self.config.field] if self.config.field else []

    def rename(self, samples: Any, key: str, new_key: str) -> None:
        """Give the run's field, index and views the new name; FiftyOne then renames the run."""
        dataset, config = samples._root_dataset, self.config
        frames = getattr(config, "frames", False)
        field, new_field = field_path(key, frames), field_path(new_key, frames)
        if f"{field}.rank" in dataset.list_indexes():
            dataset.drop_index(f"{field}.rank")
        if is_ours(dataset, field):
            rename_field(dataset, field, new_field)
            dataset.create_index(f"{new_field}.rank")
        if objects := object_field(dataset, config):
            config.objects = objects.removesuffix(key) + new_key
            rename_scores(dataset, objects, config.objects)
        old, config.views = config.views, list(view_names(new_key))
        for view, name in zip(old, config.views, strict=True):
            if dataset.has_saved_view(view):
                dataset.update_saved_view_info(view, {"name": name})
        items = items_of(dataset, config)
        ranked = ranked_view(items, new_key)
        n_batch = getattr(config, "n_batch", 0)
        by_rank = {config.views[1]: ranked}
        if n_batch > VIEW_LIMIT:
            by_rank[config.views[0]] = ranked.limit(n_batch)
        elif frames and dataset.has_saved_view(config.views[0]):
            ids = dataset.load_saved_view(config.views[0]).values("id")
            by_rank[config.views[0]] = items.select(ids, ordered=True)
        for name, view in by_rank.items():
            if dataset.has_saved_view(name):
                put_view(dataset, name, view)
        config.field = new_field
        dataset.update_run_config(key, config)

    def cleanup(self, samples: Any, key: str) -> None:
        """Delete the run's views, index and fields."""
        dataset = samples._root_dataset
        for view in self.config.views:
            remove_view(dataset, view)
        field = self.config.field
        if f"{field}.rank" in dataset.list_indexes():
            dataset.drop_index(f"{field}.rank")
        if field and is_ours(dataset, field):
            delete_field(dataset, field)
        if objects := object_field(dataset, self.config):
            remove_scores(dataset, objects)
        if prelabels := prelabel_field(dataset, self.config):
            delete_field(dataset, prelabels)


def object_field(dataset: Any, config: Any) -> str | None:
    """The attribute with the scores of a run's objects, wherever it is now; None if it has none."""
    path = getattr(config, "objects", None)
    there = attributes_now(dataset, path) if path else []
    return there[0] if len(there) == 1 and is_ours(dataset, there[0]) else None


def prelabel_field(dataset: Any, config: Any) -> str | None:
    """The field with the pre-labels of a run; None if it has none."""
    name = getattr(config, "prelabels", None)
    field = dataset.get_field(name) if name else None
    return name if field is not None and PRELABELS in (field.info or {}) else None


def is_ours(dataset: Any, field: str) -> bool:
    """Whether that field exists and labelnext made it."""
    attribute = dataset.get_field(field)
    return attribute is not None and MARKER in (attribute.info or {})
