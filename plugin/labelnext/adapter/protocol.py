"""The Adapter protocol: how labelnext reads a platform's items and writes rankings back.

An adapter is a class registered as an entry point in the group ``labelnext.adapters``. Importing
its module must not import the platform's SDK: `open_adapter` first checks that it is installed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

from labelnext.adapter.capabilities import BASIC, Capability
from labelnext.adapter.options import Options, SendOptions, WriteOptions
from labelnext.errors import ConfigError
from labelnext.journal.carry_out import Performer, carry_out, take_back
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan, Progress

if TYPE_CHECKING:
    import pyarrow as pa

    from labelnext.adapter.batch import Batch, Labels, Origin
    from labelnext.adapter.preview import Preview
    from labelnext.adapter.records import LabelRecords
    from labelnext.adapter.team import Work
    from labelnext.pool.pool import Pool
    from labelnext.ranking.ranking import Ranking


@dataclass(frozen=True)
class Finding:
    """One line of `labelnext check`.

    Attributes:
        level: ok, warning or error.
        message: the finding in one sentence.
        hint: what to do about it.
    """

    level: Literal["ok", "warning", "error"]
    message: str
    hint: str | None = None


@dataclass(frozen=True)
class Context:
    """What an adapter gets in addition to its options.

    Attributes:
        directory: folder that relative paths start from: that of the configuration.
        key: `source.key`, the data key or field of item ids; None for the platform's own ids.
        progress: called with a stage, how much is done, and of how much (None if unknown).
        memory: what the adapter may keep for the next run of the same process; None if there will
            be none. It is emptied after a failure.
        metadata: `source.metadata`, the further columns that `Pool.metadata` shall hold.
        state: `state`, the folder where it may keep what it read for later runs; None for none.
    """

    directory: Path = Path()
    key: str | None = None
    progress: Progress | None = None
    memory: dict[str, Any] | None = None
    metadata: tuple[str, ...] = ()
    state: Path | None = None

    def path(self, path: Path | str) -> Path:
        """Resolve a path from the configuration relative to its folder.

        Raises:
            ConfigError: if it begins with ~ and there is no such home folder.
        """
        try:
            return self.directory / Path(path).expanduser()
        except RuntimeError as error:
            raise ConfigError(
                f"path must begin with a home folder that exists; got {str(path)!r}."
            ) from error

    def report(self, stage: str, done: int, total: int | None = None) -> None:
        """Report progress, if there is a progress callback."""
        if self.progress is not None:
            self.progress(stage, done, total)


class Writes(Protocol):
    """Something that carries out its own plans; `labelnext.journal` defines the procedure."""

    def performer(self, journal: Journal) -> Performer:
        """A performer that does and undoes the steps of a journal's plan."""

    def apply(self, plan: Plan, journal: Journal) -> None:
        """Carry out the steps of the plan that the journal doesn't record as done.

        Raises:
            ConfigError: if another run on this machine is writing to the same place.
            WriteFailed: if the write is interrupted.
        """
        carry_out(plan, journal, self.performer(journal))

    def undo(self, journal: Journal) -> list[str]:
        """Restore what was there before; returns what had to stay, one sentence each."""
        return take_back(journal, self.performer(journal))

    def close(self) -> None:
        """Close connections; by default there are none."""
        return None  # not abstract: subclasses inherit it


@runtime_checkable
class Adapter(Writes, Protocol):
    """An adapter for a platform. Subclass it to inherit `apply`, `undo`, `can` and `close`.

    Class attributes:
        name: as in `source.adapter`.
        requires: modules that must be installed.
        install: the command that installs them.
        capabilities: what it can do; by default, read and write.
        target_keys: keys of `source` and `send` that name the project or dataset.
        runs_apart: whether runs of different names (`write.run`) write nothing in common.
        SourceOptions: the adapter's own keys of `source`, a subclass of `Options`.
        WriteOptions: the keys of `write`, a subclass of `WriteOptions`.

    The constructor takes ``(source, write, context)``. Methods are called in this order: `check`
    at any time; `read`; `plan`; then `apply` or nothing. `apply` and `undo` may also be called on
    a new adapter, with the journal of an earlier process.

    A class method ``source_options(data, directory)`` may choose the options class from the given
    keys of `source` and the folder that relative paths start from.
    """

    name: ClassVar[str]
    requires: ClassVar[tuple[str, ...]]
    install: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]] = BASIC
    target_keys: ClassVar[tuple[str, ...]] = ()
    runs_apart: ClassVar[bool] = False
    SourceOptions: ClassVar[type[Options]]
    WriteOptions: ClassVar[type[WriteOptions]]

    @classmethod
    def can(cls, capability: Capability) -> bool:
        """Whether the adapter declares a capability."""
        return capability in cls.capabilities

    def check(self) -> list[Finding]:
        """Check connection, permissions, counts and versions, without reading all items."""

    def seen(self) -> Mapping[str, Any]:
        """Keys of `source` that the data itself shows, for `labelnext init`; by default none."""
        return {}

    def read(self) -> Pool:
        """All items, with their stored predictions."""

    def read_without_boxes(self) -> Pool:
        """As `read`, for somebody who uses no boxes of predicted objects: they may be left out."""
        return self.read()

    def plan(self, ranking: Ranking) -> Plan:
        """Plan how to write the ranking. Changes nothing."""

    def item_of(self, own_id: str) -> str | None:
        """The item with an id of the platform's own, where `source.key` names items otherwise."""
        return None

    def wants_why(self) -> bool:
        """Whether its options ask for plain words; `Ranking.why` then has them. By default no."""
        return False

    def wants_prelabels(self) -> bool:
        """Whether its options ask for pre-labels; `Ranking.prelabels` then has what is predicted.

        By default no.
        """
        return False

    def wants_clusters(self) -> int | Literal["auto"] | None:
        """How many clusters its options ask for; `Ranking.clusters` then has them. By default None.

        auto: as many as suit the batch.
        """
        return None

    @classmethod
    def is_renamed(cls, source: Any, plan: Plan) -> bool:
        """Whether a plan was for the dataset or project that `source` names by another name.

        It is asked where the names differ; by default, it wasn't.
        """
        return False

    def states(self) -> tuple[Path, ...]:
        """Further state folders that may hold runs on the same target; by default none."""
        return ()

    def label_records(self) -> LabelRecords | None:
        """Every label with its author and time; None if the pool's labels are all that is known."""
        return None

    def prediction_state(self) -> str | None:
        """A text that changes with the stored predictions and the number of items.

        It costs a few small requests; None where it isn't known.
        """
        return None

    def reads_version(self, version: str) -> bool:
        """Whether a run reads the predictions that are pushed under that version."""
        return True

    def check_version(self, version: str) -> None:
        """Check that predictions can be pushed under that version; by default they can.

        Raises:
            LabelnextError: if they can't.
        """

    def ran_dry(self) -> tuple[str, ...]:
        """Names of people with nothing left to label while others have work; by default none.

        `labelnext watch` then ranks again, whatever the number of new labels.
        """
        return ()

    def call_back(self, address: str, headers: Mapping[str, str]) -> bool:
        """Let the platform send a request to an address whenever labels or items change.

        The address is of nobody else. By default the platform can't, which is False.
        """
        return False

    def no_call_back(self, address: str) -> None:
        """End what `call_back` began; nothing if it never did, or has ended."""


