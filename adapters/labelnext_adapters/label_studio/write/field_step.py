"""The step that sets the data keys: priorities, batch and reasons, where they change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from labelnext.journal.plan import Step
from labelnext.ranking.ranking import Ranking
from labelnext.support.words import counted
from labelnext_adapters.label_studio.options import LabelStudioWrite
from labelnext_adapters.label_studio.server.tasks import KEYS, Tasks
from labelnext_adapters.label_studio.write.priorities import front_of, next_priorities
from labelnext_adapters.label_studio.write.shards import Shards


def field_steps(
    write: LabelStudioWrite,
    tasks: Tasks,
    order: Sequence[int],
    ranking: Ranking,
    shards: Shards,
    place: Mapping[str, Any],
) -> list[Step]:
    """The data keys on tasks, of those whose value changes; no step where none would be set.

    Args:
        write: how the ranking is written.
        tasks: of the project, with the values that their keys have now.
        order: all ranked tasks, next first.
        ranking: which they are of.
        shards: and the people they are for.
        place: where the project is, and the purpose.
    """
    # Long: one look at what is there decides what each of three keys gets, and what is said of it.
    keys, review = KEYS[place["purpose"]], place["purpose"] == "review"
    done = tasks.annotated if review else tasks.labelled
    labelled = dict(zip(tasks.ids, done, strict=True))
    now = tasks.values
    # What somebody has begun stays where it is: in nobody else's shard, and in no other place.
    begun = {t for t in tasks.begun if labelled[t] == review} - shards.left_out
    before = {task: now[keys.batch].get(task) for task in begun}
    begun = {t for t, tag in before.items() if shards.is_tag(tag) or shards.drafting(t, tag)}
    batch = [task for task in order[: len(ranking)] if task not in begun]
    ranked = [task for task in order if task not in begun]
    held = {task: str(before[task] or "") for task in begun}
    widened = {t: shards.widened(t, tag) for t, tag in held.items()} if not review else held
    dealt = shards.deal(batch, now[keys.batch], widened.values())
    tagged = {task: tag for tag, members in dealt.items() for task in members}

    def changed(key: str, wanted: Mapping[int, str]) -> dict[int, str]:
        return {t: text for t, text in wanted.items() if now[key].get(t) != text}

    def without(key: str, kept: Mapping[int, str]) -> list[int]:
        values = now[key].items()
        gone = [t for t, v in values if v != "" and t not in begun and t not in kept]
        return [t for t in gone if labelled[t] == review]

    queue = write.mode == "queue"
    priorities = _priorities(order, begun, now[keys.priority]) if queue else {}
    clear = without(keys.priority, priorities) if queue else []
    untag = without(keys.batch, tagged)
    if not (ranked or clear or untag or widened != held):
        return []
    moved, retagged = changed(keys.priority, priorities), changed(keys.batch, tagged)
    rescued = changed(keys.batch, widened)
    words = _words(write, tasks, ranking, tagged)
    reworded, unsaid = changed(keys.why, words), without(keys.why, words)
    what = [_setting(keys.priority, moved, _tasks(priorities), priorities)] if priorities else []
    of_batch = f"the {_tasks(tagged)} of the batch"
    what += [_setting(keys.batch, retagged, of_batch, tagged)] if tagged else []
    what += [f"set {keys.why} on {_tasks(reworded)}"] if reworded else []
    what += [f"clear {keys.priority} on {_tasks(clear)} no longer ranked"] if clear else []
    what += [f"clear {keys.batch} on {_tasks(untag)}"] if untag else []
    what += [f"clear {keys.why} on {_tasks(unsaid)}"] if unsaid else []
    what += [f"skip {_tasks(alone)} with a draft"] if (alone := begun - {*rescued}) else []
    what += [f"move {_tasks(rescued)} with a draft to a tab that serves it"] if rescued else []
    payload: dict[str, Any] = {"task_ids": [*moved], "texts": [*moved.values()], "clear": clear}
    tags: dict[str, list[int]] = {}
    for task, tag in {**retagged, **rescued}.items():
        tags.setdefault(tag, []).append(task)
    payload |= {"tags": tags, "untag": untag}
    reworded |= dict.fromkeys(unsaid, "")
    if reworded:
        payload["why"] = {"task_ids": [*reworded], "texts": [*reworded.values()]}
    touched = {*moved, *retagged, *rescued, *clear, *untag, *reworded}
    served = {t: text for t, text in now[keys.priority].items() if labelled.get(t) == review}
    front = front_of({**moved, **dict.fromkeys(clear, "")}, served)
    whole = Step("fields", _sentence(what), len(touched), {**place, **payload})
    dealt_out = tags if write.annotators is not None else {}  # else the tab shows all tasks
    return [*_front_step(front, dealt_out, place), whole]


def _front_step(
    front: Mapping[int, str], tags: Mapping[str, Sequence[int]], place: Mapping[str, Any]
) -> list[Step]:
    """The step that puts the first tasks of a new order, and into their tabs, before all others.

    Args:
        front: their priorities.
        tags: of the tabs' filters, the tasks that get them.
        place: where the project is, and the purpose.
    """
    if not front:
        return []
    among = {tag: [t for t in tasks if t in front] for tag, tasks in tags.items()}
    payload = {"task_ids": [*front], "texts": [*front.values()], "front": True, "clear": []}
    payload |= {"tags": {tag: tasks for tag, tasks in among.items() if tasks}, "untag": []}
    what = f"Put the next {_tasks(front)} on top while the others are numbered"
    return [Step("fields", what, len(front), {**place, **payload})]


def _priorities(
    order: Sequence[int], begun: Set[int], values: Mapping[int, object]
) -> dict[int, str]:
    """The priority of each task but those with a draft, which keep theirs: each only once."""
    drafts: dict[object, int] = {}
    inside = [task for task in order if task in begun]
    for task in (*inside, *sorted(begun - {*inside})):
        text = values.get(task)
        if isinstance(text, str) and text:
            drafts.setdefault(text, task)
    held = {*drafts.values()}
    places = [task for task in order if task not in begun or task in held]
    places += [task for task in drafts.values() if task not in {*inside}]
    texts = next_priorities(
        [values.get(task) for task in places],
        {place for place, task in enumerate(places) if task in held},
    )
    return {t: text for t, text in zip(places, texts, strict=True) if t not in held}


def _words(
    write: LabelStudioWrite, tasks: Tasks, ranking: Ranking, tagged: Mapping[int, str]
) -> dict[int, str]:
    """Why each task of the batch is next, if the options ask for it."""
    if not write.why or ranking.why is None:
        return {}
    items = dict(zip(tasks.ids, tasks.item_ids, strict=True))
    return {task: ranking.why[items[task]] for task in tagged if items[task] in ranking.why}


def _setting(
    key: str, changing: Mapping[int, str], named: str, everything: Mapping[int, str]
) -> str:
    """What happens to a key: how many tasks change, of how many."""
    if not changing:
        return f"keep {key} on {named}"
    part = "" if len(changing) == len(everything) else f"{len(changing):,} of "
    return f"set {key} on {part}{named}"


def _tasks(ids: Sequence[int] | Set[int] | Mapping[int, str]) -> str:
    return counted(len(ids), "task")


def _sentence(parts: Sequence[str]) -> str:
    text = ", and ".join([part for part in (", ".join(parts[:-1]), parts[-1]) if part])
    return text[:1].upper() + text[1:]


__all__ = ["field_steps"]
