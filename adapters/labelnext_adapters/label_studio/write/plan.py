"""Writing a ranking: what each mode does, and the steps carried out or taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labelnext.adapter.protocol import Context
from labelnext.errors import ConfigError, InvalidInput, listed
from labelnext.journal.plan import Plan, Step
from labelnext.ranking.ranking import Ranking
from labelnext.support.words import counted, joined
from labelnext_adapters.label_studio.options import LabelStudioSource, LabelStudioWrite
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.marks import read_marks
from labelnext_adapters.label_studio.server.project import COPY, get_project
from labelnext_adapters.label_studio.server.standing import find_standing
from labelnext_adapters.label_studio.server.tab import (
    View,
    list_tabs,
    own_tab,
    tab_url,
)
from labelnext_adapters.label_studio.server.tasks import KEYS, Keys, Tasks
from labelnext_adapters.label_studio.write.annotators import WHOLE
from labelnext_adapters.label_studio.write.copy_steps import Queue, copy_steps, n_copied, only_first
from labelnext_adapters.label_studio.write.data_keys import check_values
from labelnext_adapters.label_studio.write.field_step import field_steps
from labelnext_adapters.label_studio.write.kept_values import KeptValues
from labelnext_adapters.label_studio.write.opinions import ONLY_ONE, opinion_steps
from labelnext_adapters.label_studio.write.prelabels import (
    made,
    next_step,
    prelabel_steps,
    version_of,
)
from labelnext_adapters.label_studio.write.sampling import SAMPLING
from labelnext_adapters.label_studio.write.shards import make_shards
from labelnext_adapters.label_studio.write.tabs import (
    added_filters,
    others_tabs,
    stale_steps,
    tab_steps,
)

_CLICKS = (
    'Press the small arrow beside "Label All Tasks" and choose "Label Tasks As Displayed" '
    '("Label All Tasks" ignores the order).'
)
_SHORTCUT = (
    "To skip the clicks, add &labeling=1 to the address, but only if your last choice in that "
    'browser wasn\'t "Label All Tasks", which ignores the order.'
)
_REVIEW = (
    "Open the first task and correct or confirm its label, then continue down the list, most "
    "doubtful label first (the Label buttons skip labelled tasks)."
)
_OVERLAP = (
    "The project requires several annotations per task, so Label Studio first serves already "
    "annotated tasks in random order."
)
_STILL_SERVED = (
    '"Label All Tasks" still follows an earlier run in mode uncertainty, and people see its copies '
    "as predictions. Choose another sampling and model version in the project's settings, or undo "
    "all runs back to that one, and run again."
)


def plan_tasks(
    client: Client,
    source: LabelStudioSource,
    write: LabelStudioWrite,
    tasks: Tasks,
    ranking: Ranking,
    context: Context,
    kept: KeptValues | None = None,
) -> Plan:
    """What writing the ranking of these tasks would do, after a look at what their data holds.

    Args:
        client: the server.
        source: where the tasks are.
        write: how the ranking is written.
        tasks: that were read.
        ranking: of them.
        context: for progress.
        kept: what an earlier run left in their data.

    Raises:
        InvalidInput: if the ranking names items that are no tasks of the project.
        ConfigError: if a review is to be written in a mode for labelling alone.
        WriteRefused: if the title of a tab is taken, or a data key of ours holds what undo could
            not put back.
    """
    # Long: the parts of one plan, of which each looks at those before it.
    names = _written_keys(write, KEYS[ranking.purpose])
    if kept is not None:
        kept.recall(tasks, names)
    read_marks(client, source.number, tasks, names, context)
    ids = _task_ids(tasks, ranking)
    project = get_project(client, source.number)
    target: dict[str, Any] = {"url": client.url, "project": source.number}
    views = list_tabs(client, source.number)
    _check_mode(write, ranking)
    dealt = {**target, "purpose": ranking.purpose}
    if write.mode != "uncertainty" and tasks.standing is None:
        tasks.standing = find_standing(client, project, tasks, source.skipped, context)
    more: list[str | None] = []
    prelabels = made(project, source.from_name, tasks, ranking.prelabels)
    if write.mode == "uncertainty":
        model_version = project.get("model_version")
        copied = ids[: n_copied(write, len(ids))]
        queue = Queue(tasks, copied, len(ids), model_version, ranking.clusters, prelabels)
        more.append(only_first(queue))
        steps = copy_steps(client, source, write, target, queue, context)
    else:
        batch = ids[: len(ranking)]
        shards = make_shards(client, write, tasks, project, ranking.purpose, batch, context)
        more += [shards.unserved(batch), *shards.doubts]
        steps = field_steps(write, tasks, ids, ranking, shards, dealt)
        for step in steps:
            check_values(step, tasks.values)
        if steps:
            steps += tab_steps(views, write, project, dealt, shards, source.skipped)
    if steps:  # the copies of mode uncertainty hold the pre-labels themselves
        apart = None if write.mode == "uncertainty" else prelabels
        steps += prelabel_steps(project, write.run, target, apart)
    old, changed = stale_steps(views, write, dealt) if steps else ([], [])
    overlap = (project.get("maximum_annotations") or 1) > 1
    asked, only_one = _opinions(write, ranking, tasks, target, overlap)
    return Plan(
        adapter="label-studio",
        run=write.run,
        target=f"project {source.number} of {client.url}",
        steps=(*steps, *old, *asked),
        stays=_stays(write, steps, old),
        next_steps=(
            *next_steps(client, steps, views),
            *([_OVERLAP] if steps and overlap and write.mode == "uncertainty" else []),
            *changed,
            *added_filters(views, steps),
            *others_tabs(views, steps, context.state),
            *(line for line in more if line),
            *([_STILL_SERVED] if steps and _is_served_by_copies(project, write, ranking) else []),
            *only_one,
            *(next_step(project) if prelabels else ()),
        ),
        left_out=prelabels.left_out if prelabels else (),
    )


def _written_keys(write: LabelStudioWrite, keys: Keys) -> tuple[str, ...]:
    """The data keys that a mode writes."""
    written = {"queue": (keys.priority, keys.batch), "batch": (keys.batch,)}
    names = written.get(write.mode, ())  # uncertainty puts no key on a task
    # An earlier text is on a task of a batch, which is looked for anyway.
    return (*names, keys.why) if write.why else names


def _opinions(
    write: LabelStudioWrite,
    ranking: Ranking,
    tasks: Tasks,
    target: Mapping[str, Any],
    overlap: bool,
) -> tuple[list[Step], list[str]]:
    """The step that asks for more opinions, or why none are asked for."""
    asks = write.overlap == "disagreement" and ranking.purpose == "label"
    steps = opinion_steps(tasks, target) if asks else []
    return (steps, []) if overlap or not steps else ([], [ONLY_ONE])


def _is_served_by_copies(
    project: Mapping[str, Any], write: LabelStudioWrite, ranking: Ranking
) -> bool:
    """Whether an earlier run in mode uncertainty still serves people, in spite of this one."""
    version = str(project.get("model_version"))
    ours = version.startswith(f"{COPY}{write.run}:") and version != version_of(write.run)
    other = write.mode != "uncertainty" and ranking.purpose == "label"
    return other and ours and project.get("sampling") == SAMPLING


def _check_mode(write: LabelStudioWrite, ranking: Ranking) -> None:
    if write.mode == "uncertainty" and ranking.purpose == "review":
        raise ConfigError(
            "write.mode must be queue or batch for label review; got 'uncertainty'.",
            hint='Label Studio\'s "Label All Tasks" skips labelled tasks.',
        )


def next_steps(
    client: Client, steps: Sequence[Step], views: list[View] | None = None
) -> tuple[str, ...]:
    """What the annotators do now; with the addresses of the tabs once these exist.

    Args:
        client: the server.
        steps: of the plan.
        views: the tabs that are there; asked for when None.
    """
    tabs = [step.payload for step in steps if step.kind == "tab"]
    if not steps:
        return ()
    project = steps[0].payload["project"]
    page = f"{client.url}/projects/{project}/data"
    if not tabs:
        return (f'Open {page} and press "Label All Tasks".',)
    lines = []
    there = list_tabs(client, project) if views is None else views
    for tab in tabs:
        title, who = tab["tab"]["title"], tab["annotator"]
        tab_there = own_tab(there, title)
        where = (
            f'{page} and pick the tab "{title}"'
            if tab_there is None
            else tab_url(client, project, tab_there["id"])
        )
        lines.append(f"Open {where}." if who is None else f"Annotator {who}: open {where}.")
    review = steps[0].payload.get("purpose") == "review"
    return (*lines, _REVIEW) if review else (*lines, _CLICKS, _SHORTCUT)


def _stays(write: LabelStudioWrite, steps: Sequence[Step], old: Sequence[Step]) -> tuple[str, ...]:
    if not steps:
        return ()
    tabs = ("If you undo, the tabs that are removed get new addresses.",) if old else ()
    if write.mode == "uncertainty":
        earlier = ("If you undo, the earlier run's copies get new ids and dates.",)
        return (*tabs, *(earlier if steps[-1].kind == "copies" else ()))
    whole = [step.payload for step in steps if step.kind == "fields"][-1]
    key_names = KEYS[whole["purpose"]]
    kept = [key_names.priority] if whole["task_ids"] else []
    kept += [key_names.batch, *([key_names.why] if "why" in whole else [])]
    keys = joined(kept)
    noun, verb, them = ("keys", "stay", "them") if len(kept) > 1 else ("key", "stays", "it")
    return (
        *tabs,
        f"The data {noun} {keys} {verb}, empty, on tasks that didn't have {them}: Label Studio can "
        "only remove a key by replacing all of a task's data.",
    )


def _task_ids(tasks: Tasks, ranking: Ranking) -> list[int]:
    by_item = dict(zip(tasks.item_ids, tasks.ids, strict=True))
    items = ranking.pool_order.tolist()
    strangers = [item for item in items if item not in by_item]
    if strangers:
        raise InvalidInput(
            f"ranking must contain only the project's tasks; got "
            f"{counted(len(strangers), 'other id')}: {listed(strangers)}.",
            hint="rank the pool that this adapter returned.",
        )
    return [by_item[item] for item in items]


__all__ = ["WHOLE", "next_steps", "plan_tasks"]