class CountsLabels(Protocol):
    """`Capability.COUNTS_LABELS`: counts labels cheaply, which `labelnext watch` needs."""

    def count_labels(self) -> int:
        """The number of labels, from one small request. Drafts and skipped items don't count."""


class GivesBatches(Protocol):
    """`Capability.GIVES_BATCHES`: people can label its batches on another platform."""

    def origin(self) -> Origin:
        """Where the items come from."""

    def batch(self, run: str) -> Batch:
        """The batch of a completed run.

        If it also takes the keywords `fields` and `attributes`, tuples of names, people can label
        further fields, and attributes of objects.
        """


class TakesLabels(GivesBatches, Protocol):
    """`Capability.TAKES_LABELS`: it can store the labels of batches that were sent."""

    def plan_labels(self, labels: Labels, field: str) -> Plan:
        """Plan how to write the labels, for `apply` and `undo`. Changes nothing."""


class Target(Writes, Protocol):
    """An open platform that takes a batch and returns its labels."""

    def plan(self, batch: Batch) -> Plan:
        """Plan how to send the batch. Changes nothing."""

    def labels(self, origin: Origin) -> Labels:
        """The labels that people gave the sent items."""


class TakesBatches(Protocol):
    """`Capability.TAKES_BATCHES`: batches can be sent to its platform.

    Class attributes:
        SendOptions: the keys of `send`, a subclass of `SendOptions`.
    """

    SendOptions: ClassVar[type[SendOptions]]

    @classmethod
    def open_target(cls, options: Any, context: Context) -> Target:
        """Open the platform, ready to take a batch."""


class TakesObjectScores(Protocol):
    """`Capability.TAKES_OBJECT_SCORES`: it can write a score for each object of an item."""

    def wants_object_scores(self) -> bool:
        """Whether its options ask for object scores; `Ranking.object_scores` then has them."""


class TakesPredictions(Protocol):
    """`Capability.TAKES_PREDICTIONS`: a model's predictions can be stored on its platform."""

    def plan_predictions(self, pool: Pool, version: str) -> Plan:
        """Plan how to store the predictions of a pool under a model version. Changes nothing.

        Items that the platform doesn't hold are left out, in `Plan.left_out`.

        Raises:
            InvalidInput: if none of the items is there, or the classes or shapes don't fit.
            WriteRefused: if the version's name is taken by what `labelnext push` didn't make.
        """


class TellsWork(Protocol):
    """`Capability.TELLS_WORK`: it knows who labelled and skipped what."""

    def work(self) -> Work:
        """Every label and skip, and what is left in each person's tab. Changes nothing."""


class ShowsItems(Protocol):
    """`Capability.SHOWS_ITEMS`: reports show its items as pictures or texts, and link to them."""

    def previews(self, item_ids: Sequence[str]) -> Mapping[str, Preview]:
        """What can be shown of these items; items it doesn't know are left out."""

    def address(self) -> str | None:
        """Where people begin to label, http or https; None if there is no such address."""


@dataclass(frozen=True)
class Part:
    """A part of a pool that can be read on its own.

    Attributes:
        number: its position among the parts.
        name: the file and its rows, for messages.
        payload: everything needed to read the part, as JSON; it changes if the part changes.
        rows: how many items it holds.
    """

    number: int
    name: str
    payload: Mapping[str, Any]
    rows: int


class Streams(Protocol):
    """`Capability.STREAMS`: its pool may be larger than memory; `run` scores it part by part."""

    def parts(self) -> list[Part] | None:
        """The parts, in a stable order; None if the source should be read whole."""

    def read_part(self, part: Part, more: Sequence[str] = ()) -> tuple[Pool, pa.Array]:
        """The items of a part, numbered from 0 in the pool, and their ids as strings.

        Reads everything that scores need, plus the columns in `more`: embedding or group.
        """
