"""FiftyOne: a dataset or saved view in; a ranked field, saved views and a custom run out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from labelnext.adapter.capabilities import Capability
from labelnext.adapter.options import Options, SendOptions, WriteOptions
from labelnext.adapter.protocol import Adapter, Context, Finding
from labelnext.journal.carry_out import Performer
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan
from labelnext_adapters.fiftyone.database.lean import import_fiftyone
from labelnext_adapters.fiftyone.options import FiftyOneSend, FiftyOneSource, FiftyOneWrite
from labelnext_adapters.fiftyone.write.target import FiftyOneTarget

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from labelnext.adapter.batch import Batch, Labels, Origin
    from labelnext.adapter.preview import Preview
    from labelnext.pool.pool import Pool
    from labelnext.ranking.ranking import Ranking


class FiftyOneAdapter(Adapter):
    """FiftyOne as a platform; see `labelnext.adapter.Adapter`.

    Args:
        source: where to read.
        write: how to write.
        context: the folder, the key and the progress.
    """

    name: ClassVar[str] = "fiftyone"
    requires: ClassVar[tuple[str, ...]] = ("fiftyone",)
    install: ClassVar[str] = "pip install 'labelnext[fiftyone]'"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {
            Capability.READS,
            Capability.WRITES,
            Capability.COUNTS_LABELS,
            Capability.GIVES_BATCHES,
            Capability.TAKES_BATCHES,
            Capability.TAKES_LABELS,
            Capability.TAKES_OBJECT_SCORES,
            Capability.TAKES_PREDICTIONS,
            Capability.SHOWS_ITEMS,
        }
    )
    target_keys: ClassVar[tuple[str, ...]] = ("dataset",)
    runs_apart: ClassVar[bool] = True
    SourceOptions: ClassVar[type[Options]] = FiftyOneSource
    WriteOptions: ClassVar[type[WriteOptions]] = FiftyOneWrite
    SendOptions: ClassVar[type[SendOptions]] = FiftyOneSend

    @classmethod
    def open_target(cls, options: FiftyOneSend, context: Context) -> FiftyOneTarget:
        """A dataset on whose samples batches are marked."""
        return FiftyOneTarget(options, context)

    @classmethod
    def is_renamed(cls, source: FiftyOneSource, plan: Plan) -> bool:
        """Whether the dataset of a plan has the name now that the source has."""
        from labelnext_adapters.fiftyone.database.connection import names_now

        if source.database is not None:  # no server is started for a question
            return False
        given = source.dataset
        names = names_now({str(s.payload.get("dataset_id")) for s in plan.small_steps})
        return names == {given if isinstance(given, str) else given._root_dataset.name}

    def __init__(self, source: FiftyOneSource, write: FiftyOneWrite, context: Context) -> None:
        import_fiftyone()
        self.source = source
        self.write = write
        self.context = context
        self._database = ExitStack()
        self._started = False
        self._reached = False
        self._ids: NDArray[np.str_] | None = None  # of the samples, once they are read

    def check(self) -> list[Finding]:
        """Versions, the database, counts, and what the fields hold."""
        from labelnext_adapters.fiftyone.app.plugin import plugin_finding
        from labelnext_adapters.fiftyone.database.fields import temporary_frames
        from labelnext_adapters.fiftyone.read.check import findings

        self._start()
        with temporary_frames():
            checked = list(findings(self.source, self.write.run, self.context))
        if not any(finding.level == "error" for finding in checked) and (
            of_app := plugin_finding()
        ):
            checked.append(of_app)
        return checked

    def read(self) -> Pool:
        """All samples of the dataset or view, with their stored predictions."""
        return self._read()

    def read_without_boxes(self) -> Pool:
        """As `read`, without the boxes of predicted objects if nothing here compares them."""
        return self._read(boxes=False)

    def _read(self, *, boxes: bool = True) -> Pool:
        from labelnext_adapters.fiftyone.read.read import read_pool

        collection = self._collection()
        self.context.report("read samples", 0)
        context = self.context
        pool = read_pool(collection, self.source, context.key, context.metadata, boxes=boxes)
        self.context.report("read samples", len(pool), len(pool))
        self._ids = None if self.context.key else pool.item_ids
        return pool

    def plan(self, ranking: Ranking) -> Plan:
        """One field named as the run, an index, two saved views and a custom run."""
        from labelnext_adapters.fiftyone.write.plan import plan_ranking

        known = None if self._ids is None else self._ids.tolist()
        collection = self._collection()
        return plan_ranking(collection, self.source, self.write, self.context, ranking, known=known)

    def states(self) -> tuple[Path, ...]:
        """The App's folder of the dataset, and those of the configurations that wrote its runs."""
        from labelnext_adapters.fiftyone.app.app import state_folders
        from labelnext_adapters.fiftyone.database.connection import source_dataset

        self._reach()
        return state_folders(source_dataset(self.source))

    def wants_object_scores(self) -> bool:
        """Whether `write.objects` asks for a score of each object."""
        return self.write.objects

    def wants_prelabels(self) -> bool:
        """Whether `write.prelabels` is on."""
        return self.write.prelabels

    def performer(self, journal: Journal) -> Performer:
        """What writes the field, views, index and run, or fetched labels, or predictions."""
        from labelnext_adapters.fiftyone.read.own_runs import check_planned_for

        self._reach()
        check_planned_for(journal, self.source.dataset)
        if journal.what == "fetch":
            from labelnext_adapters.fiftyone.write.fetched_labels import LabelsPerformer

            return LabelsPerformer(self.context)
        if journal.what == "push":
            from labelnext_adapters.fiftyone.write.pushed import PushedPerformer

            return PushedPerformer(self.context)
        from labelnext_adapters.fiftyone.write.performer import FiftyOnePerformer

        return FiftyOnePerformer(journal, self.context)

    def origin(self) -> Origin:
        """The dataset, as the place where a batch comes from."""
        from labelnext_adapters.fiftyone.read.batch import origin_of

        return origin_of(self._collection()._root_dataset)

    def batch(
        self, run: str, *, fields: tuple[str, ...] = (), attributes: tuple[str, ...] = ()
    ) -> Batch:
        """The batch of a run, with what the model says of it, and further fields."""
        from labelnext_adapters.fiftyone.read.batch import read_batch

        return read_batch(self._collection(), run, fields, attributes)

    def previews(self, item_ids: Sequence[str]) -> Mapping[str, Preview]:
        """The images of these samples, and where the App opens them."""
        from labelnext_adapters.fiftyone.read.previews import previews_of

        return previews_of(self._collection(), item_ids, self.context.key)

    def item_of(self, own_id: str) -> str | None:
        """The item of a sample, by its id, path or file name, or its address in the App."""
        from labelnext_adapters.fiftyone.read.previews import item_of

        return item_of(self._collection(), own_id, self.context.key)

    def address(self) -> str | None:
        """The App's address of the view with the batch; None if no App runs."""
        from labelnext_adapters.fiftyone.read.previews import app_address

        return app_address()

    def plan_labels(self, labels: Labels, field: str) -> Plan:
        """What writing fetched labels into that field would do."""
        from labelnext_adapters.fiftyone.write.fetched_labels import plan_labels

        return plan_labels(self._collection(), labels, field)

    def plan_predictions(self, pool: Pool, version: str) -> Plan:
        """What storing predictions in a field of that name would do."""
        from labelnext_adapters.fiftyone.write.pushed import plan_predictions

        return plan_predictions(self._collection(), self.source, self.context.key, pool, version)

    def count_labels(self) -> int:
        """The samples that count as labelled."""
        from labelnext_adapters.fiftyone.read.count import count_labelled

        return count_labelled(self._collection(), self.source)

    def prediction_state(self) -> str:
        """The number of samples, and of predictions the counts and sums of confidences."""
        from labelnext_adapters.fiftyone.read.count import prediction_state

        return prediction_state(self._collection(), self.source)

    def check_version(self, version: str) -> None:
        """Check that labelnext push made the field of that name, or can make it."""
        from labelnext_adapters.fiftyone.write.pushed import check_field

        check_field(self._collection()._root_dataset, version)

    def reads_version(self, version: str) -> bool:
        """Whether `source.pred_field` names that field."""
        return version in self.source.pred_fields

    def close(self) -> None:
        """Remove copies of frames, and stop the database of its own, if it has one."""
        self._database.close()
        self._started = self._reached = False

    def _start(self) -> None:
        """Start the database that belongs to the source, once."""
        if self.source.database is None or self._started:
            return
        from labelnext_adapters.fiftyone.database.mongod import own_database

        self._database.enter_context(own_database(self.context.path(self.source.database)))
        self._started = True

    def _reach(self) -> None:
        from labelnext_adapters.fiftyone.database.connection import reach_database
        from labelnext_adapters.fiftyone.database.fields import temporary_frames

        self._start()
        reach_database()
        if not self._reached:
            self._database.enter_context(temporary_frames())
            self._reached = True

    def _collection(self) -> Any:
        from labelnext_adapters.fiftyone.database.connection import source_collection

        self._reach()
        return source_collection(self.source)


__all__ = ["FiftyOneAdapter", "FiftyOneSend", "FiftyOneSource", "FiftyOneWrite"]
