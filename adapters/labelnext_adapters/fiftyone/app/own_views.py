"""Whether a view is one that labelnext made, and how much of the dataset a form is about."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from labelnext_adapters.fiftyone.app.foreseen import Kept, view_as_it_stands
from labelnext_adapters.fiftyone.database.connection import talking
from labelnext_adapters.fiftyone.database.fields import PREFIX
from labelnext_adapters.fiftyone.read.count import is_labelled
from labelnext_adapters.fiftyone.read.fetched import fetched_fields
from labelnext_adapters.fiftyone.read.label_types import (
    KINDS,
    class_name,
    is_predicted,
)
from labelnext_adapters.fiftyone.read.own_runs import registered, run_names

_STRUCTURE = ("SelectGroupSlices", "ToFrames")  # stages that say what the items are
_OF_A_RANKING = re.compile(r"\$?([^$.]+)\.(?:rank|score)")


def is_own_view(view: Any) -> bool:
    """Whether labelnext made this view, or somebody only filtered it further.

    A view is labelnext's where it begins with the stages of a saved view of one of its runs, or
    with a stage that goes by a field that labelnext wrote, or by ranks or scores that are gone.

    Args:
        view: a FiftyOne view or dataset.
    """
    dataset = view._root_dataset
    if view is dataset:
        return False
    stages = _plain(view._serialize(include_uuids=False))
    if not stages:
        return False
    configs = [registered(dataset, run) for run in run_names(dataset)]
    if any(
        stages[: len(saved)] == saved
        for config in configs
        for name in config.views
        if (saved := _saved_stages(dataset, name))
    ):
        return True
    fields = [config.field.removeprefix(PREFIX) for config in configs if config.field]
    first = next((s for s in stages if s["_cls"].rpartition(".")[2] not in _STRUCTURE), None)
    if first is None:
        return False
    return _names(first, [*fields, *fetched_fields(dataset)]) or _names_gone(dataset, first)


def _saved_stages(dataset: Any, name: str) -> list[dict[str, Any]]:
    from bson import json_util

    with talking():
        if not dataset.has_saved_view(name):
            return []
        stored = dataset._get_saved_view_doc(name).view_stages
    return _plain([json_util.loads(stage) for stage in stored])


def _plain(stages: Iterable[Any]) -> list[dict[str, Any]]:
    """Stages as they are after a way through JSON, without FiftyOne's private arguments."""
    return [
        {
            "_cls": stage["_cls"],
            "kwargs": json.loads(
                json.dumps([kv for kv in stage["kwargs"] if kv[0][:1] != "_"], default=str)
            ),
        }
        for stage in stages
    ]


def _names(stage: Any, fields: Sequence[str]) -> bool:
    ours = {*fields, *(f"${field}" for field in fields)}
    return any(text in ours or text.partition(".")[0] in ours for text in _texts(stage["kwargs"]))


def _names_gone(dataset: Any, stage: Any) -> bool:
    """Whether a stage goes by the rank or score of a ranking that was deleted since."""
    paths = filter(None, map(_OF_A_RANKING.fullmatch, _texts(stage["kwargs"])))
    return any(
        dataset.get_field(path[1]) is None and dataset.get_field(f"{PREFIX}{path[1]}") is None
        for path in paths
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield str(key)
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


@dataclass(frozen=True)
class Scope:
    """What a ranking would be about.

    Attributes:
        n_items: samples or frames of the whole dataset.
        n_target: of those, the chosen ones.
        n_labelled: of the chosen ones, those that are labelled.
        n_without: of the others, those without a prediction that says how sure the model is.
    """

    n_items: int
    n_target: int
    n_labelled: int
    n_without: int

    @property
    def n_ranked(self) -> int:
        """How many a run would rank."""
        return self.n_target - self.n_labelled - self.n_without


def scope_of(
    whole: Any,
    items: Any,
    *,
    pred_fields: Sequence[str] = (),
    gt_field: str | None = None,
    tag: str | None = None,
) -> Scope:
    """How many items a run over these would rank; counted once, as long as they stay as they are.

    Args:
        whole: all items of the dataset, as a dataset or view.
        items: those that are chosen, a dataset or view.
        pred_fields: fields of the predictions; an item needs one of them, if there are any.
        gt_field: field of the labels.
        tag: a tag that says that a sample is labelled.
    """

    def counted() -> Scope:
        return _counted(whole, items, pred_fields=pred_fields, gt_field=gt_field, tag=tag)

    if items._is_generated:
        return counted()
    key = (*map(view_as_it_stands, (whole, items)), *pred_fields, "", gt_field, tag)
    scope: Scope = _SCOPES.get(key, counted)
    return scope


_SCOPES = Kept(20)


def _counted(
    whole: Any, items: Any, *, pred_fields: Sequence[str], gt_field: str | None, tag: str | None
) -> Scope:
    from fiftyone import ViewField

    labelled = [ViewField(name) != None for name in fetched_fields(items)]  # noqa: E711
    if gt_field is not None and items.get_field(gt_field) is not None:
        labelled.append(is_labelled(items, gt_field))
    if tag is not None:
        labelled.append(ViewField("tags").contains([tag]))
    with talking():
        n_items, n_target = whole.count(), items.count()
        open_items = items.match(~ViewField.any(labelled)) if labelled else items
        n_open = open_items.count() if labelled else n_target
        n_predicted = n_open
        if pred_fields:
            held = [is_predicted(KINDS[class_name(items.get_field(n))], n) for n in pred_fields]
            n_predicted = open_items.match({"$or": held}).count()
    return Scope(n_items, n_target, n_target - n_open, n_open - n_predicted)
