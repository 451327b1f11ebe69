"""Label Studio: stored predictions in, a priority on each task and one ordered tab out.

The server is spoken to through label-studio-sdk, which is imported only when an adapter is used.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from labelnext.adapter.capabilities import Capability
from labelnext.adapter.options import Options, SendOptions
from labelnext.adapter.options import WriteOptions as _WriteOptions
from labelnext.adapter.protocol import Adapter, Context, Finding
from labelnext.errors import ConfigError, LabelnextError
from labelnext.journal.carry_out import Performer
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan, Step
from labelnext.support.addresses import server_of
from labelnext_adapters.label_studio.options import (
    LabelStudioSend,
    LabelStudioSource,
    LabelStudioWrite,
)
from labelnext_adapters.label_studio.send.target import LabelStudioTarget

if TYPE_CHECKING:
    from labelnext.adapter.preview import Preview
    from labelnext.adapter.records import LabelRecords
    from labelnext.adapter.team import Work
    from labelnext.pool.pool import Pool
    from labelnext.ranking.ranking import Ranking
    from labelnext_adapters.label_studio.server.client import Client
    from labelnext_adapters.label_studio.server.tasks import Tasks
    from labelnext_adapters.label_studio.write.kept_values import KeptValues
    from labelnext_adapters.label_studio.write.prelabels import Made

_ASK_AGAIN = 10.0  # seconds
_numbers: dict[tuple[object, ...], tuple[float, int | None]] = {}  # of projects, and until when


class LabelStudioAdapter(Adapter):
    """Tasks of one Label Studio project.

    Args:
        source: where the tasks are.
        write: how the ranking is written.
        context: folder, key and progress.
    """

    name: ClassVar[str] = "label-studio"
    requires: ClassVar[tuple[str, ...]] = ("label_studio_sdk", "msgspec")
    install: ClassVar[str] = "pip install 'labelnext[label-studio]'"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {
            Capability.READS,
            Capability.WRITES,
            Capability.COUNTS_LABELS,
            Capability.TAKES_BATCHES,
            Capability.TELLS_WORK,
            Capability.TAKES_PREDICTIONS,
            Capability.SHOWS_ITEMS,
        }
    )
    target_keys: ClassVar[tuple[str, ...]] = ("url", "project")
    SourceOptions: ClassVar[type[Options]] = LabelStudioSource
    WriteOptions: ClassVar[type[_WriteOptions]] = LabelStudioWrite
    SendOptions: ClassVar[type[SendOptions]] = LabelStudioSend

    @classmethod
    def open_target(cls, options: LabelStudioSend, context: Context) -> LabelStudioTarget:
        """A server to which batches are sent."""
        return LabelStudioTarget(options, context)

    def __init__(
        self, source: LabelStudioSource, write: LabelStudioWrite, context: Context
    ) -> None:
        self._source, self._write, self._context = source, write, context
        self._client: Client | None = None
        self._tasks: Tasks | None = None
        self._kept: KeptValues | None = None
        self._numbers: dict[str, int] = {}  # of tasks, by item, where a key names these

    @property
    def client(self) -> Client:
        """The connection, made when first used."""
        if self._client is None:
            from labelnext_adapters.label_studio.server.client import Client

            bundle = self._source.ca_bundle
            self._client = Client(
                self._source.url,
                self._source.api_key,
                None if bundle is None else self._context.path(bundle),
            )
        return self._client

    @property
    def _located(self) -> LabelStudioSource:
        """The source, with the number of its project where a title is given."""
        if isinstance(self._source.project, str):
            from labelnext_adapters.label_studio.server.project import find_project

            number = find_project(self.client, self._source.project)
            self._source = self._source.model_copy(update={"project": number})
        return self._source

    @property
    def number(self) -> int:
        """The number of the project."""
        return self._located.number

    @property
    def _tagged(self) -> LabelStudioSource:
        """The source, with its control tag where only one of several has predictions."""
        from labelnext_adapters.label_studio.read.tag import with_tag

        return with_tag(self.client, self._located)

    @classmethod
    def is_renamed(cls, source: LabelStudioSource, plan: Plan) -> bool:
        """Whether a plan was for the project that the source names, by its number or a title."""
        payloads = [step.payload for step in plan.small_steps]
        if {server_of(payload["url"]) for payload in payloads} != {server_of(source.url)}:
            return False
        return {payload["project"] for payload in payloads} == {cls._number_now(source)}

    @classmethod
    def _number_now(cls, source: LabelStudioSource) -> int | None:
        """The number of the project; None where the server doesn't tell what a title names.

        It is asked once in ten seconds: there may be hundreds of runs to compare with.
        """
        key = (source.url, source.api_key, source.project)
        until, number = _numbers.get(key, (0.0, None))
        if time.monotonic() >= until:
            number = None
            here = cls(source, LabelStudioWrite(), Context())
            with suppress(LabelnextError), closing(here):
                number = here.number
            _numbers[key] = (time.monotonic() + _ASK_AGAIN, number)
        return number

    def check(self) -> list[Finding]:
        """Connection, permissions, counts and tested versions, without reading all items."""
        from labelnext_adapters.label_studio.read.check import check

        return check(lambda: self.client, self._source, self._write)

    def read(self) -> Pool:
        """All tasks, with the predictions of one model version.

        Raises:
            NotFound: if there is no such project, control tag or model version.
            AccessDenied: if the token is not accepted.
            Unavailable: if the server does not answer.
            InvalidInput: if predictions do not fit the labelling setup.
        """
        from labelnext_adapters.label_studio.read.read import read

        pool, self._tasks = read(self.client, self._located, self._context)
        if self._context.key is not None:
            self._numbers = dict(zip(self._tasks.item_ids, self._tasks.ids, strict=True))
        return pool

    def item_of(self, own_id: str) -> str | None:
        """The item of a task, by the task's number or the address of its page."""
        from labelnext_adapters.label_studio.server.address import task_number

        number = task_number(own_id, self._located.number)
        known = {str(task): item for item, task in self._numbers.items()}
        return known.get(number) if self._numbers else number

    def plan(self, ranking: Ranking) -> Plan:
        """What writing the ranking would do. Changes nothing.

        Raises:
            WriteRefused: if the tab's title is taken by a tab that labelnext did not make.
        """
        from labelnext_adapters.label_studio.server.tasks import read_tasks
        from labelnext_adapters.label_studio.write.kept_values import KeptValues
        from labelnext_adapters.label_studio.write.plan import plan_tasks

        if self._tasks is None:
            self._tasks = read_tasks(self.client, self._located.number, self._context)
        source = self._located if ranking.prelabels is None else self._tagged
        write, context = self._write, self._context
        self._kept = kept = KeptValues(self.client, source.number, context)
        return plan_tasks(self.client, source, write, self._tasks, ranking, context, kept)

    def plan_predictions(self, pool: Pool, version: str) -> Plan:
        """What storing predictions under a model version of their own would do.

        Raises:
            WriteRefused: if the project has predictions of that version.
        """
        from labelnext_adapters.label_studio.write.pushed import plan_predictions

        return plan_predictions(self.client, self._located, self._context, pool, version)

    def answers(self, predictions: Pool) -> Made | None:
        """What Label Studio stores of these predictions of what `read` has read.

        Raises:
            InvalidInput: if the control tag can't hold such predictions.
        """
        from labelnext_adapters.label_studio.server.project import get_project
        from labelnext_adapters.label_studio.server.tasks import read_tasks
        from labelnext_adapters.label_studio.write.prelabels import made

        source = self._tagged
        if self._tasks is None:
            self._tasks = read_tasks(self.client, source.number, self._context)
        project = get_project(self.client, source.number)
        return made(project, source.from_name, self._tasks, predictions)

    def performer(self, journal: Journal) -> Performer:
        """What writes data keys, tabs and copies of predictions, one run at a time."""
        from labelnext_adapters.label_studio.read.memory import wrote
        from labelnext_adapters.label_studio.read.own_writes import Written
        from labelnext_adapters.label_studio.write.data_keys import targets_of
        from labelnext_adapters.label_studio.write.organization import check_organization
        from labelnext_adapters.label_studio.write.performer import Writer

        self._check_project(journal)
        if all(map(self._is_here, journal.plan.steps)):  # else the writer refuses
            check_organization(self.client, journal)
        if self._tasks is not None and self._kept is not None:
            self._kept.keep(self._tasks, journal)
        self._tasks = None  # what was read is old once something was written
        wrote(Written(journal, targets_of), self._context)
        return Writer(self.client, self._context, journal)

    def _check_project(self, journal: Journal) -> None:
        """Refuse a journal that somebody has changed so that it names another project."""
        for step in journal.plan.steps:
            there, number = step.payload["project"], self._located.number
            if self._is_here(step) and there != number:
                raise ConfigError(
                    f"run {journal.run_id} must be of project {number}, which the configuration "
                    f"names; its journal names project {there}.",
                    hint="somebody has changed the journal; nothing was written.",
                )

    def _is_here(self, step: Step) -> bool:
        return server_of(step.payload["url"]) == server_of(self._source.url)

    def undo(self, journal: Journal) -> list[str]:
        """Restore what was there before; returns what had to stay, one sentence each.

        Raises:
            NotFound: if the project is gone; the run then stays as it is.
        """
        from labelnext_adapters.label_studio.server.project import get_project

        for step in journal.plan.steps[:1]:
            if self._is_here(step):
                get_project(self.client, step.payload["project"])
        return super().undo(journal)

    def wants_why(self) -> bool:
        """Whether `write.why` is on."""
        return self._write.why

    def wants_prelabels(self) -> bool:
        """Whether `write.prelabels` is on."""
        return self._write.prelabels

    def wants_clusters(self) -> int | Literal["auto"] | None:
        """`write.clusters`."""
        return self._write.clusters

    def count_labels(self) -> int:
        """The submitted annotations of the project; drafts and skipped tasks are none.

        Raises:
            Unavailable: if the server does not answer.
        """
        from labelnext_adapters.label_studio.server.project import get_project

        # The server does not count what was skipped.
        return int(get_project(self.client, self._located.number)["total_annotations_number"] or 0)

    def label_records(self) -> LabelRecords:
        """Every submitted annotation of the project, with its author and time."""
        from labelnext_adapters.label_studio.read.records import label_records

        return label_records(self.client, self._tagged, self._context)

    def prediction_state(self) -> str:
        """The number of tasks, and of the project's model versions the counts and dates."""
        from labelnext_adapters.label_studio.server.project import find_versions, get_project

        n_tasks = get_project(self.client, self._located.number)["task_number"]
        rows = find_versions(self.client, self._located.number)
        states = (f"{r['model_version']} {r['count']} {r['latest']}" for r in rows)
        return "; ".join((f"{n_tasks} tasks", *states))

    def call_back(self, address: str, headers: Mapping[str, str]) -> bool:
        """Add a webhook for labels and tasks to the project.

        Raises:
            AccessDenied: if the server sends none to that address.
        """
        from labelnext_adapters.label_studio.server.webhooks import add_webhook

        add_webhook(self.client, self._located.number, address, headers)
        return True

    def no_call_back(self, address: str) -> None:
        """Remove the webhook with that address."""
        from labelnext_adapters.label_studio.server.webhooks import remove_webhook

        remove_webhook(self.client, address)

    def reads_version(self, version: str) -> bool:
        """Whether `source.model_version` is that version, holds it, or leaves it open."""
        named = self._source.model_version
        return named is None or version == named or (isinstance(named, list) and version in named)

    def ran_dry(self) -> tuple[str, ...]:
        """The annotators whose tabs hold nothing to label while another's holds two or more.

        Raises:
            Unavailable: if the server does not answer.
        """
        if self._write.annotators is None:
            return ()
        from labelnext_adapters.label_studio.write.tabs import left_in_tabs

        number = self._located.number
        left = left_in_tabs(self.client, number, self._write)
        busy = max(left.values(), default=0) > 1
        return tuple(name for name, count in left.items() if not count) if busy else ()

    def work(self) -> Work:
        """Who labelled and skipped what, and what is left in each annotator's tab."""
        from labelnext.adapter.team import Shard, Work
        from labelnext_adapters.label_studio.read.team import acts_of
        from labelnext_adapters.label_studio.server.project import get_project
        from labelnext_adapters.label_studio.server.tab import list_tabs
        from labelnext_adapters.label_studio.write.tabs import left_in_tabs

        number = self._located.number
        wanted = int(get_project(self.client, number).get("maximum_annotations") or 1)
        acts = acts_of(self.client, number, self._context)
        shards: tuple[Shard, ...] = ()
        if self._write.annotators is not None:
            views = list_tabs(self.client, number)
            shards = tuple(
                Shard(name, n, self._tab_of(views, name))
                for name, n in left_in_tabs(self.client, number, self._write).items()
            )
        return Work(acts, wanted, shards)

    def _tab_of(self, views: list[dict[str, Any]], name: str) -> str | None:
        """The address of an annotator's tab."""
        from labelnext_adapters.label_studio.server.tab import own_tab, tab_url
        from labelnext_adapters.label_studio.write.tabs import tab_title

        tab = own_tab(views, tab_title(self._write, name))
        return None if tab is None else tab_url(self.client, self._located.number, tab["id"])

    def tab_url(self) -> str | None:
        """The address of the tab, once a run has made it."""
        from labelnext_adapters.label_studio.server.tab import tab_url

        tab = self._tab()
        return None if tab is None else tab_url(self.client, self._located.number, tab)

    def _tab(self) -> int | None:
        from labelnext_adapters.label_studio.server.tab import find_tab

        view = find_tab(self.client, self._located.number, self._write.tab)
        return None if view is None else int(view["id"])

    def address(self) -> str:
        """The address of the tab; without one, of the project."""
        return self.tab_url() or f"{self.client.url}/projects/{self._located.number}/data"

    def previews(self, item_ids: Sequence[str]) -> Mapping[str, Preview]:
        """The images on the server or the texts of these tasks, and their addresses."""
        from labelnext_adapters.label_studio.read.previews import previews_of

        if self._context.key is None:
            tasks = {int(item): item for item in item_ids if item.isascii() and item.isdigit()}
        else:
            tasks = {self._numbers[item]: item for item in item_ids if item in self._numbers}
        return previews_of(self.client, self._located.number, tasks, self._tab())

    def close(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            self._client.close()
            self._client = None


__all__ = ["LabelStudioAdapter", "LabelStudioSend", "LabelStudioSource", "LabelStudioWrite"]
