"""Whose tabs a task must be in: as many as it needs annotations, and of nobody who is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from labelnext.adapter.protocol import Context
from labelnext.errors import ConfigError, listed
from labelnext.support.words import counted
from labelnext_adapters.label_studio.options import LabelStudioWrite
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.marks import drafted
from labelnext_adapters.label_studio.server.people import (
    Work,
    doubtful_names,
    drafters_of,
    known_people,
    list_members,
)
from labelnext_adapters.label_studio.server.standing import TO_OTHERS, Standing
from labelnext_adapters.label_studio.server.tags import owners, tag_of
from labelnext_adapters.label_studio.server.tasks import Tasks
from labelnext_adapters.label_studio.write.annotators import deal, shard_names

_MOST_DRAFTS = 500  # tasks of which is asked who drafts


@dataclass(frozen=True)
class Shards:
    """The shards of a run, and what is known of the people they are for.

    Attributes:
        names: of the shards.
        shared: whether the project wants several annotations of a task.
        tasks: of the project.
        people: the member of the organization that a name means, where it means one.
        spread: whether a skipped task is in several tabs, because nobody can tell whose person
            skipped it, and the server hands it to the others alone.
        drafters: by task, the numbers of those who have a draft of it, as far as it matters.
        doubts: what to say of names that should mean a member, and mean nobody or several.
    """

    names: tuple[str, ...]
    shared: bool
    tasks: Tasks
    people: Mapping[str, int] = field(default_factory=dict)
    spread: bool = False
    drafters: Mapping[int, Set[int]] = field(default_factory=dict)
    doubts: Sequence[str] = ()

    @property
    def _standing(self) -> Standing:
        return self.tasks.standing or Standing()

    @property
    def left_out(self) -> set[int]:
        """The tasks that nobody is handed any more."""
        return self._standing.left_out

    def is_tag(self, tag: object) -> bool:
        """Whether a task with that text is in a tab of this run."""
        names = owners(tag)
        in_tabs = bool(names) and {*names} <= {*self.names}
        shown = len(names) == 1 or self.shared or self.spread
        return in_tabs and shown and tag == tag_of(names, shared=self.shared)

    def deal(
        self, batch: Sequence[int], before: Mapping[int, object], held: Iterable[str] = ()
    ) -> dict[str, list[int]]:
        """The tasks of the batch by the text that they get, next first.

        Args:
            batch: the tasks, next first.
            before: the text of each task in the last run.
            held: texts of further tasks that stay where they are.
        """
        several = self.shared or self.spread
        needs = {task: self._needed(task) for task in batch} if several else {}
        barred = {task: self._barred(task) for task in batch}
        drafting = {
            task: named for task in batch if (named := self.drafting(task, before.get(task)))
        }
        sizes = Counter(name for tag in held for name in owners(tag))
        dealt = deal(
            batch, self.names, before, needs=needs, barred=barred, drafting=drafting, held=sizes
        )
        if not several:
            return dealt
        tags: dict[str, list[int]] = {}
        for task in batch:
            named = [name for name in self.names if task in dealt[name]]
            if named:
                tags.setdefault(tag_of(named, shared=self.shared), []).append(task)
        return tags

    def unserved(self, batch: Sequence[int]) -> str | None:
        """What to say of tasks that are in no tab, because each person is done with them."""
        nobody = [task for task in batch if {*self.names} <= self._barred(task)]
        if not nobody:
            return None
        what, verb = counted(len(nobody), "task"), "is" if len(nobody) == 1 else "are"
        return (
            f"{what} {verb} in nobody's tab, because everybody in write.annotators has labelled or "
            f"skipped {'it' if len(nobody) == 1 else 'them'}; add somebody: {listed(nobody)}."
        )

    def drafting(self, task: int, tag: object) -> list[str]:
        """The shards of people with a draft of the task, those that it is in first."""
        drafters, barred = self.drafters.get(task, ()), self._barred(task)
        named = [n for n in self.names if self.people.get(n) in drafters and n not in barred]
        return sorted(named, key=lambda name: name not in owners(tag))

    def widened(self, task: int, tag: str) -> str:
        """The text of a task with a draft: in the tabs of those who draft, and else where it was.

        A tab of somebody who is done with it is replaced.
        """
        barred = self._barred(task)
        able = [name for name in self.names if name not in barred]
        kept = [name for name in owners(tag) if name in able]
        wanted = self._needed(task) if self.shared or self.spread else 1
        first = dict.fromkeys([*self.drafting(task, tag), *kept, *able])
        names = [*first][: max(wanted, len(kept))]
        if {*names} <= {*owners(tag)}:
            return tag
        more = [name for name in names if name not in kept]
        return tag_of([*(name for name in kept if name in names), *more], shared=self.shared)

    def _needed(self, task: int) -> int:
        """In how many tabs: those of people we don't know stay, because one of them may be done."""
        wanted = self.tasks.overlaps.get(task, 1)
        done = self._standing.done_by(task)
        known = {*self.people.values()}
        if len(self.people) == len(self.names):
            begun = self.tasks.begun_by.get(task)
            return max(wanted - (begun.annotated if begun else 0), 0)
        work = self._standing.work.get(task, Work())
        skips = len((work.skipped & done) - known)
        return max(wanted + skips - len(work.annotated & known), 1)

    def _barred(self, task: int) -> set[str]:
        """The shards of people who annotated or skipped the task."""
        done = self._standing.done_by(task)
        return {name for name, person in self.people.items() if person in done}


