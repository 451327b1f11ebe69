"""Label Studio: stored predictions in, a priority on each task and one ordered tab out.

The server is spoken to through label-studio-sdk, which is imported only when an adapter is used.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from labelnext.adapter.capabilities import Capability
from labelnext.adapter.protocol import Adapter, Context, Finding, Options, SendOptions
from labelnext.adapter.protocol import WriteOptions as _WriteOptions
from labelnext.journal.journal import Journal, Performer, Plan
from labelnext.pool.pool import Pool
from labelnext_adapters.label_studio.send.target import LabelStudioSend, LabelStudioTarget
from labelnext_adapters.label_studio.server.address import checked_key, checked_url

if TYPE_CHECKING:
    from labelnext.ranking.rank import Ranking
    from labelnext_adapters.label_studio.server.client import Client
    from labelnext_adapters.label_studio.server.tasks import Tasks


_MOST_ANNOTATORS = 100  # a tab each


class LabelStudioSource(Options):
    """Where the tasks are."""

    url: str
    """Address of the server, as in the browser, without the path of a project."""
    api_key: SecretStr
    """Personal Access Token, or a legacy token where the organization allows them."""
    project: int = Field(ge=1)
    """Number of the project, as in the address of its page."""
    model_version: str | list[str] | None = None
    """Which predictions to read; the newest version when null; a list is a committee."""
    from_name: str | list[str] | None = None
    """Name of the control tag; needed when the setup has several; a list is read together."""
    unlabelled: bool = False
    """Whether to leave labelled tasks unread."""
    tab: int | str | None = None
    """Number or title of a Data Manager tab: only the tasks that its filters leave are read."""
    updated_since: datetime | None = None
    """Only tasks that changed after this are read; UTC where no zone is given."""
    labels: Literal["latest", "ground_truth", "majority"] | None = "latest"
    """Which annotation of a task is its label; none is read when null."""
    ca_bundle: Path | None = None
    """File of certificates to trust instead of the system's."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        return checked_url(url)

    @field_validator("api_key")
    @classmethod
    def _check_key(cls, key: SecretStr) -> SecretStr:
        return checked_key(key)

    @field_validator("model_version", "from_name")
    @classmethod
    def _check_names(cls, names: str | list[str] | None) -> str | list[str] | None:
        if isinstance(names, list) and (not names or len({*names}) < len(names)):
            raise ValueError("must be a name, or a list of different names")
        return names[0] if isinstance(names, list) and len(names) == 1 else names


class LabelStudioWrite(_WriteOptions):
    """How the ranking is written."""

    mode: Literal["queue", "batch", "uncertainty"] = "queue"  # type: ignore[assignment]  # more than the base has
    """queue: every task and a tab; batch: the batch and a tab; uncertainty: for Label All Tasks."""
    tab: str = Field(default="Label next", min_length=1, max_length=100)
    """Title of the Data Manager tab; Review next where labels are reviewed."""
    annotators: int | list[str] | None = None
    """A number of people, or their names: the batch is split, with one tab for each."""

    @field_validator("annotators")
    @classmethod
    def _check_annotators(cls, annotators: int | list[str] | None) -> int | list[str] | None:
        if isinstance(annotators, int) and not 1 <= annotators <= _MOST_ANNOTATORS:
            raise ValueError(f"must be from 1 to {_MOST_ANNOTATORS}")
        if isinstance(annotators, list):
            if not 1 <= len(annotators) <= _MOST_ANNOTATORS or len({*annotators}) < len(annotators):
                raise ValueError(f"must be from 1 to {_MOST_ANNOTATORS} different names")
            if any(not n or n != n.strip() or not n.isprintable() for n in annotators):
                raise ValueError("must be names without spaces around them")
        return annotators

    def for_review(self) -> Self:
        """A copy with names of a review's own, the tab's too."""
        named = super().for_review()
        if "tab" in self.model_fields_set:
            return named
        return named.model_copy(update={"tab": "Review next"})

    @model_validator(mode="after")
    def _check_mode(self) -> LabelStudioWrite:
        if self.mode == "uncertainty" and self.annotators is not None:
            raise ValueError(
                "annotators must be left out with mode uncertainty: Label Studio itself then never "
                "hands one task to two people"
            )
        return self


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
        }
    )
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

    def check(self) -> list[Finding]:
        """Connection, permissions, counts and tested versions, without reading all items."""
        from labelnext_adapters.label_studio.read.check import check

        return check(self.client, self._source)

    def read(self) -> Pool:
        """All tasks, with the predictions of one model version.

        Raises:
            NotFound: if there is no such project, control tag or model version.
            AccessDenied: if the token is not accepted.
            Unavailable: if the server does not answer.
            InvalidInput: if predictions do not fit the labelling setup.
        """
        from labelnext_adapters.label_studio.read.read import read

        pool, self._tasks = read(self.client, self._source, self._context)
        return pool

    def plan(self, ranking: Ranking) -> Plan:
        """What writing the ranking would do. Changes nothing.

        Raises:
            WriteRefused: if the tab's title is taken by a tab that labelnext did not make.
        """
        from labelnext_adapters.label_studio.server.tasks import read_tasks
        from labelnext_adapters.label_studio.write.plan import plan_tasks

        if self._tasks is None:
            self._tasks = read_tasks(self.client, self._source.project, self._context)
        source, write = self._source, self._write
        return plan_tasks(self.client, source, write, self._tasks, ranking, self._context)

    def performer(self, journal: Journal) -> Performer:
        """What writes data keys, tabs and copies of predictions, one run at a time."""
        from labelnext_adapters.label_studio.write.plan import Writer

        self._tasks = None  # what was read is old once something was written
        return Writer(self.client, self._context)

    def count_labels(self) -> int:
        """The submitted annotations of the project; drafts and skipped tasks are none.

        Raises:
            Unavailable: if the server does not answer.
        """
        from labelnext_adapters.label_studio.server.project import get_project

        # The server does not count what was skipped.
        return int(get_project(self.client, self._source.project)["total_annotations_number"] or 0)

    def tab_url(self) -> str | None:
        """The address of the tab, once a run has made it."""
        from labelnext_adapters.label_studio.server.tab import find_tab, tab_url

        view = find_tab(self.client, self._source.project, self._write.tab)
        return None if view is None else tab_url(self.client, self._source.project, view["id"])

    def close(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            self._client.close()
            self._client = None


__all__ = ["LabelStudioAdapter", "LabelStudioSend", "LabelStudioSource", "LabelStudioWrite"]
