"""Does and takes back the steps of a write, and keeps the tab."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from labelnext.adapter.protocol import Context
from labelnext.errors import ConfigError, NotFound, WriteRefused
from labelnext.journal.carry_out import Performer
from labelnext.journal.journal import Journal
from labelnext.journal.lock import hold
from labelnext.journal.plan import Plan, Step, StepPerformer
from labelnext.support.addresses import server_of
from labelnext.support.store import is_run_id
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.marks import is_marked
from labelnext_adapters.label_studio.server.tab import (
    STAMP,
    View,
    create_tab,
    delete_tab,
    is_ours,
    list_tabs,
    own_tab,
    put_tab,
    renamed,
    restore_tab,
    stamp_of,
)
from labelnext_adapters.label_studio.server.tasks import KEYS
from labelnext_adapters.label_studio.write import copy_stamp, opinions, pushed
from labelnext_adapters.label_studio.write.copies import Copies
from labelnext_adapters.label_studio.write.data_keys import Fields
from labelnext_adapters.label_studio.write.plan import next_steps
from labelnext_adapters.label_studio.write.prelabels import KIND as PRE_LABELS
from labelnext_adapters.label_studio.write.prelabels import PreLabels
from labelnext_adapters.label_studio.write.sampling import Sampling


class Tabs:
    """Puts one tab in order.

    Args:
        client: the server.
        journal: of the run, whose id the tab carries for other machines to see: what is as the run
            wants it is its own, though it had nothing to write.
        fields: which tells whether the run changed anything on the tasks.
    """

    def __init__(self, client: Client, journal: Journal, fields: Fields) -> None:
        self._client, self._journal, self._fields = client, journal, fields
        self._fresh: list[View] | None = None  # listed for a snapshot, used by the step after it

    def snapshot(self, step: Step) -> Any:
        """The tab as it is, if it is there, and the numbers of all."""
        self._fresh = views = list_tabs(self._client, step.payload["project"])
        return {
            "views": [view["id"] for view in views],
            "tab": own_tab(views, step.payload["tab"]["title"]),
        }

    def perform(self, step: Step) -> None:
        """Make it, or set its order and filter."""
        project = step.payload["project"]
        views, self._fresh = self._fresh, None
        if views is None:
            views = list_tabs(self._client, project)
        wanted = self._wanted(step)
        tab = own_tab(views, wanted["title"])
        if tab is not None and self._fields.unchanged and self._is_here(stamp_of(tab["data"])):
            wanted.pop(STAMP)  # that run can't be undone before this one
        media, why = step.payload.get("media", ()), bool(step.payload.get("why"))
        put_tab(self._client, project, views, wanted, media, why=why)

    def restore(self, step: Step, before: Any, later: str | None = None) -> list[str]:
        """As it was, unless a later run has it, or somebody made it their own."""
        payload = step.payload
        kept = f"Kept the tab {payload['tab']['title']!r}, which"
        if later is not None:
            return [f"{kept} run {later} wrote."]
        project, wanted = payload["project"], self._wanted(step)
        keys = KEYS[payload.get("purpose", "label")]
        if restore_tab(self._client, project, wanted, before, (keys.priority, keys.batch)):
            return [
                f"Kept the tab {title!r}, which is {wanted['title']!r} under a new name, or a "
                "copy; delete it if nobody needs it."
                for title in renamed(self._client, project, wanted, before)
            ]
        return [f"{kept} has nothing of labelnext's any more; delete it if nobody needs it."]

    def _is_here(self, run: str | None) -> bool:
        """Whether a run's journal is beside this one's."""
        return run is not None and self._journal.path.with_name(f"{run}.jsonl").exists()

    def _wanted(self, step: Step) -> View:
        return {**step.payload["tab"], STAMP: {"run": self._journal.run_id}}


class OldTabs:
    """Takes away a tab that an earlier run made and that serves nothing any more.

    Args:
        client: the server.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def snapshot(self, step: Step) -> Any:
        """The tab, if it is still there."""
        tabs = [v for v in self._tabs(step) if v["id"] == step.payload["view"]]
        return {"tab": tabs[0] if tabs else None}

    def perform(self, step: Step) -> None:
        """Delete it."""
        if any(v["id"] == step.payload["view"] and is_ours(v["data"]) for v in self._tabs(step)):
            delete_tab(self._client, step.payload["view"])

    def restore(self, step: Step, before: Any) -> list[str]:
        """Make it again, unless there is one of its title, or nothing that it shows.

        The run that made it may have been undone meanwhile, with its data keys.
        """
        old, views, project = before["tab"], self._tabs(step), step.payload["project"]
        titles = [view["data"].get("title") for view in views]
        keys = KEYS[step.payload.get("purpose", "label")]
        if old is None or old["data"].get("title") in titles:
            return []
        if is_marked(self._client, project, (keys.priority, keys.batch)):
            create_tab(self._client, project, old["data"])
        return []

    def _tabs(self, step: Step) -> list[View]:
        return list_tabs(self._client, step.payload["project"])


def later_run(views: Sequence[View], journal: Journal) -> str | None:
    """The run that wrote on the tasks of a project after the journal's, as its tabs say.

    Args:
        views: the tabs that are there.
        journal: of the run that is undone.

    Returns:
        Its id; None if no tab names another run than this one, those before it, and those that were
        undone on this machine, which a copy of a tab still names.
    """
    known = {journal.run_id, None}
    titles = set()
    for number, step in enumerate(journal.plan.steps):
        if step.kind == "tab" and number in journal.befores:  # else the run broke off before it
            titles.add((step.payload.get("tab") or {}).get("title"))
            old = journal.befores[number]["tab"]
            known.add(None if old is None else stamp_of(old["data"]))
    for view in views:
        stamp = stamp_of(view["data"]) if is_ours(view["data"]) else None
        # Another tab may be of an earlier run, which the order of the ids tells.
        is_later = view["data"].get("title") in titles or str(stamp) > journal.run_id
        if stamp not in known and is_later and not _is_undone(journal, str(stamp)):
            return stamp
    return None


