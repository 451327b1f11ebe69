"""Which tasks Label Studio would still hand to somebody, and why not the others."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Literal

from labelnext.adapter.protocol import Context
from labelnext.errors import listed
from labelnext.pool.objects import Notice
from labelnext.support.words import counted
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.people import Work, list_members, unfinished_work
from labelnext_adapters.label_studio.server.tasks import Tasks

Skipped = Literal["next", "last", "never"]
TO_ME, TO_OTHERS, IGNORED = "REQUEUE_FOR_ME", "REQUEUE_FOR_OTHERS", "IGNORE_SKIPPED"


@dataclass
class Standing:
    """How the unlabelled tasks of a project stand.

    Attributes:
        skipped: ids of those that somebody skipped and nobody is handed any more.
        unwanted: ids of those that somebody skipped and `source.skipped` leaves out.
        exhausted: ids of those that everybody annotated or skipped.
        deferred: ids of those that somebody skipped and that come after all others.
        wanting: ids of those that somebody labelled and that need more annotations.
        work: by task, what people did on those that are begun.
        to_me: whether the server hands a skipped task to the person who skipped it.
        taken: ids of those that it doesn't hand back all the same: what others skipped counts.
    """

    skipped: set[int] = field(default_factory=set)
    unwanted: set[int] = field(default_factory=set)
    exhausted: set[int] = field(default_factory=set)
    deferred: set[int] = field(default_factory=set)
    wanting: set[int] = field(default_factory=set)
    work: Mapping[int, Work] = field(default_factory=dict)
    to_me: bool = False
    taken: set[int] = field(default_factory=set)

    @property
    def left_out(self) -> set[int]:
        """Ids of the tasks that are not ranked."""
        return self.skipped | self.unwanted | self.exhausted

    def done_by(self, task: int) -> set[int]:
        """The people whom the server no longer hands this task."""
        work = self.work.get(task)
        if work is None:
            return set()
        again = self.to_me and task not in self.taken
        return work.annotated if again else work.annotated | work.skipped

    def notices(self, names: Mapping[int, str]) -> list[Notice]:
        """What was left out or put last, each with its reason."""
        said = (
            (
                "skipped_tasks",
                self.skipped,
                "Left out {} that Label Studio hands to nobody any more",
                "skipped task",
            ),
            (
                "skipped_never",
                self.unwanted,
                "Left out {}, as source.skipped: never asks for",
                "skipped task",
            ),
            (
                "exhausted_tasks",
                self.exhausted,
                "Left out {} that everybody in the organization has labelled or skipped",
                "task",
            ),
            ("skipped_last", self.deferred, "Put {} after all others", "skipped task"),
            (
                "wanting_tasks",
                self.wanting,
                "Left {} in the queue, as the project wants more annotations",
                "labelled task",
            ),
        )
        made = []
        for code, tasks, message, noun in said:
            items = tuple(names[task] for task in sorted(tasks) if task in names)
            if items:
                text = f"{message.format(counted(len(items), noun))}: {listed(items)}."
                made.append(Notice(code, text, items))
        return made


def find_standing(
    client: Client,
    project: Mapping[str, Any],
    tasks: Tasks,
    skipped: Skipped | None,
    context: Context,
) -> Standing:
    """How the tasks stand; no request where nothing is begun.

    Args:
        client: the server.
        project: its settings.
        tasks: of the project.
        skipped: where skipped tasks come; None for what the project's setting says: what Label
            Studio hands out again comes last, and what it ignores is left out.
        context: for progress.
    """
    finished = {t for t, done in zip(tasks.ids, tasks.labelled, strict=True) if done}
    begun = {task: state for task, state in tasks.begun_by.items() if task not in finished}
    if not begun:
        return Standing(to_me=project.get("skip_queue") == TO_ME)
    standing = Standing(
        work=unfinished_work(client, project["id"], context),
        to_me=project.get("skip_queue") == TO_ME,
    )
    members = list_members(client)
    for task, state in begun.items():
        if state.annotated + state.skipped > tasks.overlaps.get(task, 1):
            standing.taken.add(task)
        if state.closed:
            standing.skipped.add(task)
        elif state.skipped and skipped == "never":
            standing.unwanted.add(task)
        elif members is not None and _everybody(members.keys(), standing.done_by(task)):
            standing.exhausted.add(task)
        elif state.skipped and skipped != "next":
            standing.deferred.add(task)
        if state.annotated and task not in standing.left_out:
            standing.wanting.add(task)
    return standing


def _everybody(members: Set[int], people: Set[int]) -> bool:
    return bool(people) and members <= people


__all__ = ["IGNORED", "TO_ME", "TO_OTHERS", "Skipped", "Standing", "find_standing"]
