"""FiftyOne: a dataset or saved view in; a ranked field, saved views and a custom run out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import field_validator

from labelnext.adapter.capabilities import Capability
from labelnext.adapter.protocol import Adapter, Context, Finding, Options, SendOptions, WriteOptions
from labelnext.journal.journal import Journal, Performer, Plan
from labelnext.pool.pool import Pool
from labelnext.ranking.rank import Ranking
from labelnext_adapters.fiftyone.write.target import FiftyOneSend, FiftyOneTarget

if TYPE_CHECKING:
    from labelnext.adapter.batch import Batch, Labels, Origin


class FiftyOneSource(Options):
    """Where the samples and their predictions are."""

    dataset: Any
    """Name of the dataset, or in Python a dataset or view."""
    view: str | None = None
    """Name of a saved view."""
    slice: str | None = None
    """Of a grouped dataset, the slice that is ranked; the default slice when null."""
    frames: bool = False
    """Rank the frames of videos, by fields of the frames, instead of whole videos."""
    pred_field: str | list[str] | None = None
    """Field of the predictions; a list is a committee, one field for each model."""
    pred_values: Literal["confidence", "uncertainty"] = "confidence"
    """What the numbers of a heatmap or number field say."""
    gt_field: str | None = None
    """Field of the labels; samples that have one are labelled."""
    label_tag: str | list[str] | None = None
    """Samples with this tag, or one of these, are labelled; a class's name is the label."""
    embeddings: str | None = None
    """Vector field of the embeddings, or key of a brain similarity index."""
    object_embeddings: str | None = None
    """Attribute of each object that holds its embedding, as compute_patch_embeddings stores it."""

    @property
    def pred_fields(self) -> tuple[str, ...]:
        """The fields of the predictions, none or more."""
        return _several(self.pred_field)

    @property
    def label_tags(self) -> tuple[str, ...]:
        """The tags that say that a sample is labelled."""
        return _several(self.label_tag)

    @field_validator("dataset")
    @classmethod
    def _given(cls, value: Any) -> Any:
        if value is None or value == "":
            raise ValueError("must be the name of a dataset")
        return value


def _several(value: str | list[str] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


class FiftyOneWrite(WriteOptions):
    """How the ranking is written: `mode: queue` is a field, an index and two saved views."""

    objects: bool = False
    """Also set each object's own score, as an attribute named as the run."""


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
            Capability.GIVES_BATCHES,
            Capability.TAKES_BATCHES,
            Capability.TAKES_LABELS,
            Capability.TAKES_OBJECT_SCORES,
        }
    )
    SourceOptions: ClassVar[type[Options]] = FiftyOneSource
    WriteOptions: ClassVar[type[WriteOptions]] = FiftyOneWrite
    SendOptions: ClassVar[type[SendOptions]] = FiftyOneSend

    @classmethod
    def open_target(cls, options: FiftyOneSend, context: Context) -> FiftyOneTarget:
        """A dataset on whose samples batches are marked."""
        return FiftyOneTarget(options, context)

    def __init__(self, source: FiftyOneSource, write: FiftyOneWrite, context: Context) -> None:
        self.source = source
        self.write = write
        self.context = context

    def check(self) -> list[Finding]:
        """Versions, the database, counts, and what the fields hold."""
        from labelnext_adapters.fiftyone.read.check import findings

        return list(findings(self.source, self.write.run, self.context))

    def read(self) -> Pool:
        """All samples of the dataset or view, with their stored predictions."""
        from labelnext_adapters.fiftyone.read.read import read_pool

        collection = self._collection()
        self.context.report("read samples", 0)
        pool = read_pool(collection, self.source, self.context.key)
        self.context.report("read samples", len(pool), len(pool))
        return pool

    def plan(self, ranking: Ranking) -> Plan:
        """One field named as the run, an index, two saved views and a custom run."""
        from labelnext_adapters.fiftyone.write.plan import plan_ranking

        return plan_ranking(self._collection(), self.source, self.write, self.context, ranking)

    def wants_object_scores(self) -> bool:
        """Whether `write.objects` asks for a score of each object."""
        return self.write.objects

    def performer(self, journal: Journal) -> Performer:
        """What writes the field, views, index and run, or labels that were fetched."""
        self._reach()
        if journal.what == "fetch":
            from labelnext_adapters.fiftyone.write.fetched_labels import LabelsPerformer

            return LabelsPerformer(self.context)
        from labelnext_adapters.fiftyone.write.performer import FiftyOnePerformer

        return FiftyOnePerformer(journal, self.context)

    def origin(self) -> Origin:
        """The dataset, as the place where a batch comes from."""
        from labelnext_adapters.fiftyone.read.batch import origin_of

        return origin_of(self._collection()._root_dataset)

    def batch(self, run: str) -> Batch:
        """The batch of a run, with what the model says of it."""
        from labelnext_adapters.fiftyone.read.batch import read_batch

        return read_batch(self._collection(), run)

    def plan_labels(self, labels: Labels, field: str) -> Plan:
        """What writing fetched labels into that field would do."""
        from labelnext_adapters.fiftyone.write.fetched_labels import plan_labels

        return plan_labels(self._collection(), labels, field)

    def _reach(self) -> None:
        from labelnext_adapters.fiftyone.database.connection import reach_database

        reach_database()

    def _collection(self) -> Any:
        from labelnext_adapters.fiftyone.database.connection import source_collection

        self._reach()
        return source_collection(self.source)


__all__ = ["FiftyOneAdapter", "FiftyOneSend", "FiftyOneSource", "FiftyOneWrite"]