def _is_undone(journal: Journal, run: str) -> bool:
    """Whether a run's journal is beside another's, and says that it was undone."""
    with suppress(NotFound, ConfigError):  # of another machine, or unreadable
        return is_run_id(run) and Journal(journal.path.with_name(f"{run}.jsonl")).undone
    return False


def _goes_with_a_tab(step: Step) -> bool:
    """Whether a step is of what a later run with tabs has taken charge of."""
    shows_pre_labels = step.kind == "sampling" and "place" not in step.payload
    return step.kind in ("old tab", PRE_LABELS) or shows_pre_labels


class Writer(Performer):
    """Carries out and takes back the steps of a plan, each by its kind.

    Args:
        client: the server.
        context: for progress.
        journal: of the run.
    """

    def __init__(self, client: Client, context: Context, journal: Journal) -> None:
        self._client, self._context, self._journal = client, context, journal
        self.progress = context.progress
        self._remarks: list[str] = []
        self._kept_for: str | None = None
        self._fields = Fields(client, context, self._remarks.append, journal.run_id)
        self._tabs = Tabs(client, journal, self._fields)
        self._copies = Copies(client, context, self._remarks.append)
        self._sampling = Sampling(client, context, journal.run_id)
        self._kinds: dict[str, StepPerformer] = {
            "fields": self._fields,
            "tab": self._tabs,
            "old tab": OldTabs(client),
            "copies": self._copies,
            "sampling": self._sampling,
            PRE_LABELS: PreLabels(client, context, self._remarks.append),
            opinions.KIND: opinions.Opinions(client, self._remarks.append),
            pushed.KIND: pushed.Pushed(client, context, self._remarks.append),
        }

    @cached_property
    def _later(self) -> str | None:
        """Looked for once, before anything is put back."""
        project = self._journal.plan.steps[0].payload["project"]
        return later_run(list_tabs(self._client, project), self._journal)

    @cached_property
    def _later_copies(self) -> str | None:
        """Looked for once, as the copy that tells goes first."""
        return copy_stamp.later_run(self._client, self._context, self._journal)

    @cached_property
    def _replaced(self) -> bool:
        """Looked for once, before the copies of another version can go."""
        return copy_stamp.is_replaced(self._client, self._context, self._journal)

    def snapshot(self, step: Step) -> Any:
        """What is there now and would change."""
        return self._of(step).snapshot(step)

    def perform(self, step: Step) -> None:
        """Do the step. Doing it twice ends in the same state."""
        self._of(step).perform(step)

    def restore(self, step: Step, before: Any) -> list[str]:
        """Put back what was there; returns what had to stay.

        Raises:
            WriteRefused: if a later run serves people by the same copies.
        """
        kind = self._of(step)
        if self._later_copies is not None:
            raise WriteRefused(
                f"the newest run must be undone first; got run {self._journal.run_id}, and "
                f"Label Studio serves tasks by the copies of run {self._later_copies}.",
                hint="undo that run first, on the machine that wrote it.",
            )
        if step.kind == "copies" and not step.payload["task_ids"] and self._replaced:
            return []  # the later run has no use for the copies of an earlier one
        if step.kind in ("fields", "tab"):
            self._kept_for = self._later
            ordering = self._fields if step.kind == "fields" else self._tabs
            return ordering.restore(step, before, self._later)
        if self._later is None or not _goes_with_a_tab(step):
            return kind.restore(step, before)
        self._kept_for = self._later
        return [f"Kept the pre-labels for run {self._later}."] if step.kind == PRE_LABELS else []

    def held(self, journal: Journal) -> AbstractContextManager[None]:
        """Two state folders may name one project; the machine's own folder tells them so."""
        target = journal.plan.target
        name = sha256(target.encode()).hexdigest()[:16]
        path = Path(gettempdir()) / f"labelnext-label-studio-{name}.lock"
        return hold(path, journal.run_id, f"another run is under way on {target}: run", leave=False)

    def remarks(self) -> list[str]:
        """What was found while writing, one sentence each."""
        return self._remarks

    def left(self) -> bool:
        """Whether copies are left; all else is as it was before."""
        return self._copies.left

    def kept_for(self) -> str | None:
        """The run of another machine whose tab, priorities or copies were kept."""
        return self._kept_for or self._sampling.later

    def next_steps(self, plan: Plan) -> tuple[str, ...] | None:
        """What people do now, with the addresses of the tabs; as planned for predictions."""
        if any(step.kind == pushed.KIND for step in plan.steps):
            return None
        steps = [step for step in plan.steps if step.kind != opinions.KIND]
        fresh = next_steps(self._client, steps)
        return (*fresh, *plan.next_steps[len(fresh) :])  # the plan begins with as many

    def _of(self, step: Step) -> StepPerformer:
        """What does the step; it must be on the server that the adapter speaks to."""
        url = step.payload["url"]
        if server_of(url) != server_of(self._client.url):
            raise WriteRefused(
                f"source.url must be the server the run wrote to, {url}; got {self._client.url!r}.",
                hint="use that run's configuration.",
            )
        return self._kinds[step.kind]
