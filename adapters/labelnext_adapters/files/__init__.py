"""Plain files: JSONL, CSV, NPZ, Parquet, COCO and Label Studio in; JSONL, CSV or Parquet out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from labelnext.adapter import (
    Adapter,
    Capability,
    Context,
    Finding,
    Journal,
    Options,
    Part,
    Performer,
    Plan,
    WriteOptions,
)
from labelnext.errors import InvalidInput, LabelnextError
from labelnext.pool import Pool
from labelnext.ranking import Ranking

if TYPE_CHECKING:
    import pyarrow as pa

    from labelnext.batch import Batch, Origin
    from labelnext_adapters.files.dataset import Dataset

# A URL stays text: as a path its slashes would be lost.
Place = Annotated[
    Path | str, BeforeValidator(lambda v: v if isinstance(v, str) and "://" in v else Path(v))
]
Format = Literal["jsonl", "csv", "npz", "parquet", "coco", "label-studio"]


class FilesSource(Options):
    """Keys of `source` for files."""

    path: Place
    """The file with the predictions: .jsonl, .csv, .parquet, .npz; .json is a COCO results list or
    a Label Studio export. Or a folder, glob or URL of Parquet files, which may be larger than
    memory."""
    format: Format | None = None
    """jsonl, csv, npz, parquet, coco or label-studio; from the ending of the name when null."""
    columns: dict[str, str | list[str]] = Field(default_factory=dict)
    """Our names (item_id, probabilities, objects, embedding, label, votes, truth, labelled, group,
    cost, media) to the file's; for probabilities and embedding also a list of number columns; for
    probabilities and objects a list is a committee, one column for each model version; media is the
    path or address of an item's image, from which labelnext send makes tasks."""
    classes: list[str] | None = None
    """Names of the classes, in the order of the probabilities."""
    multilabel: bool = False
    """Classes are independent of each other: an item's probabilities need not sum to 1."""
    broken: Literal["stop", "skip"] = "stop"
    """Of many files, one that cannot be read: stop there, or skip it and count it."""
    images: Path | None = None
    """Of a COCO results list, the file with its images and categories."""
    older: list[Path] = Field(default_factory=list)
    """Of a COCO results list, those of older model versions, the oldest first: a committee."""
    label_config: Path | None = None
    """Of a Label Studio export, the file with the labelling setup, in XML; what the export names
    when null."""
    from_name: str | list[str] | None = None
    """Of a Label Studio export, the control tag to read, or several that label parts of items."""
    model_version: str | list[str] | None = None
    """Of a Label Studio export, which predictions to read; the newest when null; a list is a
    committee."""
    labels: Literal["latest", "ground_truth", "majority"] | None = "latest"
    """Of a Label Studio export, which annotation of a task is its label; none is read when null."""


class FilesWrite(WriteOptions):
    """Keys of `write` for files; `output` is where the ranking goes."""

    output: Place | None = Path("ranking.csv")  # type: ignore[assignment]  # wider than the base's
    """The ranking: .csv, .jsonl or .parquet; of a folder of files a folder or URL, ranking/ unless
    said."""


class FilesAdapter(Adapter):
    """Reads a file of predictions and writes the ranking as another file.

    Args:
        source: keys of `source`.
        write: keys of `write`.
        context: folder of relative paths, key and progress.
    """

    name: ClassVar[str] = "files"
    requires: ClassVar[tuple[str, ...]] = ("pyarrow",)
    install: ClassVar[str] = "pip install labelnext"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {Capability.READS, Capability.WRITES, Capability.STREAMS, Capability.GIVES_BATCHES}
    )
    SourceOptions: ClassVar[type[Options]] = FilesSource
    WriteOptions: ClassVar[type[WriteOptions]] = FilesWrite

    def __init__(self, source: FilesSource, write: FilesWrite, context: Context) -> None:
        self._source, self._write, self._context = source, write, context

    @cached_property
    def _dataset(self) -> Dataset | None:
        """The folder of files; None for one file. Made once: a store may be asked where it is."""
        from labelnext_adapters.files.dataset import Dataset, is_dataset

        if is_dataset(self._source.path, self._context):
            return Dataset(self._source, self._context)
        return None

    def parts(self) -> list[Part] | None:
        """The parts of a folder of files; None for one file."""
        dataset = self._dataset
        return None if dataset is None else dataset.parts()

    def read_part(self, part: Part, more: Sequence[str] = ()) -> tuple[Pool, pa.Array]:
        """The items of a part, numbered from 0, and their ids; `more`: embedding, group.

        Raises:
            InvalidInput: if the source is one file, or the part is broken.
        """
        if self._dataset is None:
            raise InvalidInput("path must be a folder, glob or URL to be read in parts.")
        return self._dataset.read_part(part, more)

    def check(self) -> list[Finding]:
        """Whether the file exists and what it is."""
        from labelnext_adapters.files.read import source_format

        dataset = self._dataset
        if dataset is not None:
            try:
                parts = dataset.parts()
            except LabelnextError as error:
                return [Finding("error", error.message, error.hint)]
            rows = sum(part.rows for part in parts)
            message = f"{str(self._source.path)!r} holds {rows:,} items in {len(parts)} parts."
            return [Finding("ok", message)]
        path = self._context.path(self._source.path)
        if not path.is_file():
            return [Finding("error", f"{str(path)!r} does not exist.", "set source.path.")]
        kind = source_format(path, self._source)
        return [Finding("ok", f"{str(path)!r} is a {kind} file of {path.stat().st_size:,} bytes.")]

    def read(self) -> Pool:
        """All items of the file."""
        from labelnext_adapters.files.read import read_pool

        return read_pool(self._source, self._context)

    def plan(self, ranking: Ranking) -> Plan:
        """One step: the ranking file."""
        from labelnext_adapters.files.write import make_plan

        return make_plan(ranking, self._source, self._write, self._context)

    def performer(self, journal: Journal) -> Performer:
        """What writes the ranking file, and puts back the one that was there."""
        from labelnext_adapters.files.write import FilePerformer

        return FilePerformer(journal, self._context)

    def origin(self) -> Origin:
        """The files, as the place where a batch comes from."""
        from labelnext_adapters.files.batch import origin_of

        return origin_of(self._source, self._context)

    def batch(self, run: str) -> Batch:
        """The batch of the ranking that was written, with images where a column names them.

        Raises:
            NotFound: if no ranking of that run was written.
            InvalidInput: if it or the files are broken, or have no images of the batch.
        """
        from labelnext_adapters.files.batch import read_batch

        return read_batch(self._source, self._write, self._context, run)
