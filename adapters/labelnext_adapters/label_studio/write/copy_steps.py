"""The steps of mode uncertainty: the copies, the project's settings, the earlier copies away."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labelnext.adapter.protocol import Context
from labelnext.journal.plan import Step
from labelnext.support.words import counted, some
from labelnext_adapters.label_studio.options import LabelStudioSource, LabelStudioWrite
from labelnext_adapters.label_studio.read.read import stored_predictions
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.project import COPY, all_versions, is_copy
from labelnext_adapters.label_studio.server.tasks import Tasks
from labelnext_adapters.label_studio.write.copies import copy_version, of_same_source
from labelnext_adapters.label_studio.write.copy_stamp import place_of
from labelnext_adapters.label_studio.write.prelabels import Made, version_of
from labelnext_adapters.label_studio.write.scores import Kept, kept_copies

_FIRST = 1000  # tasks that get a copy: in a larger project, each takes a request


@dataclass(frozen=True)
class Queue:
    """What people are to be served.

    Attributes:
        tasks: of the project.
        ids: of the ranked tasks that get a copy, next first.
        n_ranked: how many tasks are ranked.
        model_version: by which the project serves tasks now.
        clusters: number of the cluster of some items; None without any.
        prelabels: what people see of some tasks in place of what is copied; None without any.
    """

    tasks: Tasks
    ids: Sequence[int]
    n_ranked: int
    model_version: str | None
    clusters: Mapping[str, int] | None
    prelabels: Made | None

    @property
    def shown(self) -> dict[int, str]:
        """The results of the tasks with a pre-label, as JSON."""
        made = self.prelabels
        return {} if made is None else dict(zip(made.task_ids, made.results, strict=True))

    @property
    def clusters_by_task(self) -> dict[int, int]:
        """The clusters by the numbers of tasks in place of items' ids."""
        clusters = self.clusters or {}
        numbers = dict(zip(self.tasks.item_ids, self.tasks.ids, strict=True)) if clusters else {}
        return {numbers[item]: cluster for item, cluster in clusters.items()}


def copy_steps(
    client: Client,
    source: LabelStudioSource,
    write: LabelStudioWrite,
    target: Mapping[str, Any],
    queue: Queue,
    context: Context,
) -> list[Step]:
    """The steps that serve a queue in its order; none if it is empty.

    Where the predictions are those that the project's copies were made of, these stay, and what
    is in the right order keeps its score.
    """
    if not queue.ids:
        return []
    rows = all_versions(client, target["project"])
    copied = _copied(source.model_version, rows, queue.tasks.others)
    shown, clusters = queue.shown, queue.clusters_by_task
    more = [part for part in (shown, clusters) if part]
    version = copy_version(write.run, copied, queue.ids, *more)
    whose = _first(queue)
    what = f"Copy the predictions of {whose} as {version!r}, scored 1 − priority"
    # What a person sees of the batch, in place of what is copied.
    own: dict[str, Any] = {"of": queue.n_ranked} if len(queue.ids) < queue.n_ranked else {}
    if shown:
        own["results"] = {str(task): json.loads(result) for task, result in shown.items()}
    if clusters:
        own["clusters"] = {str(task): number for task, number in clusters.items()}
        what += f", {_tasks([*clusters])} in {counted(len({*clusters.values()}), 'cluster')}"
    kept, place = (None, queue.ids[0]) if more else _kept(client, target, queue, version, context)
    if kept is not None:
        version = str(queue.model_version)
        own |= {"scores": kept.scores, "removed": kept.removed}
        what = f"Keep the copies {version!r} for {whose}, and change "
        what += counted(kept.n_changed, "score")
        if kept.removed:
            what += f"; remove the copies of {_tasks(kept.removed)} not ranked "
            what += "any more" if len(queue.ids) == queue.n_ranked else "among the first any more"
    names: Any = [row["model_version"] for row in copied]
    if source.model_version is not None or len(names) < 2:
        names = names[0] if names else None
    shared = {**target, "source": names}
    payload = {**shared, "task_ids": list(queue.ids), "versions": [version], **own}
    setting = f"Set the project's sampling to uncertainty and its model version to {version!r}"
    if kept is not None and kept.as_is:
        setting += f"; the copies of {whose} stay as they are"
        steps = []
    else:
        steps = [Step("copies", what, len(queue.ids), payload)]
    steps.append(Step("sampling", setting, 0, {**target, "version": version, "place": place}))
    old = [
        row["model_version"]
        for row in rows
        if str(row["model_version"]).startswith(f"{COPY}{write.run}:")
        and row["model_version"] not in (version, version_of(write.run))
    ]
    if old:
        what = f"Remove the earlier run's copies: {some([repr(name) for name in old])}"
        steps.append(Step("copies", what, 0, {**shared, "task_ids": [], "versions": old}))
    return steps


def _copied(
    named: str | Sequence[str] | None,
    rows: Sequence[Mapping[str, Any]],
    others: Collection[str | None],
) -> list[Mapping[str, Any]]:
    """The model versions whose predictions are copied, of those that a project has.

    All of them where each task's newest counts, but for the others, which are of tags that aren't
    read; else the one that people see.
    """
    ours = [row for row in rows if row["model_version"] not in others]
    models = [row for row in ours if not is_copy(row["model_version"])]
    if named is None:
        return models
    seen = named if isinstance(named, str) else named[0]
    return [row for row in models if row["model_version"] == seen][:1]


def _kept(
    client: Client, target: Mapping[str, Any], queue: Queue, version: str, context: Context
) -> tuple[Kept | None, int]:
    """The copies that the project serves tasks by, as far as they stay; None if they can't.

    Also the task whose copy carries the id of the run: the same as before, if it stays.
    """
    first = queue.ids[0]
    if not of_same_source(queue.model_version, version):
        return None, first
    copies = [
        prediction
        for prediction in stored_predictions(client, target["project"], context, numbered=False)
        if prediction.model_version == queue.model_version
    ]
    states = zip(queue.tasks.ids, queue.tasks.labelled, strict=True)
    finished = {task for task, finished in states if finished}
    kept, place = kept_copies(copies, queue.ids, finished, queue.n_ranked), place_of(copies)
    if kept is None or place is None or place in kept.removed:
        return kept, first
    return kept, place


def n_copied(write: LabelStudioWrite, n_ranked: int) -> int:
    """How many tasks of a ranking get a copy, the first ones."""
    if write.copies == "all":
        return n_ranked
    return min(n_ranked, write.copies or _FIRST)


def only_first(queue: Queue) -> str | None:
    """What people do if not all ranked tasks have a copy."""
    if len(queue.ids) == queue.n_ranked:
        return None
    return (
        f"Rank again before {_first(queue)} are labelled: Label Studio hands out the others in "
        "random order."
    )


def _first(queue: Queue) -> str:
    """The tasks that get a copy, in words."""
    if len(queue.ids) == queue.n_ranked:
        return _tasks(queue.ids)
    return f"the first {len(queue.ids):,} of {counted(queue.n_ranked, 'ranked task')}"


def _tasks(ids: Sequence[int]) -> str:
    return counted(len(ids), "task")
