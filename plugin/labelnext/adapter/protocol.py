"""The Adapter protocol: how a platform's items come in, and how a ranking goes back.

An adapter is a class named by an entry point of the group ``labelnext.adapters``. Importing its
module must not import the platform's SDK: `open_adapter` first looks whether it is installed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

from labelnext.adapter.capabilities import BASIC, Capability
from labelnext.adapter.options import Options, SendOptions, WriteOptions
from labelnext.journal.carry_out import Performer, carry_out, take_back
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan, Progress
from labelnext.pool.pool import Pool

if TYPE_CHECKING:
    import pyarrow as pa

    from labelnext.adapter.batch import Batch, Labels, Origin
    from labelnext.ranking.ranking import Ranking


@dataclass(frozen=True)
class Finding:
    """One line of `labelnext check`.

    Attributes:
        level: ok, warning or error.
        message: one sentence.
        hint: what to do about it.
    """

    level: Literal["ok", "warning", "error"]
    message: str
    hint: str | None = None


@dataclass(frozen=True)
class Context:
    """What an adapter gets besides its options.

    Attributes:
        directory: where relative paths begin: the folder of the configuration.
        key: `source.key`, what the ids of the items are; the platform's own ids when None.
        progress: called with a stage, how much is done, and of how much (None if unknown).
    """

    directory: Path = Path()
    key: str | None = None
    progress: Progress | None = None

    def path(self, path: Path | str) -> Path:
        """A path of the configuration, relative to its folder."""
        return self.directory / Path(path).expanduser()

    def report(self, stage: str, done: int, total: int | None = None) -> None:
        """Report progress, if somebody wants to know."""
        if self.progress is not None:
            self.progress(stage, done, total)


class Writes(Protocol):
    """What carries out its own plans; the order of events stands in `labelnext.journal`."""

    def performer(self, journal: Journal) -> Performer:
        """What does the steps of a journal's plan, and takes them back."""

    def apply(self, plan: Plan, journal: Journal) -> None:
        """Do what the plan says and the journal does not hold as done.

        Raises:
            ConfigError: if another run writes there, as far as this machine knows.
            WriteFailed: if the write breaks off.
        """
        carry_out(plan, journal, self.performer(journal))

    def undo(self, journal: Journal) -> list[str]:
        """Put back what was there before; returns what had to stay, one sentence each."""
        return take_back(journal, self.performer(journal))

    def close(self) -> None:
        """Let go of connections; by default there are none."""
        return None  # not abstract: subclasses inherit it


@runtime_checkable
class Adapter(Writes, Protocol):
    """A platform. Subclass it: `apply`, `undo`, `can` and `close` then come with it.

    Class attributes:
        name: as in `source.adapter`.
        requires: modules that must be installed.
        install: the line that installs them.
        capabilities: what it can do; reading and writing unless it says more.
        SourceOptions: the adapter's own keys of `source`, a subclass of `Options`.
        WriteOptions: of `write`, a subclass of `WriteOptions`.

    The constructor takes ``(source, write, context)``. The methods are called in this order:
    `check` at any time; `read`; `plan`; then `apply` or nothing. `apply` and `undo` may also be
    called on a new adapter, with the journal of an earlier process.

    A class method ``source_options(data, directory)`` may choose the options for its own keys of
    `source` as they were given, with the folder in which relative paths begin.
    """

    name: ClassVar[str]
    requires: ClassVar[tuple[str, ...]]
    install: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]] = BASIC
    SourceOptions: ClassVar[type[Options]]
    WriteOptions: ClassVar[type[WriteOptions]]

    @classmethod
    def can(cls, capability: Capability) -> bool:
        """Whether the adapter declares a capability."""
        return capability in cls.capabilities

    def check(self) -> list[Finding]:
        """Connection, permissions, counts and tested versions, without reading all items."""

    def read(self) -> Pool:
        """All items, with their stored predictions."""

    def plan(self, ranking: Ranking) -> Plan:
        """What writing the ranking would do. Changes nothing."""


class CountsLabels(Protocol):
    """`Capability.COUNTS_LABELS`: counts labels cheaply, which `labelnext watch` needs."""

    def count_labels(self) -> int:
        """How many labels there are, by one small request. Drafts and skipped items are none."""


class GivesBatches(Protocol):
    """`Capability.GIVES_BATCHES`: its batches can be labelled on another platform."""

    def origin(self) -> Origin:
        """Where the items come from."""

    def batch(self, run: str) -> Batch:
        """The batch of a run that was written."""


class TakesLabels(GivesBatches, Protocol):
    """`Capability.TAKES_LABELS`: labels of batches that were sent can come back to it."""

    def plan_labels(self, labels: Labels, field: str) -> Plan:
        """What writing the labels would do; `apply` and `undo` take the plan. Changes nothing."""


class Target(Writes, Protocol):
    """A platform, ready to take a batch and to give its labels."""

    def plan(self, batch: Batch) -> Plan:
        """What sending the batch would do. Changes nothing."""

    def labels(self, origin: Origin) -> Labels:
        """What people said of the items that were sent."""


class TakesBatches(Protocol):
    """`Capability.TAKES_BATCHES`: a batch can be sent to its platform.

    Class attributes:
        SendOptions: of `send`, a subclass of `SendOptions`.
    """

    SendOptions: ClassVar[type[SendOptions]]

    @classmethod
    def open_target(cls, options: Any, context: Context) -> Target:
        """The platform, ready to take a batch."""


class TakesObjectScores(Protocol):
    """`Capability.TAKES_OBJECT_SCORES`: it can write a score for each object of an item."""

    def wants_object_scores(self) -> bool:
        """Whether its options ask for them; `Ranking.object_scores` then holds them."""


@dataclass(frozen=True)
class Part:
    """A part of a pool that is read by itself.

    Attributes:
        number: its place among the parts.
        name: for people: the file, and which rows of it.
        payload: all that is needed to read it, as JSON; it changes when the part does.
        rows: how many items it holds.
    """

    number: int
    name: str
    payload: Mapping[str, Any]
    rows: int


class Streams(Protocol):
    """`Capability.STREAMS`: its pool may be larger than memory; `run` scores it part by part."""

    def parts(self) -> list[Part] | None:
        """The parts, in a stable order; None when the source is to be read whole."""

    def read_part(self, part: Part, more: Sequence[str] = ()) -> tuple[Pool, pa.Array]:
        """The items of a part, numbered from 0 in the pool, and their ids as strings.

        All that scores are made from is read, and `more`: of embedding and group.
        """