def check_names(names: Sequence[str]) -> None:
    """Raise ConfigError unless the server can tell these names apart in a text of several."""
    if any("|" in name for name in names) or len({n.casefold() for n in names}) < len(names):
        raise ConfigError(
            "write.annotators must be names without | that differ in more than upper case, in a "
            f"project that wants several annotations of a task; got {list(names)!r}."
        )


def check_people(people: Mapping[str, int]) -> None:
    """Raise ConfigError if two names mean one person, who would have the work of two."""
    first: dict[int, str] = {}
    for name, person in people.items():
        if first.setdefault(person, name) != name:
            raise ConfigError(
                f"write.annotators must name each person once; got {first[person]!r} and {name!r}, "
                "who are one member of the organization."
            )


def make_shards(
    client: Client,
    write: LabelStudioWrite,
    tasks: Tasks,
    project: Mapping[str, Any],
    purpose: str,
    batch: Sequence[int],
    context: Context,
) -> Shards:
    """The shards that the options ask for.

    Args:
        client: the server.
        write: how the ranking is written.
        tasks: of the project.
        project: its settings.
        purpose: of the ranking.
        batch: the tasks that are in it.
        context: for progress.

    Raises:
        ConfigError: if names cannot be told apart where a task is in several tabs, or two of them
            mean one person.
    """
    names = shard_names(write.annotators)
    overlap = (project.get("maximum_annotations") or 1) > 1
    shared = overlap and write.annotators is not None and purpose == "label"
    if shared:
        check_names(names)
    people: dict[str, int] = {}
    doubts: list[str] = []
    drafters: dict[int, set[int]] = {}
    if isinstance(write.annotators, list) and purpose == "label":
        members = list_members(client)
        people, doubts = known_people(names, members), doubtful_names(names, members)
        check_people(people)
    if people:
        if tasks.drafted is None:
            tasks.drafted = drafted(client, project["id"], context)
        drafters = drafters_of(
            client, sorted(tasks.drafted & {*tasks.begun, *batch})[:_MOST_DRAFTS]
        )
    labelling = write.annotators is not None and purpose == "label"
    unknown = len(people) < len(names) and not any("|" in name for name in names)
    spread = labelling and unknown and project.get("skip_queue") == TO_OTHERS
    return Shards(names, shared, tasks, people, spread, drafters, doubts)


__all__ = ["Shards", "check_names", "check_people", "make_shards"]
